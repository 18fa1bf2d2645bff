"""Time zones as tests need them: those that differ in ten years, and when their clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)
STEP = timedelta(days=2)


@dataclass(frozen=True)
class Zone:
    """A zone, the names of others that are the same in these years, and its changes of clocks."""

    name: str
    others: tuple[str, ...]
    transitions: tuple[datetime, ...]


def transitions(name: str) -> Iterator[datetime]:
    """The instants, to the second, at which the zone's offset from UTC changes."""
    zone = ZoneInfo(name)
    before, offset = FIRST, FIRST.astimezone(zone).utcoffset()
    moment = FIRST
    while moment < LAST:
        moment += STEP
        if moment.astimezone(zone).utcoffset() != offset:
            yield _change(zone, before, moment)
            offset = moment.astimezone(zone).utcoffset()
        before = moment


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@cache
def zones() -> tuple[Zone, ...]:
    """Every zone of this machine; those that are the same in these years once."""
    alike: dict[object, list[str]] = {}
    for name in sorted(available_timezones()):
        changes = tuple(transitions(name))
        offsets = [moment.astimezone(ZoneInfo(name)).utcoffset() for moment in (FIRST, *changes)]
        alike.setdefault((changes, *offsets), []).append(name)
    return tuple(
        Zone(names[0], tuple(names[1:]), tuple(transitions(names[0]))) for names in alike.values()
    )
