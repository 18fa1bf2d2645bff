"""Who subscribes: interests, hours, time zones, and those who are not mailed today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from paperpost.bench.invented import CATEGORIES, SEED, tastes
from paperpost.bench.scale.copying import Connection, copy_rows, indexes_afterwards, number_after
from paperpost.bench.scale.wording import DAY, Wording, author
from paperpost.store.tables import InterestKind, SubscriberState
from recommender.matrices import Integers

# So many come for a hundred who are mailed each day.
_OTHERS = {"weekly": 0.03, "unsubscribed": 0.02, "paused": 0.01, "suppressed": 0.005}
_JOINED_WITHIN = 500 * DAY
_DOMAINS = 500
_TIMEZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")
_SHARES_OF_TIMEZONES = (0.4, 0.2, 0.2, 0.1, 0.1)
_MOST_KEYWORDS = 5
_SHARES = {"author": 0.1, "category": 0.1, "muted": 0.05, "threshold": 0.05, "revisions": 0.02}
_AUTHORS_KNOWN = 3_000
_SUBSCRIBER = (
    "id",
    "email",
    "state",
    "timezone",
    "hour",
    "size",
    "frequency",
    "paused_until",
    "joined_at",
    "confirmed_at",
    "left_at",
    "next_due_at",
    "digest_count",
    "threshold",
    "revisions",
    "suppressed_at",
    "suppressed_because",
)


@dataclass(frozen=True)
class Readers:
    """`mailed` subscribers who get a digest each day, and some others among them; numbered from 1
    in the order in which they joined."""

    mailed: int
    now: datetime

    @cached_property
    def kinds(self) -> npt.NDArray[np.str_]:
        """Whether each is mailed daily, or why not."""
        others = {kind: round(self.mailed * share) for kind, share in _OTHERS.items()}
        kinds = np.repeat(["daily", *others], [self.mailed, *others.values()])
        return self._chance(0).permutation(kinds)

    @property
    def number(self) -> int:
        return len(self.kinds)

    @cached_property
    def topics(self) -> Integers:
        """What each is most interested in."""
        return tastes(self.number, self._chance(1))

    @cached_property
    def joined(self) -> npt.NDArray[np.float64]:
        """When each joined, as a timestamp; the last ones today."""
        ago = _JOINED_WITHIN.total_seconds() * (1 - np.arange(self.number) / self.number)
        return self.now.timestamp() - ago

    @property
    def with_digest(self) -> int:
        """How many of them, the first, were there for yesterday's digest."""
        return int(np.searchsorted(self.joined, (self.now - DAY).timestamp()))

    def add(self, connection: Connection, wording: Wording) -> None:
        """Into empty tables."""
        with indexes_afterwards(connection, ["subscriber", "interest"]):
            copy_rows(connection, "subscriber", _SUBSCRIBER, self._people())
            columns = ("subscriber_id", "kind", "value")
            copy_rows(connection, "interest", columns, self._interests(wording))
        number_after(connection, "subscriber", "id")

    def _chance(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng((SEED, purpose))

    def _people(self) -> Iterator[list[object]]:
        rng = self._chance(2)
        zones = rng.choice(_TIMEZONES, self.number, p=_SHARES_OF_TIMEZONES).tolist()
        chances = rng.random((self.number, 2)).tolist()
        hours = rng.integers(4, 21, self.number).tolist()
        kinds, joined = self.kinds.tolist(), self.joined.tolist()
        paused, later = (self.now + 9 * DAY).date(), self.now + timedelta(hours=12)
        for place in range(self.number):
            kind, number = kinds[place], place + 1
            since = datetime.fromtimestamp(joined[place], UTC).isoformat()
            gone = kind == "unsubscribed"
            yield [
                number,
                f"reader{number}@university{number % _DOMAINS}.example",
                SubscriberState.UNSUBSCRIBED if gone else SubscriberState.ACTIVE,
                zones[place],
                hours[place],
                10,
                "weekly" if kind == "weekly" else "daily",
                paused if kind == "paused" else None,
                since,
                since,
                self.now.isoformat() if gone else None,
                None if gone else later.isoformat(),
                int(place < self.with_digest),
                0.05 if chances[place][0] < _SHARES["threshold"] else None,
                chances[place][1] < _SHARES["revisions"],
                self.now.isoformat() if kind == "suppressed" else None,
                "the mailbox does not exist" if kind == "suppressed" else None,
            ]

    def _interests(self, wording: Wording) -> Iterator[tuple[int, str, str]]:
        rng = self._chance(3)
        sizes = rng.integers(1, _MOST_KEYWORDS + 1, self.number).tolist()
        chances = rng.random((self.number, 4)).tolist()
        for place, topic in enumerate(self.topics.tolist()):
            number, (follows, likes, mutes, which) = place + 1, chances[place]
            for word in wording.keywords(topic, sizes[place], rng):
                yield number, InterestKind.KEYWORD, word
            if follows < _SHARES["author"]:
                yield number, InterestKind.AUTHOR, author(int(which * _AUTHORS_KNOWN))
            if likes < _SHARES["category"]:
                yield number, InterestKind.CATEGORY, CATEGORIES[int(which * len(CATEGORIES))]
            if mutes < _SHARES["muted"]:
                words = wording.language.topics[topic]
                yield number, InterestKind.MUTED, wording.words[words[int(which * len(words))]]
