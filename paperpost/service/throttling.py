"""How much a domain gets whose server said "too much".

Gmail asks for this after 4.7.28: stop for ten minutes, go on over one connection, then add one
connection at a time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from paperpost.store.tables import Throttle

CLOSED_FOR = timedelta(minutes=10)
ONE_MORE_EVERY = timedelta(minutes=1)
# More connections than this nobody opens: the domain is like any other again.
FORGOTTEN_AFTER = 32 * ONE_MORE_EVERY


def connections(closed_until: datetime, now: datetime) -> int:
    """How many connections a domain may have."""
    return 0 if now < closed_until else 1 + (now - closed_until) // ONE_MORE_EVERY


def closed(throttles: Iterable[Throttle], now: datetime) -> dict[str, Throttle]:
    """The throttled domains that get nothing now."""
    return {one.domain: one for one in throttles if connections(one.closed_until, now) == 0}
