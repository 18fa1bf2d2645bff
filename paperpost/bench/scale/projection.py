"""What ten times as many would need, reckoned from what one of the largest measured size took."""

from collections.abc import Iterator

from paperpost.bench.report import number
from paperpost.bench.scale.measured import Measured, Measurements
from paperpost.bench.scale.watching import OURS, SERVER
from paperpost.service.compose import BLOCK

SUBSCRIBERS = 10_000_000
# A morning is over after so long; mails may take as long as people in one part of the world sleep.
_HOURS_TO_COMPOSE, _HOURS_TO_SEND = 1, 6
# Digests are looked through for so many days (service/copies.py).
_DAYS_KEPT = 60
_HOUR = 3_600
_GIGABYTE = 1e9

Row = tuple[str, str, str]


def projected(found: Measurements) -> list[Row]:
    """What, how it is reckoned, and what comes of it; without what was not measured."""
    rows: list[Row] = []
    fill, digest, send = map(found.largest, ("fill", "digest", "send"))
    if digest:
        rows += _composing(digest)
    if fill and digest:
        rows += _storing(fill, digest)
    if send and send.done.seconds > 0:
        rows += _sending(send)
    return rows


def _composing(digest: Measured) -> Iterator[Row]:
    each = {
        name: seconds / digest.done.number * 1e3
        for name, seconds in digest.usage.processors.items()
        if name in (*OURS, SERVER)
    }
    total = 0.0
    for name, milliseconds in each.items():
        hours = milliseconds * SUBSCRIBERS / 1e3 / _HOUR
        total += hours
        told = f"{number(milliseconds)} ms for each of {SUBSCRIBERS:,}"
        yield f"processor hours a day, {name}", told, number(hours)
    told = f"{number(total)} hours ÷ {_HOURS_TO_COMPOSE}"
    without = "" if SERVER in each else f", {SERVER}'s not among them"
    yield f"cores to be ready within {_HOURS_TO_COMPOSE} hour{without}", told, number(total)
    told = f"{SUBSCRIBERS:,} ÷ {BLOCK}"
    yield "blocks that one leader hands out", told, number(SUBSCRIBERS // BLOCK)


def _storing(fill: Measured, digest: Measured) -> Iterator[Row]:
    once = fill.usage.grown / fill.done.number
    yield (
        "GB of subscribers, interests, votes and one day's digests",
        f"{number(once / 1e3)} kB for each of {SUBSCRIBERS:,}",
        number(once * SUBSCRIBERS / _GIGABYTE),
    )
    daily = digest.usage.grown / digest.done.number
    yield (
        "GB that are new each day",
        f"{number(daily / 1e3)} kB for each of {SUBSCRIBERS:,}",
        number(daily * SUBSCRIBERS / _GIGABYTE),
    )
    kept = daily * SUBSCRIBERS * _DAYS_KEPT / _GIGABYTE
    yield f"GB of {_DAYS_KEPT} days", f"{_DAYS_KEPT} times the line above", number(kept)


def _sending(send: Measured) -> Iterator[Row]:
    speed = send.done.number / send.done.seconds
    needed = SUBSCRIBERS / (_HOURS_TO_SEND * _HOUR)
    yield (
        f"mails a second, to be done in {_HOURS_TO_SEND} hours",
        f"{SUBSCRIBERS:,} ÷ {_HOURS_TO_SEND * _HOUR:,} s",
        number(needed),
    )
    yield (
        "of what two processes of `send` handed over to a server that takes everything",
        f"{number(needed)} ÷ {number(speed)}",
        number(needed / speed),
    )
