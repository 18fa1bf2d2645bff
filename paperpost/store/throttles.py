"""Domains whose servers said that they get too much."""

from datetime import datetime

from sqlmodel import Session, col, delete, select

from paperpost.store.tables import Throttle


def all_of(session: Session) -> list[Throttle]:
    """Every throttled domain; few, if any."""
    return list(session.exec(select(Throttle).order_by(col(Throttle.domain))))


def close(session: Session, domain: str, until: datetime, reply: str) -> None:
    """Leave a domain alone until then."""
    session.merge(Throttle(domain=domain, closed_until=until, reply=reply[:1000]))
    session.flush()


def forget(session: Session, before: datetime) -> None:
    """Remove those that were closed until then at the latest."""
    session.exec(delete(Throttle).where(col(Throttle.closed_until) <= before))
