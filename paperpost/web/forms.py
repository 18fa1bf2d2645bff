"""What a form posted, read so that nothing in it can fail."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException

# How the boxes beside ignored votes are named: this, and the vote's number.
MINE = "mine-"
# Those beside votes that may be taken back: this, and the paper's number.
TAKE_BACK = "back-"


async def _posted(request: Request) -> Mapping[str, str]:
    """The text fields of a body in either encoding; a broken body has none, files are left out.

    Mail programs post what they like to an unsubscribe link, and have to be obeyed (RFC 8058).
    """
    try:
        async with request.form(max_files=10, max_fields=100) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except (HTTPException, FormParserError):
        return {}


def ticked(posted: Mapping[str, str], kind: str = MINE) -> list[str]:
    """The numbers of what somebody ticked, each by a box of its own, of one kind of box."""
    return [name.removeprefix(kind) for name in posted if name.startswith(kind)]


Posted = Annotated[Mapping[str, str], Depends(_posted)]
