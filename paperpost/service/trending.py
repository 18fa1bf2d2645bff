"""Which papers trend: for lists, and for a digest of whom nothing is known."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.store import papers, votes
from recommender.trending import FEWEST, Trend, Upvotes, Votes, trend

DAY = timedelta(days=1)
# These take some hundredths of a second to weigh.
MANY_VOTES = 5_000


@dataclass(frozen=True, slots=True)
class Board:
    """What trends in some days, by number, and those numbers, the most trending first; `votes` are
    all that were weighed for it, at `seen_at`."""

    trends: Mapping[int, Trend]
    best: tuple[int, ...]
    votes: int
    seen_at: datetime

    @property
    def is_cheap(self) -> bool:
        """Whether it is found while a page waits."""
        return self.votes < MANY_VOTES


def board(installation: Installation, first: date, last: date) -> Board:
    """What trends of the papers announced from `first` to `last`, both included; where many votes
    are cast, as it was up to a minute ago or when somebody looked last."""
    now, elsewhere = installation.clock(), installation.settings.upvotes

    def look() -> Board:
        with installation.database.reading() as session:
            return weigh(session, first, last, now, elsewhere=elsewhere)

    return installation.slot.boards.get((first, last), now, look)


def weigh(session: Session, first: date, last: date, now: datetime, *, elsewhere: bool) -> Board:
    """The papers announced from `first` to `last`, both included, that trend.

    Half of a vote's weight is gone after half of these days. Votes count as they hold `now`, but
    are looked at from the end of `last`: otherwise none would weigh anything in days long past.
    Upvotes count only if those from `elsewhere` are to.
    """
    seen_from = min(now, datetime.combine(last, time.max, UTC))
    half_life = ((last - first).days + 1) / 2
    cast: dict[int, list[Votes]] = defaultdict(list)
    # Votes of a twelfth of the half-life are counted together: 6 % of a weight, and fewer rows.
    for some in votes.by_time(session, first, last, now, half_life * DAY / 12):
        cast[some.paper_number].append(Votes((seen_from - some.begin) / DAY, some.ups, some.downs))
    upvoted = papers.upvoted(session, first, last, FEWEST) if elsewhere else []
    given = {number: Upvotes(count, (seen_from - since) / DAY) for number, count, since in upvoted}
    found = {
        number: trend(cast[number], given.get(number, Upvotes()), half_life)
        for number in sorted(cast.keys() | given.keys())
    }
    trending = {number: one for number, one in found.items() if one.score > 0}
    return Board(
        trends=trending,
        best=tuple(sorted(trending, key=lambda number: (-trending[number].score, number))),
        votes=sum(some.ups + some.downs for own in cast.values() for some in own),
        seen_at=now,
    )


def voted_up(readers: int) -> str:
    """How many did, in words; fewer than three are never told."""
    return f"{readers} readers voted this up"


def counts(found: Trend, discussed: int | None) -> tuple[str, ...]:
    """What was counted, in words; beside the upvotes the comments that stand there."""
    told = []
    if found.readers:
        told.append(voted_up(found.readers))
    if found.upvotes:
        comments = "1 comment" if discussed == 1 else f"{discussed} comments"
        also = f", {comments}" if discussed else ""
        told.append(f"{found.upvotes} upvotes{also} on Hugging Face")
    return tuple(told)
