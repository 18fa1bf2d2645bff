"""What is wrong now, as sentences without anybody's address: for `status`, the operator's page and
its twin alike."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from paperpost.service import alarm
from paperpost.service.discretion import discreet
from paperpost.service.doctor import home, work
from paperpost.service.doctor.checks import gathered
from paperpost.service.installation import Installation
from paperpost.service.silence import at, could_not_be_read
from paperpost.service.standing import Standing
from paperpost.store import papers, snapshots

# Whoever works asks each source every six hours at the latest (fetch.py).
ASKED_LATELY = timedelta(hours=7)


def wrong(installation: Installation, asked: Sequence[Standing]) -> list[str]:
    """What an alarm would tell now but for mails that were lost; sources that failed just now or
    that nobody asks, given how they stand; what is missing; and what doctor's quickest checks
    object to."""
    now = installation.clock()
    with installation.database.reading() as session:
        found = [
            *(could_not_be_read(one) for one in asked if one.failed),
            *not_asked(asked, now),
            *(trouble.sentence for trouble in alarm.standing(session, asked, now)),
            *_missing(session),
        ]
    return list(dict.fromkeys([*found, *_objections(installation)]))


def not_asked(asked: Sequence[Standing], now: datetime) -> Iterator[str]:
    """Sources that nobody ever asked, or not for longer than whoever works leaves them alone."""
    for one in asked:
        if one.asked_at is None:
            yield f"{one.name} was never asked: {_IS_RUNNING}"
        elif now - one.asked_at > ASKED_LATELY:
            yield f"{one.name} was last asked on {at(one.asked_at)}: {_IS_RUNNING}"


_IS_RUNNING = "is `paperpost serve` (without --web-only) or `work` running?"


def _missing(session: Session) -> Iterator[str]:
    if papers.newest_day(session) is None:
        yield "no papers yet: run `paperpost fetch` or `paperpost import`"
    elif snapshots.current(session) is None:
        yield "nothing was learnt from the papers yet: run `paperpost train`, `serve` or `work`"


def _objections(installation: Installation) -> list[str]:
    looks = {
        "disk": partial(home.disk, installation.settings),
        "key": partial(home.key, installation),
        "digests": partial(work.digests, installation),
        "throttle": partial(work.throttled, installation),
    }
    found = gathered(looks.items(), at_once=1)
    return [f"{one.name}: {discreet(one.detail)}" for one in found if one.state != "ok"]
