"""`make pictures`: what our pages look like, into docs/pictures/pages, and docs/pages.md with them.

The furnished site of the tests, in a real browser: each page on a desktop by day and on a phone by
night.
"""

import io
import shutil
import tempfile
from pathlib import Path

from all_pages import CHAPTERS, Place, go
from browser import PHONE, SCHEMES, Readers, Scheme, Screen, launched
from furnished import MORNING, Furnished, furnish, opened
from invented import Clock
from pictures import PICTURES, REPOSITORY, save
from PIL import Image

from paperpost.demo.site import site
from paperpost.store.database import Database

PAGES = PICTURES / "pages"
DOCUMENT = REPOSITORY / "docs" / "pages.md"
DESKTOP = Screen("desktop", 1024, 760)
# Long lists go on like this.
HIGHEST = {"desktop": 1500, "phone": 1300}
HEAD = """\
# The pages

What a reader sees, on a desktop by day and on a phone by night. `make pictures` takes these
pictures with headless Chromium, of the site that the tests look at: the demo's papers, after a
week of digests and votes.
"""


def main() -> None:
    """Take every picture, and write the page that shows them."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'paperpost.db'}"
        database = Database(url)
        database.upgrade()
        database.close()
        address = "https://papers.example.org"
        with opened(home, url, Clock(MORNING), public_url=address) as installation:
            furnish(installation)
            with site(installation) as base, launched() as browser:
                furnished = Furnished(installation)
                furnished.base = base
                take_all(furnished, Readers(browser))
    DOCUMENT.write_text(document(), encoding="utf-8")


def take_all(furnished: Furnished, readers: Readers) -> None:
    """Every page on both screens."""
    views: list[tuple[Screen, Scheme]] = list(zip((DESKTOP, PHONE), SCHEMES, strict=True))
    for screen, scheme in views:
        tab = readers.tab(screen, scheme=scheme)
        for place in shown():
            go(tab, furnished, place)
            picture = Image.open(io.BytesIO(tab.screenshot(full_page=True)))
            high = min(picture.height, HIGHEST[screen.name])
            save(picture.crop((0, 0, screen.width, high)), file(place, screen.name))
    readers.leave()


def shown() -> list[Place]:
    """The pages that have a picture."""
    return [place for places in CHAPTERS.values() for place in places if place.shows]


def file(place: Place, screen: str) -> Path:
    """Where a picture lies."""
    return PAGES / f"{place.name}-{screen}.png"


def document() -> str:
    """The page of the docs."""
    parts = [HEAD]
    for chapter, places in CHAPTERS.items():
        parts.append(f"\n## {chapter}\n")
        parts += [chapter_part(place) for place in places if place.shows]
    return "".join(parts)


def chapter_part(place: Place) -> str:
    """A page's own part of it."""
    images = " ".join(
        f'<img src="{file(place, screen).relative_to(DOCUMENT.parent)}" '
        f'alt="{place.shows}, {where}" width="{width}">'
        for screen, where, width in (
            ("desktop", "on a desktop by day", 560),
            ("phone", "on a phone by night", 220),
        )
    )
    return f"\n### {place.shows}\n\n{images}\n"


if __name__ == "__main__":
    main()
