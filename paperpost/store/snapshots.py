"""Which trained model is the current one, and the parts of snapshots that machines share."""

from collections.abc import Collection

from sqlmodel import Session, col, delete, select

from paperpost.store.tables import Snapshot, SnapshotPart


def newest_first(session: Session) -> list[Snapshot]:
    """All snapshots."""
    return list(session.exec(select(Snapshot).order_by(col(Snapshot.id).desc())))


def current(session: Session) -> Snapshot | None:
    """The newest snapshot."""
    return session.exec(select(Snapshot).order_by(col(Snapshot.id).desc())).first()


def number_of(snapshot: Snapshot) -> int:
    """The number of a stored snapshot."""
    return snapshot.id or 0


def by_number(session: Session, number: int) -> Snapshot | None:
    """A snapshot by its number, if it was not dropped."""
    return session.get(Snapshot, number)


def add(session: Session, snapshot: Snapshot) -> None:
    """Make a snapshot the current one."""
    session.add(snapshot)


def files(session: Session) -> list[str]:
    """The names of all snapshots' files."""
    return list(session.exec(select(Snapshot.file)))


def forget(session: Session, ids: Collection[int]) -> None:
    """Drop the rows of snapshots whose files are gone."""
    session.exec(delete(Snapshot).where(col(Snapshot.id).in_(ids)))


def add_part(session: Session, file: str, number: int, content: bytes) -> None:
    """Keep a piece of a file, the first of which has number 0."""
    session.add(SnapshotPart(file=file, number=number, content=content))


def part(session: Session, file: str, number: int) -> bytes | None:
    """A piece of a file; None past its end."""
    query = select(SnapshotPart.content).where(
        SnapshotPart.file == file, SnapshotPart.number == number
    )
    return session.exec(query).first()


def forget_parts(session: Session, keep: Collection[str]) -> None:
    """Drop the pieces of all files but these, and but newer ones: their snapshots get rows when all
    pieces are there."""
    is_old = col(SnapshotPart.file) < min(keep, default="")
    session.exec(delete(SnapshotPart).where(is_old, col(SnapshotPart.file).not_in(keep)))
