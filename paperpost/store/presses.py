"""The last press of the unsubscribe page's button, one for each subscriber."""

from datetime import datetime

from sqlmodel import Session, col, delete

from paperpost.store.tables import Press


def of_subscriber(session: Session, subscriber_id: int) -> Press | None:
    """A subscriber's press, if there is one."""
    return session.get(Press, subscriber_id)


def put(session: Session, press: Press) -> None:
    """Keep a press, in place of the one before."""
    session.merge(press)
    session.flush()


def remove(session: Session, subscriber_id: int) -> None:
    """Forget a subscriber's press."""
    session.exec(delete(Press).where(col(Press.subscriber_id) == subscriber_id))


def remove_before(session: Session, moment: datetime) -> None:
    """Forget the presses of all that are older."""
    session.exec(delete(Press).where(col(Press.pressed_at) < moment))
