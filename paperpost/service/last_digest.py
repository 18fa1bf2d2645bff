"""What a subscriber's last digest was: for the page on which they choose what is mailed."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from paperpost.service.wishes import percent
from paperpost.store import digests


@dataclass(frozen=True, slots=True)
class LastDigest:
    """If the newest digest had no papers: its date, and why. And of the newest one that has papers:
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
    silent = newest is not None and bool(newest[0].silence)
    mailed = digests.newest(session, subscriber_id, papers=True) if silent else newest
    items = mailed[0].items if mailed is not None else []
    return LastDigest(
        silent_on=newest[0].local_date if newest is not None and silent else None,
        silence=newest[0].silence if newest is not None else "",
        chances=tuple(percent(item["probability"]) or 0 for item in items if "probability" in item),
    )
