"""Fragments: the frozen text of papers, which digests point to."""

from collections.abc import Collection, Iterable, Sequence

from sqlmodel import Session, col, select

from paperpost.store.database import add_or_leave, in_chunks
from paperpost.store.tables import Fragment


def keep(session: Session, wanted: Sequence[Fragment]) -> dict[tuple[int, str], int]:
    """Store fragments that are not there yet; their numbers by (paper number, checksum)."""
    papers = {fragment.paper_number for fragment in wanted}
    have = _numbers(session, papers)
    missing = [one for one in wanted if (one.paper_number, one.checksum) not in have]
    if not missing:
        return have
    rows = [one.model_dump(exclude={"id"}) for one in missing]
    # In one order, and giving way: another process may be storing the same ones.
    rows.sort(key=lambda row: (row["paper_number"], row["checksum"]))
    add_or_leave(session, Fragment, rows)
    return _numbers(session, papers)


def _numbers(session: Session, paper_numbers: Collection[int]) -> dict[tuple[int, str], int]:
    return {
        (number, checksum): identity or 0
        for chunk in in_chunks(paper_numbers)
        for number, checksum, identity in session.exec(
            select(Fragment.paper_number, Fragment.checksum, Fragment.id).where(
                col(Fragment.paper_number).in_(chunk)
            )
        )
    }


def shown(session: Session, paper_numbers: Collection[int]) -> set[int]:
    """Those of the papers that anybody was ever shown."""
    return {number for number, _ in _numbers(session, paper_numbers)}


def by_number(session: Session, ids: Iterable[int]) -> dict[int, Fragment]:
    """Fragments by number."""
    return {
        fragment.id or 0: fragment
        for chunk in in_chunks(ids)
        for fragment in session.exec(select(Fragment).where(col(Fragment.id).in_(chunk)))
    }
