"""One model for all of a run, whichever process does which part of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from paperpost.errors import PaperpostError
from paperpost.service.installation import Current, Installation
from paperpost.service.train import current_model, drop_other_copies, load_snapshot
from paperpost.store import snapshots


class NoSuchSnapshot(PaperpostError):
    """A run's snapshot is not there any more."""


@contextmanager
def one_model(installation: Installation) -> Iterator[int | None]:
    """Until the end everything is ranked by what the current model is now. Gives its snapshot's
    number; None where there is nothing to train on."""
    slot = installation.slot
    current_model(installation)
    slot.pinned = slot.current
    try:
        yield None if slot.pinned is None else slot.pinned.snapshot_id
    finally:
        slot.pinned = None


def rank_by(installation: Installation, snapshot_id: int) -> bool:
    """Rank by that snapshot from now on, as another process has begun to; nothing is trained.
    Whether it had to be loaded.

    Raises NoSuchSnapshot, NoSharedFolder, or SnapshotError when it cannot be read.
    """
    slot = installation.slot
    if slot.pinned is not None and slot.pinned.snapshot_id == snapshot_id:
        return False
    with installation.database.reading() as session:
        snapshot = snapshots.by_number(session, snapshot_id)
    if snapshot is None:
        raise NoSuchSnapshot(f"the model's snapshot {snapshot_id} was dropped during the run")
    slot.pinned = slot.current = Current(load_snapshot(installation, snapshot), snapshot_id)
    drop_other_copies(installation)
    return True
