"""`make pictures`: what our mails look like, into docs/pictures, by the programs themselves.

An installation in a temporary folder reads the demo's papers, ranks, composes and writes its mails
as files; headless Chromium shows their HTML by day and by night, as wide as a phone and as a
desktop.
"""

import html
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import accumulate, product
from pathlib import Path

from PIL import Image
from screenshot import SCHEMES, chromium

from mailer.compose import compose_digest
from mailer.digest import Digest, Letter

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = REPOSITORY / "docs" / "pictures"
SITE = "https://papers.example.org"
ADDRESS, OPERATOR = "1 Library Street, Exampleville", "library@example.org"
SENDER = "Paperpost <paperpost@papers.example.org>"
MONDAY = date(2026, 4, 13)
WIDTHS = {"phone": 390, "desktop": 800}
COLOURS = 96
# What the README shows of a desktop's digest: left, upper, right, lower.
README_PICTURE = (84, 0, 716, 976)


def main() -> None:
    """Take every picture."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pages = mails(Path(folder))
        views = list(product(pages, WIDTHS))
        wall = Path(folder) / "wall.html"
        wall.write_text(wall_of([pages[name] for name, _ in views], [WIDTHS[d] for _, d in views]))
        heights = json.loads(re.findall(r"<title>(.*?)</title>", chromium(wall, "--dump-dom"))[0])
        for scheme in SCHEMES:
            shot = Path(folder) / f"{scheme}.png"
            chromium(
                wall,
                f"--screenshot={shot}",
                f"--window-size={sum(WIDTHS[d] for _, d in views)},{max(heights)}",
                scheme=scheme,
            )
            cut_out(shot, views, heights, scheme)


def mails(folder: Path) -> dict[str, str]:
    """The HTML of each mail, by what it is."""
    home = folder / "home"

    def paperpost(*arguments: str) -> None:
        environment = os.environ | {
            "PAPERPOST_HOME": str(home),
            "PAPERPOST_PUBLIC_URL": SITE,
            "PAPERPOST_FROM": SENDER,
            "PAPERPOST_POSTAL_ADDRESS": ADDRESS,
            "PAPERPOST_OPERATOR": OPERATOR,
        }
        command = [str(Path(sys.executable).with_name("paperpost")), *arguments]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)

    def subscribe(name: str, *options: str) -> None:
        paperpost("subscribe", f"{name}@example.org", "--size", "3", *options)

    paperpost("upgrade")
    paperpost("import", str(REPOSITORY / "paperpost" / "demo" / "papers.jsonl"))
    subscribe("confirmation", "--keyword", "speech recognition")
    subscribe("digest", "--confirmed", "--keyword", "language model reasoning")
    subscribe("weekly", "--confirmed", "--frequency", "weekly", "--keyword", "gaussian splatting")
    paperpost("train")
    for paper in ("2604.04120", "2604.04930", "2604.05643"):
        paperpost("vote", "digest@example.org", paper, "up")
    paperpost("digest", "--on", str(MONDAY))
    paperpost("send")
    written = {
        name: next((home / "mail").glob(f"*-{name}@example.org-*.eml")).read_bytes()
        for name in ("digest", "weekly", "confirmation")
    }
    return {name: page(mail) for name, mail in (written | {"quiet": quiet_note()}).items()}


def quiet_note() -> bytes:
    """On the day after, when nothing was new."""
    nothing = Digest(
        local_date=MONDAY,
        items=(),
        considered=105,
        frequency="daily",
        preferences_url=f"{SITE}/me/x",
        unsubscribe_url=f"{SITE}/unsubscribe/x",
        why="",
        silence="None of 105 new papers reached your threshold of 60 %.",
    )
    letter = Letter(
        sender=SENDER,
        recipient="quiet@example.org",
        message_id="<quiet@papers.example.org>",
        date=datetime(2026, 4, 13, 8, tzinfo=UTC),
        postal_address=ADDRESS,
        public_url=SITE,
        operator=OPERATOR,
    )
    return compose_digest(nothing, letter)


def page(mail: bytes) -> str:
    """The HTML part of a message."""
    message = message_from_bytes(mail, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def wall_of(pages: list[str], widths: list[int]) -> str:
    """A page that shows pages side by side, and tells in its title how high each is."""
    frames = "".join(
        f'<iframe width="{width}" height="3000" srcdoc="{html.escape(page)}"></iframe>'
        for page, width in zip(pages, widths, strict=True)
    )
    return (
        '<!doctype html><html><head><meta charset="utf-8"><title></title><style>'
        ":root { color-scheme: light dark } body { margin: 0; display: flex }"
        "iframe { border: 0; flex: none }</style></head>"
        f"<body>{frames}<script>onload = () => document.title = JSON.stringify("
        "[...document.querySelectorAll('iframe')].map("
        "frame => frame.contentDocument.querySelector('.page').getBoundingClientRect()).map("
        "page => Math.round(page.bottom + page.top)))</script></body></html>"
    )


def cut_out(shot: Path, views: list[tuple[str, str]], heights: list[int], scheme: str) -> None:
    """Each view of the wall as a small file."""
    wall = Image.open(shot).convert("RGB")
    rights = accumulate(WIDTHS[device] for _, device in views)
    for (name, device), right, height in zip(views, rights, heights, strict=True):
        picture = wall.crop((right - WIDTHS[device], 0, right, height))
        save(picture, PICTURES / f"{name}-{device}-{scheme}.png")
        if (name, device, scheme) == ("digest", "desktop", "light"):
            save(picture.crop(README_PICTURE), REPOSITORY / "docs" / "digest.png")


def save(picture: Image.Image, file: Path) -> None:
    """With few colours: a page of text has no more."""
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
