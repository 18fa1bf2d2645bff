"""Domains whose servers said that they get too much."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from paperpost.store.database import add_or_leave
from paperpost.store.tables import Throttle


def all_of(session: Session) -> list[Throttle]:
    """Every throttled domain; few, if any."""
    return list(session.exec(select(Throttle).order_by(col(Throttle.domain))))


def close(session: Session, domain: str, until: datetime, reply: str) -> None:
    """Leave a domain alone until then."""
    row = {"domain": domain, "closed_until": until, "reply": reply[:1000]}
    add_or_leave(session, Throttle, [row])  # another process may be told the same right now
    session.exec(update(Throttle).where(col(Throttle.domain) == domain).values(**row))


def forget(session: Session, before: datetime) -> None:
    """Remove those that were closed until then at the latest."""
    session.exec(delete(Throttle).where(col(Throttle.closed_until) <= before))
