"""Fitting the model on what is stored, and finding the current one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from paperpost.service import snapshot_store
from paperpost.service.installation import Installation
from paperpost.service.lesson import learn
from paperpost.store import papers, snapshots, votes
from paperpost.store.database import StoreError
from paperpost.store.tables import InterestKind, Paper, Snapshot, Vote

if TYPE_CHECKING:
    from recommender.model import Model
    from recommender.profile import Interests, Reader
    from recommender.text import Paper as Text

# How often a process looks whether another one has trained a newer model.
LOOK_EVERY = timedelta(seconds=30)
KEEP_SNAPSHOTS = 3
# How often somebody who cannot go on without a model looks whether it is trained by now.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training saw and took, and the snapshot's file name."""

    papers: int
    votes: int
    seconds: float
    file: str


def train(installation: Installation) -> Trained | None:
    """Fit the model on the stored papers and counted votes; None if there are no papers.

    One process at a time does: this one waits until another has ended.
    """
    while True:
        with installation.database.lock("train").held() as ours:
            if ours:
                return _train(installation)
        Event().wait(_LOOK_SECONDS)


def _train(installation: Installation) -> Trained | None:
    started = time.perf_counter()
    learnt = learn(installation)
    if learnt is None:
        return None
    now = installation.clock()
    name = f"model-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    snapshot_store.save(installation, learnt.model, name)
    snapshot = Snapshot(
        file=name,
        trained_at=now,
        papers=learnt.papers,
        votes=learnt.votes,
        seconds=time.perf_counter() - started,
    )
    with installation.database.writing() as session:
        snapshots.add(session, snapshot)
    _drop_old_snapshots(installation)
    slot = installation.slot
    # As the others have it: from the file, where it takes no memory of this process's own.
    slot.model = load_snapshot(installation, snapshot)
    slot.snapshot_id, slot.looked_at = snapshot.id, now
    return Trained(snapshot.papers, snapshot.votes, snapshot.seconds, name)


def _drop_old_snapshots(installation: Installation) -> None:
    with installation.database.writing() as session:
        old = snapshots.older_than(session, KEEP_SNAPSHOTS)
        snapshots.forget(session, [snapshot.id for snapshot in old if snapshot.id is not None])
        kept = snapshots.files(session)
    snapshot_store.keep_only(installation, kept)


def current_model(installation: Installation) -> Model | None:
    """The newest model; trained now if there is none or its snapshot is broken, which is said.

    None only where there is nothing to train on.
    """
    slot, now = installation.slot, installation.clock()
    if slot.pinned is not None:
        return slot.pinned
    if slot.looked_at is not None and abs(now - slot.looked_at) < LOOK_EVERY:
        return slot.model
    newest = _newest(installation)
    if newest is None:
        installation.say("there is no model yet: training one")
        _train_unless_another_does(installation, None)
    elif newest.id != slot.snapshot_id and not _went_over(installation, newest):
        _train_unless_another_does(installation, newest.id)
    slot.looked_at = now
    return slot.model


def _train_unless_another_does(installation: Installation, broken: int | None) -> None:
    """Have a model in place of the newest one, which is broken or not there: one process trains,
    and the others go on with the older model, or wait for the new one if they have none."""
    while True:
        with installation.database.lock("train").held() as ours:
            newest = _newest(installation)
            if newest is not None and newest.id != broken:
                if _went_over(installation, newest):
                    return
                broken = newest.id
            elif ours:
                _train(installation)
                return
        if installation.slot.model is not None:
            return
        Event().wait(_LOOK_SECONDS)


def _went_over(installation: Installation, newest: Snapshot) -> bool:
    from recommender.errors import SnapshotError

    try:
        _go_over(installation, newest)
    except SnapshotError as error:
        installation.say(f"{error}: training again")
        return False
    return True


def _newest(installation: Installation) -> Snapshot | None:
    with installation.database.reading() as session:
        return snapshots.current(session)


def _go_over(installation: Installation, newest: Snapshot) -> None:
    """Load a snapshot and drop those of this machine that nobody goes back to. Raises SnapshotError
    if it cannot be read."""
    slot = installation.slot
    slot.model = load_snapshot(installation, newest)
    slot.snapshot_id = newest.id
    with installation.database.reading() as session:
        kept = snapshots.files(session)
    snapshot_store.keep_only_here(installation, kept)


def load_snapshot(installation: Installation, snapshot: Snapshot) -> Model:
    """The model of a stored snapshot; SnapshotError when it cannot be read."""
    return snapshot_store.load(installation, snapshot.file)


def model_at_hand(installation: Installation) -> Model | None:
    """The newest model that can be read, for a page: nothing is trained. The first one is loaded
    for a visitor who waits, and the others do without; a newer one beside the requests."""
    slot, now = installation.slot, installation.clock()
    if not slot.one_loads.acquire(blocking=False):
        return slot.model
    try:
        is_old = slot.page_looked_at is None or abs(now - slot.page_looked_at) >= LOOK_EVERY
        if is_old and (slot.loading is None or not slot.loading.is_alive()):
            slot.page_looked_at = now
            _look(installation)
        return slot.model
    finally:
        slot.one_loads.release()


def _look(installation: Installation) -> None:
    slot, newest = installation.slot, _newest(installation)
    if newest is None or newest.id == slot.snapshot_id:
        return
    if slot.model is None:
        _go_over_if_it_can_be_read(installation, newest)
        return
    slot.loading = Thread(
        target=_go_over_if_it_can_be_read, args=(installation, newest), name="loading", daemon=True
    )
    slot.loading.start()


def _go_over_if_it_can_be_read(installation: Installation, newest: Snapshot) -> None:
    from recommender.errors import SnapshotError

    try:
        _go_over(installation, newest)
    except (SnapshotError, StoreError) as error:
        none = installation.slot.model is None
        what = "show no similar papers" if none else "go on with the older one"
        installation.say(f"{error}: pages {what} until the next training")


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
