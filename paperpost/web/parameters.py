"""What an address says of a page: a number, a date. Whatever else stands there is no address."""

from datetime import date

from fastapi import HTTPException


def date_of(text: str) -> date:
    """A date that is a part of an address."""
    try:
        return typed_date(text)
    except ValueError:
        raise HTTPException(404) from None


def typed_date(text: str) -> date:
    """A date in its one spelling here: Python reads others too (20260401, 2026-W14-3). Raises
    ValueError."""
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(f"another spelling of {found}: {text!r}")
    return found


def page_number(text: str) -> int:
    """The number of a page, from 1 on."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) > 0):
        raise HTTPException(404)
    return int(text)
