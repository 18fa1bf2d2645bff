"""The page on which subscribers keep several interests apart, each with its share of a digest."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import interests
from paperpost.service.interests import (
    LEAST_REST,
    LONGEST_NAME,
    MOST_NAMED,
    MOST_SHARE,
    Change,
    Interests,
)
from paperpost.service.wishes import InvalidWish, terms
from paperpost.store.named_interests import KINDS, Terms
from paperpost.store.tables import InterestKind
from paperpost.web.forms import Posted, ticked
from paperpost.web.meanwhile import CONFLICT, SEEN, ChangedMeanwhile, meant, seen
from paperpost.web.own import OWN, Mine, Own
from paperpost.web.render import READ

router = APIRouter()

# A field's name is one of these and the number of its interest, 0 for the general rest.
LISTS = {
    "keywords-": InterestKind.KEYWORD,
    "authors-": InterestKind.AUTHOR,
    "categories-": InterestKind.CATEGORY,
}
NAME, SHARE, REMOVE = "name-", "share-", "remove-"
# What a new one begins with.
FIRST_SHARE = 30


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar that shows the split, in hundredths of its width."""

    name: str
    start: int
    width: int


@router.api_route(f"{OWN}/interests", methods=READ)
def page(mine: Mine) -> HTMLResponse:
    """The interests, with their terms and shares."""
    return _page(mine)


@router.post(f"{OWN}/interests")
def act(mine: Mine, posted: Posted) -> HTMLResponse:
    """Save, move a term, or add an interest; posted as they stand the forms change nothing."""
    try:
        match posted.get("action", ""):
            case "save":
                done = _save(mine, posted)
            case "move":
                done = _move(mine, posted)
            case "add":
                done = _add(mine, posted)
            case _:
                raise InvalidWish("the form did not say what to do")
    except InvalidWish as error:
        return _page(mine, posted=posted, problem=str(error))
    except ChangedMeanwhile as error:
        own = interests.interests(mine.site.installation, mine.number)
        problem = error.said(_values(own), _labels(own, posted))
        return _page(mine, posted=error.typed, problem=problem, status=CONFLICT)
    return _page(mine, done=done)


def _save(mine: Own, posted: Mapping[str, str]) -> str:
    here, number = mine.site.installation, mine.number
    own = interests.interests(here, number)
    typed = meant(posted, _shown(own))
    changes: dict[int | None, Change] = {
        one.number: _change(typed, one.number) for one in own.named
    }
    changes[None] = Change(terms=_lists(typed, 0))
    interests.change(here, number, changes)
    gone = ticked(posted, REMOVE)
    removed = [interests.remove(here, number, n.number) for n in own.named if str(n.number) in gone]
    if not removed:
        return "Saved."
    names = ", ".join(one.name for one in removed)
    return f"Saved. Removed: {names}. What belonged to it is general now."


def _change(posted: Mapping[str, str], number: int) -> Change:
    share = posted.get(f"{SHARE}{number}")
    return Change(
        name=posted.get(f"{NAME}{number}"),
        share=None if share is None else _share(share),
        terms=_lists(posted, number),
    )


def _lists(posted: Mapping[str, str], number: int) -> Terms:
    """The lists of an interest that were posted; one that is missing stays as it is."""
    return {
        kind: terms(posted[f"{field}{number}"]) or ()
        for field, kind in LISTS.items()
        if f"{field}{number}" in posted
    }


def _share(text: str) -> int:
    number = text.strip()
    if not number.isascii() or not number.isdigit() or len(number) > len(str(MOST_SHARE)):
        raise InvalidWish(f"a share is a number from 1 to {MOST_SHARE}, not {number[:20]!r}")
    return int(number)


def _move(mine: Own, posted: Mapping[str, str]) -> str:
    name, _, value = posted.get("term", "").partition(":")
    target = posted.get("to", "")
    kind = next((kind for kind in KINDS if kind.value == name), None)
    if kind is None or not target.isascii() or not target.isdigit() or len(target) > 9:
        raise InvalidWish("choose what to move, and where to")
    interests.move(mine.site.installation, mine.number, kind, value, int(target) or None)
    return f"Moved: {value}."


def _add(mine: Own, posted: Mapping[str, str]) -> str:
    name, share = posted.get("name", ""), _share(posted.get("share", ""))
    wanted = {InterestKind.KEYWORD: terms(posted.get("keywords", "")) or ()}
    interests.add(mine.site.installation, mine.number, name, share, wanted)
    return f"Added: {' '.join(name.split())}."


def _page(
    mine: Own,
    *,
    posted: Mapping[str, str] | None = None,
    done: str = "",
    problem: str = "",
    status: int = 400,
) -> HTMLResponse:
    """`status` is of a page that tells of a problem."""
    own = interests.interests(mine.site.installation, mine.number)
    return mine.page(
        "interests.html",
        status=status if problem else 200,
        tab="/interests",
        own=own,
        values=_values(own) | {SEEN: seen(_shown(own))} | dict(posted or {}),
        segments=_segments(own),
        movable=_movable(own),
        done=done,
        problem=problem,
        most_named=MOST_NAMED,
        most_share=MOST_SHARE,
        longest_name=LONGEST_NAME,
        least_rest=LEAST_REST,
    )


def _values(own: Interests) -> dict[str, str]:
    """What the fields hold before anyone types."""
    return {"name": "", "share": str(FIRST_SHARE), "keywords": ""} | _shown(own)


def _shown(own: Interests) -> dict[str, str]:
    """What the fields hold that say what belongs where."""
    values: dict[str, str] = {}
    for one in own.named:
        values |= {f"{NAME}{one.number}": one.name, f"{SHARE}{one.number}": str(one.share)}
    for number, own_terms in [(one.number, one.terms) for one in own.named] + [(0, own.general)]:
        for field, kind in LISTS.items():
            values[f"{field}{number}"] = "\n".join(own_terms.get(kind, ()))
    return values


def _labels(own: Interests, posted: Mapping[str, str]) -> dict[str, str]:
    """What to call the fields; those of an interest that is gone by the name it was posted with."""
    names = {f"{one.number}": one.name for one in own.named} | {"0": "General"}
    labels = {}
    for field in posted:
        kind, _, number = field.rpartition("-")
        name = names.get(number, posted.get(f"{NAME}{number}", ""))
        labels[field] = f"{kind} of “{name}”"
    return labels


def _segments(own: Interests) -> list[Segment]:
    names = [*(one.name for one in own.named), "General"]
    starts = [sum(own.percents[:place]) for place in range(len(own.percents))]
    return [Segment(*one) for one in zip(names, starts, own.percents, strict=True)]


def _movable(own: Interests) -> list[tuple[str, str]]:
    """Every term as the form names it, and as it is shown: with where it belongs."""
    homes = [*((one.name, one.terms) for one in own.named), ("General", own.general)]
    return [
        (f"{kind.value}:{value}", f"{value} ({home})")
        for home, own_terms in homes
        for kind in KINDS
        for value in own_terms.get(kind, ())
    ]
