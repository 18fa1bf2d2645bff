"""Fitting the model on what is stored, and finding the current one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from paperpost.errors import PaperpostError
from paperpost.service import snapshot_store
from paperpost.service.installation import Current, Installation
from paperpost.service.lesson import learn
from paperpost.service.snapshot_store import NoSharedFolder
from paperpost.store import papers, snapshots, votes
from paperpost.store.snapshots import number_of
from paperpost.store.tables import InterestKind, Paper, Snapshot, Vote

if TYPE_CHECKING:
    from recommender.errors import SnapshotError
    from recommender.model import Model
    from recommender.profile import Interests, Reader
    from recommender.text import Paper as Text

# How often a process looks whether another one has trained a newer model.
LOOK_EVERY = timedelta(seconds=30)
RETRY_EVERY = timedelta(minutes=10)
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
    snapshot_store.require_place(installation)
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
        last_vote=learnt.last_vote,
        seconds=time.perf_counter() - started,
    )
    with installation.database.writing() as session:
        snapshots.add(session, snapshot)
    _drop_old_snapshots(installation)
    # As the others have it: from the file, where it takes no memory of this process's own.
    _take(installation, snapshot)
    installation.slot.looked_at = now
    return Trained(snapshot.papers, snapshot.votes, snapshot.seconds, name)


def _drop_old_snapshots(installation: Installation) -> None:
    with installation.database.writing() as session:
        old = snapshots.newest_first(session)[KEEP_SNAPSHOTS:]
        snapshots.forget(session, [number_of(snapshot) for snapshot in old])
        kept = snapshots.files(session)
    snapshot_store.keep_only(installation, kept)


def current_model(installation: Installation) -> Model | None:
    """The newest model that can be read here; one is trained now if there is none, which is said.

    None only where there is nothing to train on. Raises NoSharedFolder or NewerSnapshot where there
    is no model and no reason to train one for everybody either.
    """
    slot, now = installation.slot, installation.clock()
    if slot.pinned is not None:
        return slot.pinned.model
    if slot.looked_at is not None and abs(now - slot.looked_at) < LOOK_EVERY:
        return slot.model
    if not _went_over(installation):
        _train_unless_another_does(installation)
    slot.looked_at = now
    return slot.model


def _train_unless_another_does(installation: Installation) -> None:
    """Have a model where none can be read: one process trains, and the others wait for it."""
    while True:
        with installation.database.lock("train").held() as ours:
            if _went_over(installation):
                return
            if ours:
                is_first = _newest(installation) is None
                why = "there is no model yet" if is_first else "no model can be read"
                installation.say(f"{why}: training {'one' if is_first else 'again'}")
                _train(installation)
                return
        Event().wait(_LOOK_SECONDS)


def _went_over(installation: Installation) -> bool:
    """Go over to the newest snapshot that can be read, or go on with the model at hand. Whether
    there is one.

    Raises NoSharedFolder or NewerSnapshot if there is none and that is why.
    """
    from recommender.errors import NewerSnapshot

    slot, others = installation.slot, None
    with installation.database.reading() as session:
        stored = snapshots.newest_first(session)
    for snapshot in stored:
        if slot.current is not None and slot.current.snapshot_id == snapshot.id:
            return True
        error = _tried(installation, snapshot)
        if error is None:
            return True
        if isinstance(error, (NoSharedFolder, NewerSnapshot)):
            others = others or error
        if isinstance(error, NoSharedFolder):
            break  # the others lie there as well
    if slot.current is None and others is not None:
        raise others
    return slot.current is not None


def _tried(installation: Installation, snapshot: Snapshot) -> NoSharedFolder | SnapshotError | None:
    """Go over to a snapshot; else why it cannot be read, which is said once. One that is broken is
    tried again after RETRY_EVERY: to get it may take long."""
    from recommender.errors import NewerSnapshot, SnapshotError

    slot, now, number = installation.slot, installation.clock(), number_of(snapshot)
    if number in slot.unreadable:
        tried_at, known = slot.unreadable[number]
        if isinstance(known, NewerSnapshot) or abs(now - tried_at) < RETRY_EVERY:
            return known
    try:
        _go_over(installation, snapshot)
    except NoSharedFolder as error:
        if not slot.folder_is_missed:
            installation.say(str(error))
        slot.folder_is_missed = True
        return error
    except SnapshotError as error:
        installation.say(str(error))
        slot.unreadable[number] = now, error.with_traceback(None)
        return error
    slot.folder_is_missed = False
    return None


def _newest(installation: Installation) -> Snapshot | None:
    with installation.database.reading() as session:
        return snapshots.current(session)


def _go_over(installation: Installation, snapshot: Snapshot) -> None:
    """Load a snapshot and drop those of this machine that nobody goes back to. Raises
    NoSharedFolder, or SnapshotError if it cannot be read."""
    _take(installation, snapshot)
    drop_other_copies(installation)


def drop_other_copies(installation: Installation) -> None:
    """Keep no copy on this machine of a snapshot that is stored no more."""
    with installation.database.reading() as session:
        kept = snapshots.files(session)
    snapshot_store.keep_only_here(installation, kept)


def _take(installation: Installation, snapshot: Snapshot) -> None:
    model = load_snapshot(installation, snapshot)
    installation.slot.current = Current(model, number_of(snapshot))


def load_snapshot(installation: Installation, snapshot: Snapshot) -> Model:
    """The model of a stored snapshot; NoSharedFolder or SnapshotError when it cannot be read."""
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
    if newest is None or (slot.current and slot.current.snapshot_id == newest.id):
        return
    if slot.current is None:
        _go_over_if_one_can_be_read(installation)
        return
    slot.loading = Thread(
        target=_go_over_if_one_can_be_read, args=(installation,), name="loading", daemon=True
    )
    slot.loading.start()


def _go_over_if_one_can_be_read(installation: Installation) -> None:
    from recommender.errors import SnapshotError

    try:
        if not _went_over(installation):
            installation.say("pages show no similar papers until the next training")
    except (SnapshotError, PaperpostError) as error:
        none = installation.slot.current is None
        what = "show no similar papers" if none else "go on with the older model"
        installation.say(f"{error}: pages {what} until one can be read")


def enough_has_changed(installation: Installation) -> bool:
    """Whether it is time to train again: a day has passed, or a twentieth of the papers or of
    the votes is new to the model (folding in serves the others well meanwhile)."""
    with installation.database.reading() as session:
        newest = snapshots.current(session)
        if newest is None:
            return papers.count(session) > 0
        now, enough = installation.clock(), max(20, newest.votes // 20) + 1
        new_papers = papers.count(session, added_after=newest.trained_at)
        is_told = newest.last_vote is not None  # else a version before this one trained it
        new_votes = votes.count_later(session, now, newest.last_vote or 0, most=enough)
        if now - newest.trained_at >= timedelta(days=1):
            return bool(new_papers or new_votes)
        return new_papers > newest.papers // 20 or (is_told and new_votes >= enough)


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
