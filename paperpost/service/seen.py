"""Stored papers as the model sees them: those that were voted on are looked at whenever their
reader is, and counting words takes longest of all.

What the model has learnt of a paper is taken as it is, for as long as the paper has not changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.service.train import text_of
from paperpost.store import papers, snapshots
from paperpost.store.papers import Mark
from paperpost.store.tables import NEVER_ANNOUNCED, Paper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.model import Model


# A change is dated before it is stored, and whoever stores it may first wait for others: a training
# that begins meanwhile reads what was there before (store/postgresql.py says how long one waits).
_LATEST = timedelta(minutes=2)


@dataclass
class Places:
    """Where the papers that a model knows stand in it, by number; it learnt them from their texts
    as they were at the moment `read_at`."""

    model: Model
    places: Mapping[int, int]
    read_at: datetime
    _found: tuple[Mark, frozenset[int]] | None = None

    def of(self, session: Session, numbers: Collection[int]) -> dict[int, int]:
        """The place of each paper, -1 for one that the model does not know as it is now."""
        changed = self._changed(session)
        places = {number: self.places.get(number, -1) for number in numbers}
        return places | dict.fromkeys(changed & places.keys(), -1)

    def in_order(self, session: Session, numbers: Sequence[int]) -> NDArray[np.int32]:
        """The same of papers that stand once each, in their order."""
        import numpy as np

        return np.array(list(self.of(session, numbers).values()), dtype=np.int32)

    def _changed(self, session: Session) -> frozenset[int]:
        """The numbers of papers that have changed since then; asked for again if any has."""
        mark, found = papers.mark(session), self._found
        if found is None or found[0] != mark:
            found = self._found = mark, papers.changed_since(session, self.read_at)
        return found[1]


@dataclass(frozen=True, slots=True)
class Voted:
    """Papers that were voted on, in the order of their numbers; `names` are their ids by number."""

    batch: Batch
    names: Mapping[int, str]


def voted_on(
    installation: Installation, session: Session, model: Model, numbers: Collection[int]
) -> Voted:
    """The papers of these numbers as the model sees them."""
    import numpy as np

    from recommender.seen import interleaved

    places = places_in(installation, session, model).of(session, sorted(numbers))
    texts = papers.by_number(session, [number for number, place in places.items() if place < 0])
    # What went while it was read is in neither.
    found = [number for number, place in places.items() if place >= 0 or number in texts]
    is_known = np.array([places[number] >= 0 for number in found], dtype=np.bool_)
    learnt = model.seen(np.array([places[number] for number in found], np.int32)[is_known])
    others = [texts[number] for number in found if places[number] < 0]
    batch = interleaved(learnt, batch_of(installation, model, others), is_known)
    return Voted(batch, {one: paper.id for one, paper in zip(found, batch.papers, strict=True)})


def places_in(installation: Installation, session: Session, model: Model) -> Places:
    """Where papers stand in this model."""
    known = installation.slot.places  # others may put there those of another model at any time
    if known is None or known.model is not model:
        known = installation.slot.places = _read_places(installation, session, model)
    return known


def _read_places(installation: Installation, session: Session, model: Model) -> Places:
    number = installation.slot.snapshot_of(model)
    snapshot = None if number is None else snapshots.by_number(session, number)
    if snapshot is None:  # when its papers were read is not known
        return Places(model, {}, installation.clock())
    stored = papers.days(session)
    places = model.places([paper_id for _, paper_id, _ in stored]).tolist()
    numbers = (number for number, _, _ in stored)
    return Places(
        model,
        {number: place for number, place in zip(numbers, places, strict=True) if place >= 0},
        snapshot.trained_at - timedelta(seconds=snapshot.seconds) - _LATEST,
    )


def batch_of(installation: Installation, model: Model, papers: Collection[Paper]) -> Batch:
    """These papers as the model sees them. Public ones are kept; what only a reader's library tells
    of is not, so that it is gone when they are."""
    kept = installation.slot.seen
    if len(papers) > kept.most:  # of a block of many readers
        return model.batch([text_of(paper) for paper in papers])
    from recommender.seen import apart, together

    keys = {paper.id: (model.key, paper.id, paper.changed_at) for paper in papers}
    found = kept.find(keys.values())
    missing = [paper for paper in papers if keys[paper.id] not in found]
    new = apart(model.batch([text_of(paper) for paper in missing]))
    found |= {keys[one.paper.id]: one for one in new}
    public = [paper for paper in missing if paper.announced != NEVER_ANNOUNCED]
    kept.keep({keys[paper.id]: found[keys[paper.id]] for paper in public})
    return together(model, [found[key] for key in keys.values()])
