"""The lists of those who keep several interests apart, by the shares of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paperpost.service.interests import parts
from paperpost.service.train import interests_of
from paperpost.store.named_interests import Named
from paperpost.store.tables import InterestKind, Subscriber

if TYPE_CHECKING:
    from recommender.divided import Divided
    from recommender.profile import Reader
    from recommender.rank import Ranked


def divided(
    person: Subscriber,
    reader: Reader,
    wishes: Mapping[InterestKind, Sequence[str]],
    named: Sequence[Named],
    whole: Sequence[Ranked],
    limit: int | None,
) -> Divided | None:
    """A subscriber as the recommender divides their list; None for a single interest.

    `whole` is their list as if they had but one: of it only the paper that ends it from outside
    their usual is taken. `limit` replaces their own digest size and threshold.
    """
    own = parts(wishes, named) if named else []
    if len(own) < 2:
        return None
    from recommender.divided import Divided, Part

    return Divided(
        reader,
        tuple(Part(one.name, one.share, interests_of(one.terms)) for one in own),
        size=limit or person.size,
        threshold=0.0 if limit else person.threshold or 0.0,
        outside=next((one for one in whole if one.explored), None),
    )
