"""What was asked of the sources: whose turn it is, what they answered, how each run ended."""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from paperpost.store.database import take_turns
from paperpost.store.tables import HostTurn, SourceRun, WebValidator


def book_turn(session: Session, host: str, now: datetime, gap: timedelta) -> datetime:
    """When this host may be asked; every process of the installation books here, so that
    their requests together keep the gap."""
    take_turns(session, "host_turn")
    turn = session.get(HostTurn, host)
    if turn is None:
        turn = HostTurn(host=host, free_at=now)
        session.add(turn)
    start = max(turn.free_at, now)
    turn.free_at = start + gap
    return start


def validators(session: Session, url: str) -> tuple[str | None, str | None]:
    """The ETag and Last-Modified of what was last taken in from this address."""
    kept = session.get(WebValidator, url)
    return (None, None) if kept is None else (kept.etag, kept.last_modified)


def keep_validators(
    session: Session, url: str, etag: str | None, last_modified: str | None
) -> None:
    """Remember what was taken in from this address."""
    kept = session.get(WebValidator, url) or WebValidator(url=url)
    kept.etag, kept.last_modified = etag, last_modified
    session.add(kept)


def record_run(session: Session, source: str, state: str, detail: str, now: datetime) -> None:
    """Write down how a fetch of a source ended: `ok` or `failed`."""
    run = session.get(SourceRun, source) or SourceRun(source=source, asked_at=now, state=state)
    run.asked_at, run.state, run.detail = now, state, detail[:1000]
    if state == "ok":
        run.succeeded_at = now
    session.add(run)


def runs(session: Session) -> list[SourceRun]:
    """How the last fetch of every source ended."""
    return list(session.exec(select(SourceRun).order_by(SourceRun.source)))
