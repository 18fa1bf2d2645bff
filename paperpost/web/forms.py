"""What a form posted, read so that nothing in it can fail."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException


async def _posted(request: Request) -> Mapping[str, str]:
    """The text fields of a body in either encoding; a broken body has none, files are left out.

    Mail programs post what they like to an unsubscribe link, and have to be obeyed (RFC 8058).
    """
    try:
        async with request.form(max_files=10, max_fields=100) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except (HTTPException, FormParserError):
        return {}


Posted = Annotated[Mapping[str, str], Depends(_posted)]
