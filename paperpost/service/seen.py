"""Papers that were voted on, as the model sees them: they are looked at whenever their reader is,
and counting their words takes longest of all."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from paperpost.service.installation import Installation
from paperpost.service.train import text_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper

if TYPE_CHECKING:
    from recommender.batch import Batch
    from recommender.model import Model


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
