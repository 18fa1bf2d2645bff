"""Working through all subscribers in this process, block by block."""

from collections import Counter
from datetime import date
from threading import Event

from paperpost.service.compose import compose_date, compose_due
from paperpost.service.installation import Installation


def compose_all_due(installation: Installation, stop: Event) -> Counter[str]:
    """Compose every digest that is due by the clock, until none is left or `stop` is set."""
    total: Counter[str] = Counter()
    while not stop.is_set():
        counts = compose_due(installation)
        total += counts
        if not counts or set(counts) == {"overtaken"}:  # the other process has them
            break
    return total


def compose_all_of(
    installation: Installation, on: date | None, only: str | None = None
) -> Counter[str]:
    """Compose the digests dated `on` for everyone who gets one that day; what stays "overtaken"
    has no digest for that date, because other processes were faster again and again."""
    total: Counter[str] = Counter()
    for counts in compose_date(installation, on, only):
        total += counts
        if only is None:
            installation.say(f"{sum(total.values()):,} subscribers ranked")
    return total
