"""Rows of papers that turned out to be one: everything that points to the one given up moves, and
its number leads to the other."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlmodel import Session, col, delete, func, select, update

from paperpost.store.database import among, in_chunks
from paperpost.store.tables import Fragment, Paper, PaperMerged, Vote, VotePost

_POINTING: tuple[Any, ...] = (Vote, VotePost, PaperMerged)


def merge(session: Session, given_up: Mapping[int, int]) -> None:
    """Give rows up, by number, for others that stay. All votes are kept; of each subscriber's on
    both papers the newest counts, as ever."""
    if not given_up:
        return
    # Whoever is writing something that points to these rows ends first, or sees that they are gone.
    session.exec(_of_numbers(session, {*given_up, *given_up.values()}).with_for_update()).all()
    for old, new in sorted(given_up.items()):
        for table in _POINTING:
            moved = update(table).where(table.paper_number == old)
            session.execute(moved.values(paper_number=new))
        _move_fragments(session, old, new)
        session.execute(delete(Paper).where(col(Paper.number) == old))
        session.add(PaperMerged(number=old, paper_number=new))
    session.flush()


def _move_fragments(session: Session, old: int, new: int) -> None:
    """Digests name fragments by number: two that are the same text stay two."""
    same = select(Fragment.checksum).where(Fragment.paper_number == new)
    both = update(Fragment).where(
        col(Fragment.paper_number) == old, col(Fragment.checksum).in_(same)
    )
    session.execute(both.values(checksum=Fragment.checksum + f" {old}"))
    session.execute(
        update(Fragment).where(col(Fragment.paper_number) == old).values(paper_number=new)
    )


def _of_numbers(session: Session, numbers: Collection[int]) -> Any:
    these = among(session, col(Paper.number), numbers)
    return select(Paper.number).where(these).order_by(col(Paper.number))


def successors(session: Session, numbers: Collection[int]) -> dict[int, int]:
    """Those of the numbers that were given up, and the rows' numbers that took their place."""
    return {
        old: new
        for chunk in in_chunks(numbers)
        for old, new in session.exec(
            select(PaperMerged.number, PaperMerged.paper_number).where(
                among(session, col(PaperMerged.number), chunk)
            )
        )
    }


def predecessors(session: Session, numbers: Collection[int]) -> list[tuple[int, int]]:
    """The numbers that were given up for these, each with the one in whose favour."""
    merged = PaperMerged.number, PaperMerged.paper_number
    query = select(*merged).where(among(session, col(PaperMerged.paper_number), numbers))
    return list(session.exec(query))


def newest(session: Session) -> int:
    """The number of the last merger so far: papers are merged in one transaction after another."""
    return session.exec(select(func.max(PaperMerged.id))).one() or 0


def hold_all(session: Session, numbers: Collection[int], since: int) -> bool:
    """Whether no paper of these numbers was merged with another one after that merger; none is
    until the transaction ends."""
    hold(session, numbers)
    query = select(PaperMerged.number, PaperMerged.paper_number).where(col(PaperMerged.id) > since)
    return not any(number in numbers for pair in session.exec(query) for number in pair)


def hold(session: Session, numbers: Collection[int]) -> dict[int, int]:
    """The numbers by which papers are to be pointed to in this transaction, until whose end they
    are not given up; unknown ones are left out."""
    wanted, held = set(numbers), dict[int, int]()
    for chunk in in_chunks(sorted(wanted)):
        query = _of_numbers(session, chunk).with_for_update(read=True, key_share=True)
        held |= {number: number for number in session.exec(query)}
    moved = successors(session, wanted - held.keys())
    if moved:
        now = hold(session, set(moved.values()))
        held |= {old: now[new] for old, new in moved.items() if new in now}
    return held
