"""What Paperpost thinks a subscriber likes, as ranking sees it, and how they set it right.

A word that votes brought in is forgotten: it counts for nothing in the profile from then on
(recommender/forgetting.py), and papers with it still come, unlike those with a muted word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mailer.plain import readable
from paperpost.service.installation import Installation
from paperpost.service.interests import parts
from paperpost.service.seen import batch_of
from paperpost.service.train import interests_of, model_at_hand, reader_of
from paperpost.service.wishes import MOST_TERMS, InvalidWish, terms
from paperpost.store import named_interests, papers, subscribers, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import NEVER_ANNOUNCED, InterestKind, Paper, Subscriber, Vote

if TYPE_CHECKING:
    from recommender.portrait import Portrait

# What the interests are called together that belong to none with a name.
GENERAL = "General"
# Of somebody with more votes these newest ones are shown, so that nobody waits.
MOST_VOTES = 200


@dataclass(frozen=True, slots=True)
class LikedWord:
    """A word of the profile: `percent` is its weight beside the strongest one's; `liked` is how
    many liked papers brought it in, where it is no keyword, which the subscriber typed."""

    name: str
    is_keyword: bool
    percent: int
    liked: int


@dataclass(frozen=True, slots=True)
class LikedPaper:
    """A liked paper, and where it is on the map (0 to 1 from the left and from the top). `id` is
    None for what only the subscriber's own library tells of, which has no page."""

    number: int
    id: str | None
    title: str
    x: float
    y: float
    group: int
    cast_at: datetime


@dataclass(frozen=True, slots=True)
class Likes:
    """What the profile says: the strongest words; the liked papers that carry it most, by group,
    of all `votes_up`; the groups' names, empty for what has none. `newest_alone` is how many votes
    were looked at, if not all. `has_model` is false before
    anything was trained, and then there are neither words nor papers."""

    words: tuple[LikedWord, ...]
    papers: tuple[LikedPaper, ...]
    groups: tuple[str, ...]
    votes_up: int
    newest_alone: int | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    muted: tuple[str, ...]
    forgotten: tuple[str, ...]
    has_model: bool


def likes(installation: Installation, person: Subscriber) -> Likes:
    """What the subscriber's profile says now, from their votes and interests. Changes nothing."""
    number, now = id_of(person), installation.clock()
    with installation.database.reading() as session:
        wishes = subscribers.interests(session, [number])[number]
        named = named_interests.of_subscribers(session, [number]).get(number, [])
        cast = votes.counted(session, now, [number]).get(number, {})
        newest = dict(list(cast.items())[-MOST_VOTES:])
        voted = papers.by_number(session, newest)
    model = model_at_hand(installation)
    seen = None
    if model is not None:
        from recommender.portrait import portrait

        names = {key: paper.id for key, paper in voted.items()}
        apart = parts(wishes, named) if named else []
        seen = portrait(
            model,
            reader_of(number, wishes, newest.values(), names),
            batch_of(installation, model, list(voted.values())),
            [(one.name or GENERAL, interests_of(one.terms)) for one in apart if len(apart) > 1],
        )
    return Likes(
        words=_words(seen),
        papers=_papers(seen, voted, cast),
        groups=() if seen is None else seen.groups,
        votes_up=sum(vote.value > 0 for vote in cast.values()),
        newest_alone=len(newest) if len(newest) < len(cast) else None,
        authors=tuple(wishes.get(InterestKind.AUTHOR, ())),
        categories=tuple(wishes.get(InterestKind.CATEGORY, ())),
        muted=tuple(wishes.get(InterestKind.MUTED, ())),
        forgotten=tuple(wishes.get(InterestKind.FORGOTTEN, ())),
        has_model=model is not None,
    )


def _words(seen: Portrait | None) -> tuple[LikedWord, ...]:
    return tuple(
        LikedWord(word.name, word.is_keyword, round(100 * word.strength), word.liked)
        for word in (seen.words if seen else ())
    )


def _papers(
    seen: Portrait | None, voted: Mapping[int, Paper], cast: Mapping[int, Vote]
) -> tuple[LikedPaper, ...]:
    by_id = {paper.id: (number, paper) for number, paper in voted.items()}
    found = []
    for liked in seen.papers if seen else ():
        number, paper = by_id[liked.paper_id]
        found.append(
            LikedPaper(
                number=number,
                id=None if paper.announced == NEVER_ANNOUNCED else paper.id,
                title=readable(paper.title),
                x=liked.x,
                y=liked.y,
                group=liked.group,
                cast_at=cast[number].cast_at,
            )
        )
    return tuple(found)


def follow(installation: Installation, subscriber_id: int, words: Sequence[str]) -> tuple[str, ...]:
    """Have papers with these words, or near to them, come; those that are new. Raises InvalidWish
    for too many."""
    return add(installation, subscriber_id, InterestKind.KEYWORD, words)


def forget(installation: Installation, subscriber_id: int, words: Sequence[str]) -> tuple[str, ...]:
    """Have words count for nothing where votes brought them in; those that are new. Raises
    InvalidWish for too many."""
    return add(installation, subscriber_id, InterestKind.FORGOTTEN, words)


def mute(installation: Installation, subscriber_id: int, words: Sequence[str]) -> tuple[str, ...]:
    """Leave papers with these words out from now on; those that are new. Raises InvalidWish for
    too many."""
    return add(installation, subscriber_id, InterestKind.MUTED, words)


def drop(
    installation: Installation, subscriber_id: int, kind: InterestKind, values: Collection[str]
) -> tuple[str, ...]:
    """Remove what a subscriber asked for, of one kind; those that were there. Of the forgotten
    words this is the undo."""
    with installation.database.writing() as session:
        subscribers.take_turns(session, subscriber_id)
        own = subscribers.interests(session, [subscriber_id])[subscriber_id].get(kind, [])
        left = [value for value in own if value not in values]
        subscribers.set_interests(session, subscriber_id, {kind: left})
        return tuple(value for value in own if value in values)


def add(
    installation: Installation, subscriber_id: int, kind: InterestKind, values: Sequence[str]
) -> tuple[str, ...]:
    """Have a subscriber ask for this as well, of one kind; what is new. Raises InvalidWish for too
    many."""
    with installation.database.writing() as session:
        subscribers.take_turns(session, subscriber_id)
        own = subscribers.interests(session, [subscriber_id])[subscriber_id].get(kind, [])
        new = tuple(value for value in terms(values) or () if value not in own)
        if len(own) + len(new) > MOST_TERMS:
            raise InvalidWish(f"at most {MOST_TERMS} of a kind, not {len(own) + len(new)}")
        subscribers.set_interests(session, subscriber_id, {kind: (*own, *new)})
        return new
