"""Runs over all subscribers, by whatever engine."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from threading import Event

from paperpost.engine.embedded import EMBEDDED
from paperpost.engine.engine import Block, Engine
from paperpost.engine.jobs import ComposeDate, ComposeDue
from paperpost.service.compose import BLOCK, compose_date
from paperpost.service.installation import Installation
from paperpost.store import subscribers


def compose_all_of(
    installation: Installation,
    on: date | None,
    only: str | None = None,
    *,
    engine: Engine = EMBEDDED,
) -> Counter[str]:
    """Compose the digests dated `on` for everyone who gets one that day; what stays "overtaken"
    has no digest for that date, because other processes were faster again and again.

    One subscriber's is composed here, whatever the engine.
    """
    if only is not None:
        return sum(compose_date(installation, on, only), Counter())
    total: Counter[str] = Counter()
    job = ComposeDate(on, installation.clock())
    for counts in engine.each(installation, job, active_blocks(installation), Event()):
        total += counts
        installation.say(f"{total.total():,} subscribers ranked")
    return total


def compose_all_due(
    installation: Installation, stop: Event, engine: Engine = EMBEDDED
) -> Counter[str]:
    """Compose every digest that is due by the clock, the longest waiting first, until none is left
    or `stop` is set. Who was overtaken stays due."""
    now = installation.clock()
    blocks = _due_blocks(installation, now)
    return sum(engine.each(installation, ComposeDue(now), blocks, stop), Counter())


def active_blocks(installation: Installation) -> Iterator[Block]:
    """The active subscribers' numbers, the newest first: who has just joined has a week of
    candidates, which take longest to make ready. One worker does while the others have enough to
    do."""
    before = None
    while True:
        with installation.database.reading() as session:
            numbers = subscribers.active_numbers(session, before, BLOCK)
        if not numbers:
            return
        yield numbers
        before = numbers[-1]


def _due_blocks(installation: Installation, now: datetime) -> Iterator[Block]:
    """The numbers of who is due by then, each of them once: they stay due while others compose."""
    last = None
    while True:
        with installation.database.reading() as session:
            due = subscribers.due(session, now, BLOCK, after=last)
        if not due:
            return
        yield [number for _, number in due]
        last = due[-1]
