"""How probable a vote up is here: the curve fitted to what subscribers did with mailed papers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.store import digests, votes
from paperpost.store.library import ORIGIN
from paperpost.store.tables import Vote
from paperpost.store.votes import RATING

if TYPE_CHECKING:
    from recommender.calibration import Calibration

# Readers change, and so does the model that scores for them.
LOOK_BACK = timedelta(days=90)
# A mail is given time to be read before its silence says anything.
TIME_TO_VOTE = timedelta(days=2)
# Who cast no vote for so long before and after a mail may not have read it, and then nothing is
# known of its papers. To ask for a vote on that very mail would leave out those that pleased
# nobody, and tell too much of the others.
AROUND = timedelta(days=14)
# Enough for two numbers, and for the memory of a small machine.
MOST_DIGESTS = 5_000


def calibrate(session: Session, now: datetime) -> Calibration:
    """The curve for this installation, from the votes that hold.

    A paper that was mailed counts as liked if a vote up on it holds; a score of another version
    of the blend and a paper that was shown because it trends, to somebody of whom nothing was
    known, say nothing.
    """
    from recommender.blend import BLEND
    from recommender.calibration import Calibration

    mailed = digests.sent(session, now - LOOK_BACK, now - TIME_TO_VOTE, MOST_DIGESTS)
    cast = votes.counted(session, now, {digest.subscriber_id for digest in mailed})
    casts = {number: _when_cast(own) for number, own in cast.items()}
    observed = [
        (item["score"], _is_liked(cast[digest.subscriber_id], item["paper"]))
        for digest in mailed
        if _is_any_near(casts.get(digest.subscriber_id, ()), digest.due_at)
        for item in digest.items
        if item.get("blend") == BLEND and not item["trending"]
    ]
    return Calibration.fitted([score for score, _ in observed], [liked for _, liked in observed])


def _when_cast(own: Mapping[int, Vote]) -> list[datetime]:
    """When somebody voted, who may have read their mail then: a library is brought, and papers are
    rated, without it."""
    return sorted(vote.cast_at for vote in own.values() if vote.origin not in (ORIGIN, RATING))


def _is_liked(own: Mapping[int, Vote], paper_number: int) -> bool:
    vote = own.get(paper_number)
    return vote is not None and vote.value > 0


def _is_any_near(casts: Sequence[datetime], moment: datetime) -> bool:
    """Whether the first one that is not too early is not too late; they are in order."""
    first = bisect_left(casts, moment - AROUND)
    return first < len(casts) and casts[first] <= moment + AROUND
