"""The page on which subscribers start from their own library, and take that back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from paperpost.service import library
from paperpost.service.library import LibraryIsFull, Taken
from paperpost.service.wishes import InvalidWish
from paperpost.web.guards.bodies import LARGEST_LIBRARY
from paperpost.web.own import OWN, Mine, Own
from paperpost.web.render import READ

router = APIRouter()

PASTED = "what you pasted"
MOST_LISTED = 500
# How the boxes beside suggested interests are named: this, and a number.
KEYWORD, AUTHOR = "keyword-", "author-"


@dataclass(frozen=True, slots=True)
class _Posted:
    """The text fields of a form, and its files as they were sent."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, bytes]] = ()


@router.api_route(f"{OWN}/library", methods=READ)
def page(mine: Mine) -> HTMLResponse:
    """How to begin, behind the link of any mail or a fresh one."""
    return _page(mine)


@router.post(f"{OWN}/library")
async def act(request: Request, mine: Mine) -> HTMLResponse:
    """Take a library in, follow what it suggests, or take it back."""
    # Whose link it is was asked before the form is read, which may be large.
    posted = await _read(request)
    return await run_in_threadpool(_act, mine, posted)


async def _read(request: Request) -> _Posted:
    try:
        async with request.form(max_files=1, max_fields=100, max_part_size=LARGEST_LIBRARY) as form:
            told = form.multi_items()
            files = [
                (value.filename or "a file", await value.read())
                for _, value in told
                if isinstance(value, UploadFile)
            ]
            fields = {name: value for name, value in told if isinstance(value, str)}
            return _Posted(fields, [(name, data) for name, data in files if data])
    except (HTTPException, FormParserError):
        return _Posted()


def _act(mine: Own, posted: _Posted) -> HTMLResponse:
    try:
        match posted.fields.get("action", ""):
            case "bring":
                return _page(mine, taken=_bring(mine, posted))
            case "follow":
                done = _follow(mine, posted.fields)
            case "take-back":
                done = _take_back(mine, posted.fields)
            case _:
                raise InvalidWish("the form did not say what to do")
    except (InvalidWish, LibraryIsFull) as error:
        return _page(mine, problem=str(error))
    return _page(mine, done=done)


def _bring(mine: Own, posted: _Posted) -> Taken:
    files = list(posted.files)
    pasted = posted.fields.get("works", "")
    if pasted.strip():
        files.append((PASTED, pasted.encode("utf-8", "replace")))
    if not files:
        raise InvalidWish("choose a file, or paste what you have")
    entries = chain.from_iterable(library.read(data, name) for name, data in files)
    return library.take_in(mine.site.installation, mine.number, entries)


def _follow(mine: Own, fields: Mapping[str, str]) -> str:
    keywords, authors = (_ticked(fields, kind) for kind in (KEYWORD, AUTHOR))
    if not keywords and not authors:
        raise InvalidWish("tick what you want to follow first, then press the button")
    added = library.follow(mine.site.installation, mine.number, keywords, authors)
    names = ", ".join((*added.keywords, *added.authors))
    return f"You follow now: {names}." if names else "You follow all of that already."


def _ticked(fields: Mapping[str, str], kind: str) -> list[str]:
    return [value for name, value in fields.items() if name.startswith(kind)]


def _take_back(mine: Own, fields: Mapping[str, str]) -> str:
    if fields.get("confirm") != "yes":  # programs submit forms as they are
        raise InvalidWish("tick “Yes, take them back” first, then press the button")
    taken = library.take_back(mine.site.installation, mine.number)
    return f"{taken:,} vote{'s' if taken != 1 else ''} of your library taken back."


def _page(
    mine: Own, *, taken: Taken | None = None, done: str = "", problem: str = ""
) -> HTMLResponse:
    return mine.page(
        "library.html",
        status=400 if problem else 200,
        tab="/library",
        votes=library.votes(mine.site.installation, mine.number),
        taken=taken,
        done=done,
        problem=problem,
        listed=MOST_LISTED,
        keyword=KEYWORD,
        author=AUTHOR,
    )
