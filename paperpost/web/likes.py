"""What Paperpost thinks a subscriber likes, as a picture, each part of which they may take out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import interests, likes, own_votes
from paperpost.service.likes import LikedPaper
from paperpost.service.own_votes import NothingToTakeBack
from paperpost.service.wishes import InvalidWish
from paperpost.store.tables import InterestKind
from paperpost.web.forms import TAKE_BACK, Posted, ticked
from paperpost.web.own import OWN, Mine, Own
from paperpost.web.render import READ

router = APIRouter()

# How the boxes beside words are named: this, and a number; the word is their value.
WORD = "word-"
# The boxes beside what somebody typed, by what it is.
TYPED = {
    "keyword-": InterestKind.KEYWORD,
    "author-": InterestKind.AUTHOR,
    "category-": InterestKind.CATEGORY,
}
FORGOTTEN = "forgotten-"
MUTED = "muted-"
# The map, in units of its picture: about the pixels that a phone has.
WIDTH, HEIGHT, MARGIN = 340, 220, 16


@dataclass(frozen=True, slots=True)
class Group:
    """Liked papers that belong together, where each is on the map, and where their name is."""

    name: str
    papers: tuple[LikedPaper, ...]
    points: tuple[tuple[float, float], ...]
    name_x: float
    name_y: float


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words, and the form that undoes it: its action and fields."""

    text: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@router.api_route(f"{OWN}/likes", methods=READ)
def page(mine: Mine) -> HTMLResponse:
    """The words and papers that the profile is made of."""
    return _page(mine)


@router.post(f"{OWN}/likes")
def act(mine: Mine, posted: Posted) -> HTMLResponse:
    """Take out what is ticked, or undo that; without a tick nothing changes."""
    try:
        return _page(mine, done=_acted(mine, posted))
    except (InvalidWish, NothingToTakeBack) as error:
        return _page(mine, problem=str(error))


def _acted(mine: Own, posted: Mapping[str, str]) -> Done:
    here, number = mine.site.installation, mine.number
    match posted.get("action", ""):
        case "forget":
            words = likes.forget(here, number, _ticked(posted, WORD))
            return _told("Forgotten", words, "remember", _boxes(FORGOTTEN, words))
        case "mute":
            words = likes.mute(here, number, _ticked(posted, WORD))
            return _told("Muted", words, "unmute", _boxes(MUTED, words))
        case "drop":
            return _drop(mine, posted)
        case "take-back":
            taken = own_votes.take_back(here, number, ticked(posted, TAKE_BACK))
            fields = dict.fromkeys((f"{TAKE_BACK}{paper}" for paper in taken), "yes")
            return Done(f"Taken back: {'; '.join(taken.values())}.", "put-back", fields)
        case _:
            return Done(_undone(mine, posted))


def _undone(mine: Own, posted: Mapping[str, str]) -> str:
    here, number = mine.site.installation, mine.number
    match posted.get("action", ""):
        case "remember":
            words = _ticked(posted, FORGOTTEN)
            return _said("Counts again", likes.drop(here, number, InterestKind.FORGOTTEN, words))
        case "unmute":
            words = _ticked(posted, MUTED)
            return _said("Not muted any more", likes.drop(here, number, InterestKind.MUTED, words))
        case "restore":
            return _said("There again", _restore(mine, posted))
        case "put-back":
            count = own_votes.put_back(here, number, ticked(posted, TAKE_BACK))
            return f"{count} vote{'s' if count != 1 else ''} put back."
    raise InvalidWish("the form did not say what to do")


def _ticked(posted: Mapping[str, str], *boxes: str) -> list[str]:
    """What stands beside the ticked boxes of these kinds. Raises InvalidWish if none is."""
    values = [value for name, value in posted.items() if name.startswith(boxes)]
    if not values:
        raise InvalidWish("tick what you mean, then press the button")
    return values


def _drop(mine: Own, posted: Mapping[str, str]) -> Done:
    _ticked(posted, *TYPED)
    here, number = mine.site.installation, mine.number
    named = interests.interests(here, number).named
    fields: dict[str, str] = {}
    for box, kind in TYPED.items():
        homes = {value: one.number for one in named for value in one.terms.get(kind, ())}
        if any(name.startswith(box) for name in posted):
            for value in likes.drop(here, number, kind, _ticked(posted, box)):
                fields[f"{box}{len(fields)}-{homes.get(value, 0)}"] = value
    return _told("Taken out", list(fields.values()), "restore", fields)


def _restore(mine: Own, posted: Mapping[str, str]) -> list[str]:
    """Have again what was taken out, in the named interest that it belonged to; the names of the
    boxes end with its number, or 0."""
    here, number = mine.site.installation, mine.number
    named = {str(one.number): one.number for one in interests.interests(here, number).named}
    back: list[str] = []
    _ticked(posted, *TYPED)
    for box, kind in TYPED.items():
        homes = {text: name for name, text in posted.items() if name.startswith(box)}
        for value in likes.add(here, number, kind, list(homes)):
            back.append(value)
            home = homes.get(value, "").rpartition("-")[2]
            if home in named:
                interests.move(here, number, kind, value, named[home])
    return back


def _boxes(kind: str, values: Sequence[str]) -> dict[str, str]:
    return {f"{kind}{place}": value for place, value in enumerate(values)}


def _told(what: str, values: Sequence[str], undo: str, fields: Mapping[str, str]) -> Done:
    return Done(_said(what, values), undo if values else "", fields)


def _said(what: str, values: Sequence[str]) -> str:
    return f"{what}: {', '.join(values)}." if values else "That is so already."


def _page(
    mine: Own,
    *,
    done: Done | None = None,
    problem: str = "",
) -> HTMLResponse:
    shown = likes.likes(mine.site.installation, mine.person)
    return mine.page(
        "likes.html",
        status=400 if problem else 200,
        tab="/likes",
        shown=shown,
        groups=_groups(shown.papers, shown.groups),
        take_back=TAKE_BACK,
        done=done,
        problem=problem,
        width=WIDTH,
        height=HEIGHT,
    )


def _groups(papers: Sequence[LikedPaper], names: Sequence[str]) -> list[Group]:
    members = [tuple(one for one in papers if one.group == n) for n in range(len(names))]
    return [_group(name, own) for name, own in zip(names, members, strict=True) if own]


def _group(name: str, papers: tuple[LikedPaper, ...]) -> Group:
    points = tuple(
        (_on(one.x, WIDTH, MARGIN), _on(one.y, HEIGHT - MARGIN, 2 * MARGIN)) for one in papers
    )
    middle = sum(x for x, _ in points) / len(points)
    # Half a name's width from either side, so that it stays in the picture.
    half = min(3.2 * len(name), WIDTH / 2)
    return Group(
        name,
        papers,
        points,
        round(min(max(middle, half), WIDTH - half), 1),
        round(min(y for _, y in points) - 8, 1),
    )


def _on(share: float, length: int, margin: int) -> float:
    return round(margin + share * (length - margin - MARGIN), 1)
