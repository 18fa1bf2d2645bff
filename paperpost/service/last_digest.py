"""What a subscriber's last digest was: for the page on which they choose what is mailed."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from paperpost.service.wishes import percent
from paperpost.store import digests
from paperpost.store.tables import DeliveryState


@dataclass(frozen=True, slots=True)
class LastDigest:
    """If the newest digest was silent: its date, and why. And of the newest one that has papers:
    how probably each was liked, in per cent and in order of rank; none where that is not known.
    """

    silent_on: date | None
    silence: str
    chances: tuple[int, ...]

    def reaching(self, threshold: int) -> int:
        """How many of the papers would reach a threshold in per cent."""
        return sum(chance >= threshold for chance in self.chances)


def last_digest(session: Session, subscriber_id: int) -> LastDigest:
    """The last digest of a subscriber, who may have had none."""
    newest = digests.newest(session, subscriber_id)
    silent = newest is not None and newest[1].state == DeliveryState.SILENT
    mailed = digests.newest(session, subscriber_id, mailed=True) if silent else newest
    items = mailed[0].items if mailed is not None else []
    return LastDigest(
        silent_on=newest[0].local_date if newest is not None and silent else None,
        silence=newest[1].reply if newest is not None and silent else "",
        chances=tuple(percent(item["probability"]) or 0 for item in items if "probability" in item),
    )
