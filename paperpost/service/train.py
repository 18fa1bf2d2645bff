"""Fitting the model on what is stored, and finding the current one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from paperpost.service.calibrate import calibrate
from paperpost.service.installation import Installation
from paperpost.store import papers, snapshots, subscribers, votes
from paperpost.store.tables import InterestKind, Paper, Snapshot, Vote

if TYPE_CHECKING:
    from recommender.calibration import Calibration
    from recommender.model import Model
    from recommender.profile import Interests, Reader
    from recommender.text import Paper as Text

# How often a process looks whether another one has trained a newer model.
LOOK_EVERY = timedelta(seconds=30)
# The space is fitted on this many of the newest papers and on all that were voted on; older
# ones are folded in when they are needed.
NEWEST = 60_000
KEEP_SNAPSHOTS = 3


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training saw and took, and the snapshot's file name."""

    papers: int
    votes: int
    seconds: float
    file: str


def train(installation: Installation) -> Trained | None:
    """Fit the model on the stored papers and counted votes; None if there are no papers."""
    started = time.perf_counter()
    lesson = _lesson(installation)
    if lesson is None:
        return None
    model, now = _fit(installation, lesson), installation.clock()
    name = f"model-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}.npz"
    _write(installation, model, name)
    snapshot = Snapshot(
        file=name,
        trained_at=now,
        papers=len(lesson.papers),
        votes=sum(len(own) for own in lesson.votes.values()),
        seconds=time.perf_counter() - started,
    )
    with installation.database.writing() as session:
        snapshots.add(session, snapshot)
    slot = installation.slot
    slot.model, slot.snapshot_id, slot.looked_at = model, snapshot.id, now
    _drop_old_snapshots(installation)
    return Trained(snapshot.papers, snapshot.votes, snapshot.seconds, name)


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a training reads."""

    papers: list[Paper]
    votes: Mapping[int, Mapping[int, Vote]]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    calibration: Calibration


def _lesson(installation: Installation) -> _Lesson | None:
    now = installation.clock()
    with installation.database.reading() as session:
        counted = votes.counted(session, now)
        voted = {number for own in counted.values() for number in own}
        stored = papers.newest(session, NEWEST, voted)
        if not stored:
            return None
        wishes = subscribers.interests(session, list(counted))
        return _Lesson(stored, _on(stored, counted), wishes, calibrate(session, counted, now))


def _on(
    stored: Iterable[Paper], cast: Mapping[int, Mapping[int, Vote]]
) -> dict[int, dict[int, Vote]]:
    """The votes on these papers: not those on what only a reader's own library tells of. A model
    learns nothing from that, so that it holds nothing of a reader."""
    known = {papers.number_of(paper) for paper in stored}
    return {
        subscriber_id: {number: vote for number, vote in own.items() if number in known}
        for subscriber_id, own in cast.items()
    }


def _fit(installation: Installation, lesson: _Lesson) -> Model:
    from recommender.model import Model

    names = {papers.number_of(paper): paper.id for paper in lesson.papers}
    readers = [
        reader_of(subscriber_id, lesson.wishes.get(subscriber_id, {}), own.values(), names)
        for subscriber_id, own in sorted(lesson.votes.items())
    ]
    installation.say(
        f"training on {len(lesson.papers):,} papers and {len(readers):,} readers' votes"
    )
    texts = [text_of(paper) for paper in lesson.papers]
    model = Model.fit(texts, readers, progress=installation.say)
    return replace(model, calibration=lesson.calibration)


def _write(installation: Installation, model: Model, name: str) -> None:
    folder = installation.settings.models_folder
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / name)


def _drop_old_snapshots(installation: Installation) -> None:
    with installation.database.writing() as session:
        old = snapshots.older_than(session, KEEP_SNAPSHOTS)
        for snapshot in old:
            (installation.settings.models_folder / snapshot.file).unlink(missing_ok=True)
        snapshots.forget(session, [snapshot.id for snapshot in old if snapshot.id is not None])


def current_model(installation: Installation) -> Model | None:
    """The newest model; trained now if there is none or its file is broken, which is said.

    None only where there is nothing to train on.
    """
    slot, now = installation.slot, installation.clock()
    if slot.looked_at is not None and abs(now - slot.looked_at) < LOOK_EVERY:
        return slot.model
    with installation.database.reading() as session:
        newest = snapshots.current(session)
    if newest is None:
        installation.say("there is no model yet: training one")
        train(installation)
    elif newest.id != slot.snapshot_id:
        _load(installation, newest)
    slot.looked_at = now
    return slot.model


def _load(installation: Installation, newest: Snapshot) -> None:
    """Load the current snapshot. If its file is broken, or on another machine, it is made again
    here under the same name: a new row would send the other machines to train as well."""
    from recommender.errors import SnapshotError
    from recommender.model import Model

    slot = installation.slot
    try:
        slot.model = Model.load(installation.settings.models_folder / newest.file)
    except SnapshotError as error:
        installation.say(f"{error}: training again")
        lesson = _lesson(installation)
        if lesson is None:
            return
        slot.model = _fit(installation, lesson)
        _write(installation, slot.model, newest.file)
    slot.snapshot_id = newest.id


def model_at_hand(installation: Installation) -> Model | None:
    """The newest model that can be read, for a page: nothing is trained, and while one visitor
    has it loaded the others do with the older one, or none."""
    slot, now = installation.slot, installation.clock()
    if not slot.one_loads.acquire(blocking=False):
        return slot.model
    try:
        if slot.page_looked_at is None or abs(now - slot.page_looked_at) >= LOOK_EVERY:
            slot.page_looked_at = now
            _load_if_it_can_be_read(installation)
        return slot.model
    finally:
        slot.one_loads.release()


def _load_if_it_can_be_read(installation: Installation) -> None:
    slot = installation.slot
    with installation.database.reading() as session:
        newest = snapshots.current(session)
    if newest is None or newest.id == slot.snapshot_id:
        return
    from recommender.errors import SnapshotError
    from recommender.model import Model

    try:
        slot.model = Model.load(installation.settings.models_folder / newest.file)
        slot.snapshot_id = newest.id
    except SnapshotError as error:
        installation.say(f"{error}: pages show no similar papers until the next training")


def enough_has_changed(installation: Installation) -> bool:
    """Whether it is time to train again: a day has passed, or a twentieth of the papers or of
    the votes is new to the model (folding in serves the others well meanwhile)."""
    with installation.database.reading() as session:
        newest = snapshots.current(session)
        if newest is None:
            return papers.count(session) > 0
        now = installation.clock()
        new_papers = papers.count(session, added_after=newest.trained_at)
        new_votes = votes.count(session, now, counted_after=newest.trained_at)
        if now - newest.trained_at >= timedelta(days=1):
            return bool(new_papers or new_votes)
        return new_papers > newest.papers // 20 or new_votes > max(20, newest.votes // 20)


def text_of(paper: Paper) -> Text:
    """A stored paper as the recommender reads it."""
    from recommender.text import Paper as Text

    return Text(
        paper.id, paper.title, paper.abstract, tuple(paper.authors), tuple(paper.categories)
    )


def interests_of(wishes: Mapping[InterestKind, Iterable[str]]) -> Interests:
    """A subscriber's interests as the recommender reads them."""
    from recommender.profile import Interests

    return Interests(
        keywords=tuple(wishes.get(InterestKind.KEYWORD, ())),
        authors=tuple(wishes.get(InterestKind.AUTHOR, ())),
        categories=tuple(wishes.get(InterestKind.CATEGORY, ())),
        muted=tuple(wishes.get(InterestKind.MUTED, ())),
        forgotten=tuple(wishes.get(InterestKind.FORGOTTEN, ())),
    )


def reader_of(
    subscriber_id: int,
    wishes: Mapping[InterestKind, Iterable[str]],
    cast: Iterable[Vote],
    names: Mapping[int, str],
) -> Reader:
    """A subscriber as the recommender reads one: interests and votes, nothing else."""
    from recommender.profile import Reader
    from recommender.profile import Vote as Opinion

    opinions = (Opinion(names[vote.paper_number], vote.value) for vote in cast)
    return Reader(subscriber_id, interests_of(wishes), tuple(opinions))
