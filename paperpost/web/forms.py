"""What a form posted, read so that nothing in it can fail."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException

from paperpost.service.wishes import InvalidWish
from paperpost.web.guards.doors import is_one_click

# More than any form of ours has: a page may show a few hundred boxes.
MOST_FIELDS = 1000
# How the boxes beside ignored votes are named: this, and the vote's number.
MINE = "mine-"
# Those beside votes that may be taken back: this, and the paper's number.
TAKE_BACK = "back-"
# How pages label the fields of service/wishes.py.
LABELS = {
    "keywords": "Keywords",
    "authors": "Authors you follow",
    "categories": "Categories",
    "muted": "Not for me",
    "frequency": "How often",
    "hour": "Hour of the day",
    "timezone": "Time zone",
    "size": "Papers in a digest",
    "threshold": "Least chance",
    "explore": "One paper outside my usual",
    "revisions": "New versions",
    "quiet_note": "A note on a day without papers",
}


async def _posted(request: Request) -> Mapping[str, str]:
    """The text fields of a body in either encoding; a broken body has none, files are left out.
    Raises HTTPException for too many fields.

    Mail programs post what they like to an unsubscribe link, and have to be obeyed (RFC 8058).
    """
    try:
        async with request.form(max_files=10, max_fields=MOST_FIELDS) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except FormParserError:
        return {}
    except HTTPException as error:
        if not str(error.detail).startswith("Too many fields") or is_one_click(request.scope):
            return {}
        detail = f"A form on this site has {MOST_FIELDS:,} fields at most, and that had more."
        raise HTTPException(400, detail) from error


def ticked(posted: Mapping[str, str], kind: str = MINE) -> list[str]:
    """The numbers of what somebody ticked, each by a box of its own, of one kind of box."""
    return [name.removeprefix(kind) for name in posted if name.startswith(kind)]


def labelled(error: InvalidWish) -> str:
    """What is wrong, with the field named as the page names it."""
    return f"{LABELS.get(error.field, error.field)} {error.wrong}".lstrip()


Posted = Annotated[Mapping[str, str], Depends(_posted)]
