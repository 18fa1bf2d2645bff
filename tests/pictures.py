"""`make pictures`: what our mails look like, into docs/pictures, by the programs themselves.

An installation in a temporary folder reads the demo's papers, ranks, composes and writes its mails
as files; headless Chromium shows their HTML by day and by night, as wide as a phone and as a
desktop.
"""

import io
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import product
from pathlib import Path

from browser import SCHEMES, launched
from PIL import Image
from playwright.sync_api import ViewportSize

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
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        pages = mails(Path(folder))
        for name, device, scheme in product(pages, WIDTHS, SCHEMES):
            size = ViewportSize(width=WIDTHS[device], height=100)
            tab = browser.new_page(viewport=size, color_scheme=scheme)
            tab.set_content(pages[name])
            picture = Image.open(io.BytesIO(tab.screenshot(full_page=True)))
            tab.close()
            save(picture, PICTURES / f"{name}-{device}-{scheme}.png")
            if (name, device, scheme) == ("digest", "desktop", "light"):
                save(picture.crop(README_PICTURE), REPOSITORY / "docs" / "digest.png")


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


def save(picture: Image.Image, file: Path) -> None:
    """With few colours: a page of text has no more."""
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
