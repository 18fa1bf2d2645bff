"""What a training learns from: papers, and votes as columns of numbers, within a bound of memory
and time whatever is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from paperpost.service.calibrate import calibrate
from paperpost.service.installation import Installation
from paperpost.service.look_back import FIRST_LOOK_BACK, MOST_CANDIDATES, days_before
from paperpost.store import lessons, papers
from paperpost.store.database import in_chunks
from paperpost.store.lessons import Words
from paperpost.store.votes import last_counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.calibration import Calibration
    from recommender.model import Model
    from recommender.text import Paper
    from recommender.votes import Votes

    Numbers = NDArray[np.int32]

# A model knows so many papers, 2.9 kB each in every process; others are folded in whenever they are
# needed.
MOST_KNOWN = 250_000


@dataclass(frozen=True, slots=True)
class Learnt:
    """A model, how many papers it knows, how many votes on them it learnt from, and the number up
    to which there is none left to learn from; 0 without any."""

    model: Model
    papers: int
    votes: int
    last_vote: int


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is stored: the numbers of the papers to know, the newest first, those of the last days,
    all votes that hold, and what came of what was mailed."""

    papers: Numbers
    recent: Numbers
    votes: Votes
    last_vote: int
    calibration: Calibration


def learn(installation: Installation) -> Learnt | None:
    """Fit a model on the stored papers and counted votes; None if there are no papers.

    What only a reader's own library tells of is left out, so that a model holds nothing of a
    reader.
    """
    import numpy as np

    lesson = _read(installation)
    if lesson is None:
        return None
    model, numbers = _fit(installation, lesson)
    known, more = list(numbers.tolist()), _others(installation, model, lesson, numbers)
    model = model.knowing(_counted(more, known))
    votes = lesson.votes.on(_array(known))
    model = model.with_votes(votes.matrix(len(known)))
    model = model.with_crowding(_array(np.flatnonzero(np.isin(known, lesson.recent))))
    model = replace(model, calibration=lesson.calibration)
    return Learnt(model, len(known), len(votes), lesson.last_vote)


def _read(installation: Installation) -> _Lesson | None:
    from recommender.sample import papers_to_fit

    now = installation.clock()
    with installation.database.reading() as session:
        stored = papers.days(session)
        if not stored:
            return None
        numbers = _newest_first(stored)
        last_vote = last_counted(session, now)  # before the votes, which go on coming
        votes = _votes(lessons.acts(session, now))
        kept = papers_to_fit(_votes_on(numbers, votes), MOST_KNOWN)
        return _Lesson(numbers[kept], _recent(stored), votes, last_vote, calibrate(session, now))


def _fit(installation: Installation, lesson: _Lesson) -> tuple[Model, Numbers]:
    """The model of the papers and readers that it is factorised from, and those papers' numbers."""
    from recommender import sample
    from recommender.model import Model

    most = sample.MOST_PAPERS
    chosen = lesson.papers[sample.papers_to_fit(_votes_on(lesson.papers, lesson.votes), most)]
    texts = _texts(installation, chosen.tolist(), set())
    numbers = _array([one.number for one in texts])
    votes = lesson.votes.on(numbers)
    who, cast = votes.voters
    readers = who[sample.readers_to_fit(who, cast, sample.MOST_READERS)]
    installation.say(f"training on {len(texts):,} papers and {len(readers):,} readers' votes")
    matrix, say = votes.of(readers).matrix(len(texts)), installation.say
    return Model.fit_votes(_papers(texts), matrix, progress=say, neighbours=False), numbers


def _others(
    installation: Installation, model: Model, lesson: _Lesson, fitted: Numbers
) -> Iterator[tuple[list[int], Batch]]:
    """The other papers as the model sees them, and their numbers, part by part."""
    import numpy as np

    from recommender.sample import PART

    others, ids = lesson.papers[~np.isin(lesson.papers, fitted)], set(model.paper_ids)
    if len(others):
        installation.say(f"folding in {len(others):,} papers")
    for chunk in in_chunks(others.tolist(), PART):
        texts = _texts(installation, chunk, ids)
        yield [one.number for one in texts], model.batch(_papers(texts))


def _texts(installation: Installation, numbers: Sequence[int], ids: set[str]) -> list[Words]:
    """The texts of papers in that order, but for those whose ids were met: papers may be merged
    while they are read, and an id come again under another number. The ids are met then."""
    with installation.database.reading() as session:
        by_id = {one.id: one for one in lessons.words(session, numbers) if one.id not in ids}
    ids |= by_id.keys()
    found = {one.number: one for one in by_id.values()}
    return [found[number] for number in numbers if number in found]


def _counted(parts: Iterator[tuple[list[int], Batch]], known: list[int]) -> Iterator[Batch]:
    """The batches, whose papers' numbers are added to those that are known."""
    for numbers, batch in parts:
        known += numbers
        yield batch


def _recent(stored: Sequence[tuple[int, str, date]]) -> Numbers:
    """The newest of the last days, as of the newest paper: candidates of tomorrow's digests, and
    of first ones."""
    newest = max(day for _, _, day in stored)
    first = days_before(newest, FIRST_LOOK_BACK)
    return _newest_first([row for row in stored if row[2] >= first])[:MOST_CANDIDATES]


def _newest_first(stored: Sequence[tuple[int, str, date]]) -> Numbers:
    ordered = sorted(stored, key=lambda row: row[2], reverse=True)
    return _array([number for number, _, _ in ordered])


def _votes(parts: Iterator[Sequence[Sequence[int]]]) -> Votes:
    import numpy as np

    from recommender.votes import Votes

    columns = [np.zeros((0, 3), dtype=np.int32)]
    for part in parts:
        flat = np.fromiter(chain.from_iterable(part), dtype=np.int32, count=3 * len(part))
        columns.append(flat.reshape(-1, 3))
    readers, numbers, values = np.concatenate(columns).T
    return Votes.holding(readers, numbers, values.astype(np.float32))


def _votes_on(numbers: Numbers, votes: Votes) -> Numbers:
    import numpy as np

    return np.bincount(votes.on(numbers).papers, minlength=len(numbers)).astype(np.int32)


def _papers(texts: Sequence[Words]) -> list[Paper]:
    from recommender.text import Paper

    return [Paper(one.id, one.title, one.abstract, tuple(one.authors)) for one in texts]


def _array(numbers: Sequence[int] | NDArray[np.intp]) -> Numbers:
    import numpy as np

    return np.array(numbers, dtype=np.int32)
