"""Papers: one work is one row, whatever versions and sources it comes in (intake.py)."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from paperpost.store.database import among, in_chunks
from paperpost.store.merging import successors
from paperpost.store.tables import NEVER_ANNOUNCED, Paper, PaperAlias, PaperMerged


def number_of(paper: Paper) -> int:
    """The row number of a stored paper."""
    number = paper.number
    if number is None:
        raise ValueError(f"paper {paper.id} is not stored yet")
    return number


def find(session: Session, name: str) -> Paper | None:
    """The paper of that id, or of any name it was once met under; where several have one name,
    the first of them by id."""
    return session.exec(
        select(Paper)
        .join(PaperAlias, col(PaperAlias.paper_number) == col(Paper.number))
        .where(PaperAlias.alias == name)
        .order_by(col(Paper.id) != name, col(Paper.id))
    ).first()


def find_public(session: Session, name: str) -> Paper | None:
    """The same, unless only somebody's own library tells of it; a name from outside may be
    anything, and databases take neither NUL nor half a character in a text."""
    is_text = "\0" not in name and name == name.encode("utf-8", "ignore").decode()
    found = find(session, name) if is_text else None
    return None if found is None or found.announced == NEVER_ANNOUNCED else found


def named(session: Session, names: Iterable[str]) -> list[Paper]:
    """The papers of those ids or other names, each once; unknown names are left out. Several may
    have one name."""
    found = {
        number_of(paper): paper
        for chunk in in_chunks(names)
        for paper in session.exec(
            select(Paper)
            .join(PaperAlias, col(PaperAlias.paper_number) == col(Paper.number))
            .where(col(PaperAlias.alias).in_(chunk))
            .order_by(col(Paper.number))
        )
    }
    return list(found.values())


def by_number(session: Session, numbers: Iterable[int]) -> dict[int, Paper]:
    """Papers by their row numbers, also by those that were given up; unknown ones are left out."""
    wanted = set(numbers)
    found = {
        number_of(paper): paper
        for chunk in in_chunks(wanted)
        for paper in session.exec(select(Paper).where(col(Paper.number).in_(chunk)))
    }
    moved = successors(session, wanted - found.keys())
    if moved:
        now = by_number(session, moved.values())
        found |= {old: now[new] for old, new in moved.items() if new in now}
    return found


class Heading(NamedTuple):
    """What tells of most papers that they are not the same work as another one."""

    number: int
    announced: date
    id: str
    title: str
    authors: list[str]


def headings(session: Session, numbers: Collection[int]) -> Iterator[list[Heading]]:
    """Papers without their abstracts, some at a time; unknown numbers are left out."""
    columns = [getattr(Paper, name) for name in Heading._fields]
    for chunk in in_chunks(numbers):
        is_one = among(session, col(Paper.number), chunk)
        rows = session.execute(sql_select(*columns).where(is_one).order_by(col(Paper.number)))
        yield [Heading(*row) for row in rows]


def abstracts(session: Session, numbers: Collection[int]) -> dict[int, str]:
    """The papers' abstracts by number; unknown ones are left out."""
    columns = col(Paper.number), col(Paper.abstract)
    return {
        number: abstract
        for chunk in in_chunks(numbers)
        for number, abstract in session.execute(
            sql_select(*columns).where(among(session, col(Paper.number), chunk))
        )
    }


def _is_public() -> ColumnElement[bool]:
    """Whether a source has told of the paper, and not only somebody's own library."""
    return col(Paper.announced) > NEVER_ANNOUNCED


def announced(session: Session, first: date, last: date) -> list[Paper]:
    """Papers announced from `first` to `last`, both included, in a stable order."""
    return list(
        session.exec(
            select(Paper)
            .where(_is_public(), col(Paper.announced) >= first, col(Paper.announced) <= last)
            .order_by(col(Paper.announced).desc(), col(Paper.id))
        )
    )


def revised(session: Session, since: date, first: date, last: date) -> list[Paper]:
    """Papers announced from `since` on, but before `first`, of which a new version was announced
    from `first` to `last`, both included, in a stable order."""
    query = select(Paper).where(*_revised_between(since, first, last))
    return list(session.exec(query.order_by(col(Paper.revised).desc(), col(Paper.id))))


def _revised_between(since: date, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    announced, revised = col(Paper.announced), col(Paper.revised)
    return announced >= since, announced < first, revised >= first, revised <= last


class Mark(NamedTuple):
    """What is another one whenever papers came in, changed, or turned out to be one: the highest
    number of a paper, when the last one changed, and the number of the last merger."""

    newest_number: int
    changed_at: datetime | None
    last_merger: int


def mark(session: Session) -> Mark:
    """The mark of the papers as they are now; it is found without looking at them all."""
    newest, changed, merged = (
        sql_select(func.max(column)).scalar_subquery()
        for column in (col(Paper.number), col(Paper.changed_at), col(PaperMerged.id))
    )
    number, changed_at, merger = session.execute(sql_select(newest, changed, merged)).one()
    return Mark(number or 0, changed_at, merger or 0)


def changed_since(session: Session, since: datetime) -> frozenset[int]:
    """The papers that changed after that moment."""
    query = select(col(Paper.number)).where(col(Paper.changed_at) > since)
    return frozenset(number for number in session.exec(query) if number is not None)


def changes(session: Session, first: date, last: date) -> list[tuple[int, datetime]]:
    """Number and time of the last change of the papers announced from `first` to `last`, both
    included, by number."""
    return _changes(session, col(Paper.announced) >= first, col(Paper.announced) <= last)


def changes_of_revised(
    session: Session, since: date, first: date, last: date
) -> list[tuple[int, datetime]]:
    """The same of those that `revised` gives."""
    return _changes(session, *_revised_between(since, first, last))


def _changes(session: Session, *which: ColumnElement[bool]) -> list[tuple[int, datetime]]:
    rows = session.exec(
        select(Paper.number, Paper.changed_at).where(*which).order_by(col(Paper.number))
    )
    return [(number, at) for number, at in rows if number is not None]


def upvoted(
    session: Session, first: date, last: date, least: int
) -> list[tuple[int, int, datetime]]:
    """Number, upvotes, and since when: of the papers announced from `first` to `last`, both
    included, that have at least so many."""
    rows = session.exec(
        select(Paper.number, Paper.upvotes, Paper.upvotes_at).where(
            col(Paper.announced) >= first,
            col(Paper.announced) <= last,
            col(Paper.upvotes) >= least,
        )
    )
    return [(number, count, at) for number, count, at in rows if number and count and at]


def newest_day(session: Session, until: date | None = None) -> date | None:
    """The newest announcement day that has papers, up to `until` if given."""
    query = select(func.max(Paper.announced)).where(_is_public())
    if until is not None:
        query = query.where(col(Paper.announced) <= until)
    return session.exec(query).one()


def days(session: Session, after: int = 0) -> list[tuple[int, str, date]]:
    """Number, id and announcement day of the papers with higher numbers, by number."""
    query = select(col(Paper.number), col(Paper.id), col(Paper.announced))
    rows = session.exec(
        query.where(_is_public(), col(Paper.number) > after).order_by(col(Paper.number))
    )
    return [(number or 0, paper_id, announced) for number, paper_id, announced in rows]


def by_day(session: Session, numbers: Iterable[int]) -> list[int]:
    """The numbers in the order of their papers' days, the newest first; unknown ones are left
    out."""
    found = [
        row
        for chunk in in_chunks(numbers)
        for row in session.exec(
            select(col(Paper.announced), col(Paper.number)).where(col(Paper.number).in_(chunk))
        )
    ]
    return [number for _, number in sorted(found, reverse=True) if number is not None]


def newest_number(session: Session) -> int:
    """The highest number given to a paper; papers are taken in one transaction after another,
    so what comes in from now on has a higher one."""
    return session.exec(select(func.max(Paper.number))).one() or 0


def next_day(session: Session, after: date) -> date | None:
    """The first announcement day with papers after that date."""
    return session.exec(select(func.min(Paper.announced)).where(Paper.announced > after)).one()


def count_by_day(session: Session, first: date, last: date) -> list[tuple[date, int]]:
    """The days from `first` to `last`, both included, that have papers, the newest first, and how
    many."""
    query = (
        select(col(Paper.announced), func.count())
        .where(_is_public(), col(Paper.announced) >= first, col(Paper.announced) <= last)
        .group_by(col(Paper.announced))
        .order_by(col(Paper.announced).desc())
    )
    return list(session.exec(query))


def count(session: Session, *, added_after: datetime | None = None) -> int:
    """How many papers sources have told of, or have since."""
    query = select(func.count()).select_from(Paper).where(_is_public())
    if added_after is not None:
        # What was added was changed, and by that an index finds it.
        query = query.where(Paper.changed_at > added_after, Paper.added_at > added_after)
    return session.exec(query).one()


def newest(session: Session, limit: int, also: Collection[int] = ()) -> list[Paper]:
    """The newest papers that sources have told of, up to a limit, and of the given numbers those
    of any age."""
    recent = session.exec(
        select(Paper)
        .where(_is_public())
        .order_by(col(Paper.announced).desc(), col(Paper.number))
        .limit(limit)
    ).all()
    missing = set(also) - {number_of(paper) for paper in recent}
    others = by_number(session, sorted(missing)).values()
    return [*recent, *(paper for paper in others if paper.announced != NEVER_ANNOUNCED)]
