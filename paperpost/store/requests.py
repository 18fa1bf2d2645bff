"""What was asked of the sources: each request, what need not be sent again, how each run ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, func, or_, select

from paperpost.store.database import add_or_leave, printable
from paperpost.store.tables import Request, SourceRun, WebValidator


@dataclass(frozen=True, slots=True)
class Answered:
    """How many requests to a host ended with this status (None: no answer came)."""

    host: str
    status: int | None
    number: int


def log(session: Session, request: Request) -> None:
    """Write a request down that is over."""
    session.add(request)


def newest(session: Session, limit: int, hosts: Sequence[str] | None = None) -> list[Request]:
    """The last requests, the newest first; those to `hosts` alone if there are some."""
    query = select(Request).order_by(col(Request.id).desc()).limit(limit)
    if hosts is not None:
        query = query.where(col(Request.host).in_(hosts))
    return list(session.exec(query))


def hosts(session: Session) -> list[str]:
    """Every host that was asked."""
    return list(session.exec(select(Request.host).distinct()))


def answered(session: Session, since: datetime) -> list[Answered]:
    """The requests since then, counted by host and status."""
    rows = session.exec(
        select(Request.host, Request.status, func.count())
        .where(Request.asked_at >= since)
        .group_by(col(Request.host), col(Request.status))
        .order_by(col(Request.host), col(Request.status))
    )
    return [Answered(*row) for row in rows]


def last_of_each(session: Session, since: datetime) -> list[Request]:
    """The last request to each host since then."""
    last = select(func.max(Request.id)).where(Request.asked_at >= since).group_by(col(Request.host))
    return list(session.exec(select(Request).where(col(Request.id).in_(last))))


def forget(session: Session, before: datetime, most: int) -> None:
    """Forget the requests from before then, all but the last `most`, and validators of addresses
    whose answer was not taken in since."""
    newest_id = session.exec(select(func.max(Request.id))).one() or 0
    session.exec(
        delete(Request).where(
            or_(col(Request.asked_at) < before, col(Request.id) <= newest_id - most)
        )
    )
    kept_at = col(WebValidator.kept_at)
    session.exec(delete(WebValidator).where(or_(kept_at.is_(None), kept_at < before)))


def validators(session: Session, url: str) -> tuple[str | None, str | None]:
    """The ETag and Last-Modified of what was last taken in from this address."""
    kept = session.get(WebValidator, url)
    return (None, None) if kept is None else (kept.etag, kept.last_modified)


def keep_validators(
    session: Session, url: str, etag: str | None, last_modified: str | None, now: datetime
) -> None:
    """Remember what was taken in from this address."""
    add_or_leave(session, WebValidator, [{"url": url}])
    kept = session.get_one(WebValidator, url)
    kept.etag, kept.last_modified, kept.kept_at = etag, last_modified, now
    session.add(kept)


def begin_run(session: Session, source: str, now: datetime) -> None:
    """Write down that a source is asked: whatever becomes of it, it was."""
    add_or_leave(session, SourceRun, [_never_ended(source, now)])
    session.get_one(SourceRun, source).asked_at = now


def record_run(session: Session, source: str, state: str, detail: str, now: datetime) -> None:
    """Write down how a fetch of a source ended: `ok` or `failed`."""
    add_or_leave(session, SourceRun, [_never_ended(source, now)])
    run = session.get_one(SourceRun, source)
    run.asked_at, run.state, run.detail = now, state, printable(detail)
    if state == "ok":
        run.succeeded_at = now


def _never_ended(source: str, now: datetime) -> dict[str, object]:
    detail = "asked, and not heard yet"
    return {"source": source, "asked_at": now, "state": "asked", "detail": detail}


def runs(session: Session) -> list[SourceRun]:
    """How the last fetch of every source ended."""
    return list(session.exec(select(SourceRun).order_by(SourceRun.source)))
