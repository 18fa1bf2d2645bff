"""Whose turn it is to ask a host: one row each, for all processes of the installation."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, or_, select, update

from paperpost.store.database import add_or_leave
from paperpost.store.tables import HostTurn

# Nobody closes a host for longer than a day, or asks it for longer than some minutes: what is
# farther away than this comes of a clock that was wrong once, and does not count.
FARTHEST = timedelta(days=1, minutes=1)


def of(session: Session, host: str) -> HostTurn | None:
    """How things stand with a host; None if it was never asked."""
    return session.get(HostTurn, host)


def all_of(session: Session) -> list[HostTurn]:
    """All hosts that were asked lately."""
    return list(session.exec(select(HostTurn).order_by(HostTurn.host)))


def take(
    session: Session,
    host: str,
    holder: str,
    now: datetime,
    *,
    gap: timedelta,
    held_until: datetime,
    dead: str | None = None,
) -> bool:
    """Whether `holder` may ask now. It may if the host is free and nobody's request is on its way;
    that of `dead` is none. The change of the row is the permission, so that only one gets it."""
    add_or_leave(session, HostTurn, [{"host": host, "free_at": now}])
    farthest = now + FARTHEST
    free = or_(col(HostTurn.free_at) <= now, col(HostTurn.free_at) > farthest)
    unheld = or_(
        col(HostTurn.holder).is_(None),
        col(HostTurn.held_until) <= now,
        col(HostTurn.held_until) > farthest,
        col(HostTurn.holder) == dead,
    )
    taken = session.exec(
        update(HostTurn)
        .where(col(HostTurn.host) == host, free, unheld)
        .values(holder=holder, held_until=held_until, free_at=now + gap)
    )
    return taken.rowcount == 1


def give_back(session: Session, host: str, holder: str, free_at: datetime) -> None:
    """The holder's request is over; the host is free at that time, unless it is closed longer."""
    session.exec(
        update(HostTurn)
        .where(col(HostTurn.host) == host, col(HostTurn.holder) == holder)
        .values(holder=None, held_until=None)
    )
    close(session, host, free_at)


def close(session: Session, host: str, until: datetime) -> None:
    """Nobody asks the host before that."""
    add_or_leave(session, HostTurn, [{"host": host, "free_at": until}])
    session.exec(
        update(HostTurn)
        .where(col(HostTurn.host) == host, col(HostTurn.free_at) < until)
        .values(free_at=until)
    )


def forget(session: Session, before: datetime) -> None:
    """Forget the hosts that nobody has asked since."""
    session.exec(
        delete(HostTurn).where(col(HostTurn.free_at) < before, col(HostTurn.holder).is_(None))
    )
