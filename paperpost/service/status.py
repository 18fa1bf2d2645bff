"""How the installation is doing, in one look."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from paperpost.service.bounce import SOFT_WINDOW
from paperpost.service.installation import Installation
from paperpost.service.standing import Standing, standings
from paperpost.service.wrong import wrong
from paperpost.store import bounces, digests, outbox, papers, snapshots, subscribers
from paperpost.store.database import StoreError

MOST_TOLD = 10
DAYS_TOLD = 5
# How far back silent digests are told.
RECENT = timedelta(days=2)


def status(installation: Installation) -> dict[str, Any]:
    """Papers, subscribers, last fetch and training, deliveries by state, and what is wrong."""
    with installation.database.reading() as session:
        asked = _standings(installation, session)
        report: dict[str, Any] = {
            "papers": _papers(session),
            "subscribers": subscribers.count_by_state(session),
            "runs": runs(session, asked),
            "sources": [source(one) for one in asked],
            "model": model(session),
            "deliveries": outbox.count_by_state(session),
            "silent": silent(session, installation.clock() - RECENT),
            "undelivered": _undelivered(session),
            "bounces": _bounces(session, installation.clock() - SOFT_WINDOW),
        }
    report |= {"ticks": _ticks(installation), "connected": installation.database.others()}
    return report | {"wrong": [*wrong(installation, asked), *_wrong_with_mail(report)]}


def is_healthy(installation: Installation) -> bool:
    """Whether the database answers and has its tables."""
    try:
        with installation.database.reading() as session:
            papers.newest_day(session)
    except StoreError:
        return False
    return True


def _ticks(installation: Installation) -> dict[str, str | None] | None:
    """Which process of those that share the database composes; None if none."""
    holder = installation.database.holder("tick")
    if holder is None:
        return None
    since = holder.since.astimezone(UTC).isoformat()
    return {"process": holder.process, "address": holder.address, "since": since}


def _papers(session: Session) -> dict[str, Any]:
    newest = papers.newest_day(session)
    return {"stored": papers.count(session), "newest_day": newest and newest.isoformat()}


def _standings(installation: Installation, session: Session) -> list[Standing]:
    return standings(session, installation.settings, installation.clock())


def runs(session: Session, sources: Sequence[Standing]) -> dict[str, str | None]:
    """When what is done again and again was done last."""
    model = snapshots.current(session)
    times = {
        "fetched_at": max((one.asked_at for one in sources if one.asked_at), default=None),
        "trained_at": None if model is None else model.trained_at,
        "composed_at": digests.last_composed(session),
        "sent_at": outbox.last_sent(session),
    }
    return {name: None if at is None else at.isoformat() for name, at in times.items()}


def source(one: Standing) -> dict[str, Any]:
    """How the last request ended, and how the last days stand, the newest first."""
    return {
        "source": one.name,
        "asked_at": one.asked_at and one.asked_at.isoformat(),
        "succeeded_at": one.succeeded_at and one.succeeded_at.isoformat(),
        "state": "never asked" if one.asked_at is None else "failed" if one.failed else "ok",
        "detail": one.detail,
        "days": [
            {
                "day": day.isoformat(),
                "state": one.days[day].state,
                "evidence": one.days[day].evidence,
                "papers": one.days[day].papers,
            }
            for day in sorted(one.days, reverse=True)[:DAYS_TOLD]
        ],
    }


def model(session: Session) -> dict[str, Any] | None:
    """The current model: when it was trained, and on how much; None without one."""
    newest = snapshots.current(session)
    if newest is None:
        return None
    return {
        "trained_at": newest.trained_at.isoformat(),
        "papers": newest.papers,
        "votes": newest.votes,
        "seconds": round(newest.seconds, 1),
    }


def silent(session: Session, since: datetime) -> list[dict[str, Any]]:
    """Why digests that were due since then had no papers, and for how many subscribers."""
    return [
        {"date": day.isoformat(), "reason": reason, "subscribers": number}
        for day, reason, number in digests.silences(session, since, MOST_TOLD)
    ]


def _bounces(session: Session, since: datetime) -> dict[str, int]:
    """What came back since then, by kind, and to how many subscribers nothing is mailed."""
    counts = bounces.count_by_kind(session, since)
    return counts | {"suppressed_subscribers": bounces.count_suppressed(session)}


def _undelivered(session: Session) -> list[dict[str, Any]]:
    """The newest mails that were refused or given up, or wait for another try, and why."""
    return [
        {
            "email": person.email if person else "the operator",
            "kind": delivery.kind,
            "date": delivery.local_date.isoformat(),
            "state": delivery.state,
            "reply": delivery.reply,
            "next_try_at": delivery.due_at.isoformat() if delivery.state in outbox.OPEN else None,
        }
        for delivery, person in outbox.in_trouble(session, MOST_TOLD)
    ]


def _wrong_with_mail(report: dict[str, Any]) -> list[str]:
    return [
        f"{mail['kind']} of {mail['date']} to {mail['email']} is {mail['state']}: {mail['reply']}"
        for mail in report["undelivered"]
    ]
