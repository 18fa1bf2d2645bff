"""Which trained model is the current one."""

from collections.abc import Collection

from sqlmodel import Session, col, delete, select

from paperpost.store.tables import Snapshot


def current(session: Session) -> Snapshot | None:
    """The newest snapshot."""
    return session.exec(select(Snapshot).order_by(col(Snapshot.id).desc())).first()


def add(session: Session, snapshot: Snapshot) -> None:
    """Make a snapshot the current one."""
    session.add(snapshot)


def older_than(session: Session, keep: int) -> list[Snapshot]:
    """All but the newest `keep` snapshots."""
    return list(session.exec(select(Snapshot).order_by(col(Snapshot.id).desc()).offset(keep)))


def forget(session: Session, ids: Collection[int]) -> None:
    """Drop the rows of snapshots whose files are gone."""
    session.exec(delete(Snapshot).where(col(Snapshot.id).in_(ids)))
