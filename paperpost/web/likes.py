"""What Paperpost thinks a subscriber likes, as a picture, each part of which they may take out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import likes, own_votes
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


@router.api_route(f"{OWN}/likes", methods=READ)
def page(mine: Mine) -> HTMLResponse:
    """The words and papers that the profile is made of."""
    return _page(mine)


@router.post(f"{OWN}/likes")
def act(mine: Mine, posted: Posted) -> HTMLResponse:
    """Take out what is ticked, or undo that; without a tick nothing changes."""
    taken: Mapping[int, str] = {}
    done = ""
    try:
        if posted.get("action") == "take-back":
            chosen = ticked(posted, TAKE_BACK)
            taken = own_votes.take_back(mine.site.installation, mine.number, chosen)
        else:
            done = _acted(mine, posted)
    except (InvalidWish, NothingToTakeBack) as error:
        return _page(mine, problem=str(error))
    return _page(mine, taken=taken, done=done)


def _acted(mine: Own, posted: Mapping[str, str]) -> str:
    here, number = mine.site.installation, mine.number
    match posted.get("action", ""):
        case "forget":
            return _told("Forgotten", likes.forget(here, number, _ticked(posted, WORD)))
        case "mute":
            return _told("Muted", likes.mute(here, number, _ticked(posted, WORD)))
        case "drop":
            return _told("Taken out", _drop(mine, posted))
        case "remember":
            words = _ticked(posted, FORGOTTEN)
            back = likes.drop(here, number, InterestKind.FORGOTTEN, words)
            return _told("Counts again", back)
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


def _drop(mine: Own, posted: Mapping[str, str]) -> list[str]:
    _ticked(posted, *TYPED)
    return [
        value
        for box, kind in TYPED.items()
        if any(name.startswith(box) for name in posted)
        for value in likes.drop(mine.site.installation, mine.number, kind, _ticked(posted, box))
    ]


def _told(what: str, values: Sequence[str]) -> str:
    return f"{what}: {', '.join(values)}." if values else "That is so already."


def _page(
    mine: Own,
    *,
    taken: Mapping[int, str] | None = None,
    done: str = "",
    problem: str = "",
) -> HTMLResponse:
    shown = likes.likes(mine.site.installation, mine.person)
    return mine.page(
        "likes.html",
        status=400 if problem else 200,
        tab="/likes",
        shown=shown,
        groups=_groups(shown.papers, shown.groups),
        taken=taken or {},
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
