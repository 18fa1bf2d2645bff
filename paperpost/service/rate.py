"""Rating: papers that a subscriber is asked about before many votes of theirs are known.

The papers are of the newest days, and public. An answer is a vote that counts at once, and its
paper is no candidate of their digests any more, for they have seen it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.browse import PaperView, view_of
from paperpost.service.installation import Installation
from paperpost.service.look_back import days_before
from paperpost.service.seen import batch_of, places_in
from paperpost.service.train import model_at_hand, reader_of
from paperpost.service.vote import VALUES
from paperpost.service.window import Window, window_of_days
from paperpost.store import digests, library, papers, subscribers, votes
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, Subscriber

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.model import Model
    from recommender.profile import Profiles

ASKED = 10
# The newest days that hold enough papers together, but none that is older.
LOOK_BACK = timedelta(days=14)
ENOUGH = 1_500
# Of somebody with more votes the newest say what to ask about.
MOST_VOTES = 200
LEADING = 5
ANSWERS = ("up", "down")


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a subscriber could be asked about, and who they are, as the recommender sees both.

    `allowed` (1 x papers) leaves out what they were mailed, voted on or collected.
    """

    model: Model
    window: Window
    batch: Batch
    profiles: Profiles
    allowed: NDArray[np.bool_]


def questions_for(
    installation: Installation, person: Subscriber, without: Collection[str] = ()
) -> tuple[PaperView, ...]:
    """Up to ASKED papers whose ratings would teach most about a subscriber: none that they were
    mailed, voted on, collected or muted, and none of those ids (`without`).

    The same until something changes; none where there are no papers or no model was trained.
    Changes nothing.
    """
    scene = _scene(installation, person, without)
    if scene is None:
        return ()
    from recommender.elicitation import questions

    (chosen,) = questions(
        scene.profiles,
        scene.batch,
        count=ASKED,
        allowed=scene.allowed,
        calibration=scene.model.calibration,
    )
    return _views(installation, scene, chosen)


def leading(
    installation: Installation, person: Subscriber, without: Collection[str] = ()
) -> tuple[PaperView, ...]:
    """The LEADING best of the same papers for a subscriber as things stand, best first, and none
    of those ids (`without`). Changes nothing."""
    scene = _scene(installation, person, without)
    if scene is None:
        return ()
    from recommender.rank import best

    found = best(scene.profiles, scene.batch, limit=LEADING, allowed=scene.allowed)
    return _views(installation, scene, found.of(0))


def answer(installation: Installation, number: int, answers: Mapping[str, str]) -> int:
    """Store what a subscriber answered, by paper id: "up" or "down"; anything else is no answer.
    How many papers were rated.

    Of more than ASKED answers the first count; names of what is no public paper are passed over.
    """
    given = [(name, said) for name, said in answers.items() if said in ANSWERS][:ASKED]
    now, rated = installation.clock(), set()
    with installation.database.writing() as session:
        subscribers.take_turns(session, number)
        for name, said in given:
            paper = papers.find_public(session, name)
            if paper is not None:
                rated.add(number_of(paper))
                _cast(session, number, paper, said, now)
    return len(rated)


def _cast(session: Session, number: int, paper: Paper, said: str, now: datetime) -> None:
    value, origin = VALUES[said], votes.RATING
    votes.cast(session, number, number_of(paper), value, origin=origin, now=now, counts_at=now)


def _scene(
    installation: Installation, person: Subscriber, without: Collection[str] = ()
) -> _Scene | None:
    ready = get_ready(installation)
    if ready is None:
        return None
    model, window, batch = ready
    number = id_of(person)
    with installation.database.reading() as session:
        cast = votes.counted(session, installation.clock(), [number]).get(number, {})
        seen = _seen(session, window, number) | cast.keys()
        newest = dict(list(cast.items())[-MOST_VOTES:])
        known = papers.by_number(session, newest)
        wishes = subscribers.interests(session, [number])[number]
    names = {one: paper.id for one, paper in known.items()}
    reader = reader_of(number, wishes, newest.values(), names)
    voted = batch_of(installation, model, list(known.values()))
    allowed = _allowed(window, seen, without)
    return _Scene(model, window, batch, model.profiles([reader], voted), allowed)


def get_ready(installation: Installation) -> tuple[Model, Window, Batch] | None:
    """The model and the papers that anybody may be asked about, also as it sees them, with all
    worked out that is the same for everybody; None where there are none. Raises TooBusy."""
    with installation.database.reading() as session:
        days = _days(session)
    model = model_at_hand(installation) if days else None
    if days is None or model is None:
        return None
    # One after the other: the first of a day works out what the others use.
    with installation.slot.one_previews, installation.database.reading() as session:
        window = window_of_days(installation, session, *days)
        batch = window.batch(session, places_in(installation, session, model))
        batch.get_ready()
    return model, window, batch


def _days(session: Session) -> tuple[date, date] | None:
    """The first and the last of the days whose papers may be asked about."""
    last = papers.newest_day(session)
    if last is None:
        return None
    first, held = last, 0
    oldest = days_before(last, LOOK_BACK)
    for day, count in papers.count_by_day(session, oldest, last):
        first, held = day, held + count
        if held >= ENOUGH:
            break
    return first, last


def _seen(session: Session, window: Window, number: int) -> set[int]:
    """The papers that a subscriber collected, rated or was mailed."""
    mailed = digests.mailed(session, [number], window.oldest_digest(session))
    return {
        *mailed.get(number, set()),
        *library.collected(session, [number])[number],
        *votes.papers_of(session, votes.RATING, [number])[number],
    }


def _allowed(window: Window, seen: Collection[int], without: Collection[str]) -> NDArray[np.bool_]:
    import numpy as np

    wanted = [
        number not in seen and paper.id not in without
        for number, paper in zip(window.columns, window.candidates, strict=True)
    ]
    return np.array([wanted], dtype=np.bool_)


def _views(
    installation: Installation, scene: _Scene, places: Sequence[int]
) -> tuple[PaperView, ...]:
    chosen = [scene.window.candidates[place] for place in places]
    with installation.database.reading() as session:
        totals = votes.tally(session, [number_of(one) for one in chosen], installation.clock())
    return tuple(view_of(installation, one, totals[number_of(one)]) for one in chosen)
