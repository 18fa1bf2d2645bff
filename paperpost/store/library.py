"""A reader's own library: the votes that it became, and the works that only it tells of.

A work that no source has told is a paper nonetheless, so that a vote has something to stand on: a
paper of this one reader, without an announcement day, under names of its own. No page shows it, no
other paper is ever merged with it, and it goes when its reader goes. When a source tells of the
work the reader's votes move to that paper.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, update
from sqlmodel import Session, col, delete, func, select

from paperpost.store import database, subscribers
from paperpost.store.database import add_or_leave, in_chunks
from paperpost.store.merging import hold
from paperpost.store.papers import number_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper, PaperAlias, Vote
from paperpost.store.votes import of_a_person, papers_of

ORIGIN = "library"
_PREFIX = "library:"


@dataclass(frozen=True, slots=True)
class Work:
    """A work that no source has told: its names, the best first, and what its reader's library
    says of it."""

    names: tuple[str, ...]
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]


def public_name(paper: Paper) -> str:
    """What the world calls a paper, also one that only a reader's library tells of."""
    if paper.announced != NEVER_ANNOUNCED:
        return paper.id
    return paper.id.removeprefix(_PREFIX).partition(":")[2]


def take_turns(session: Session, subscriber_id: int) -> None:
    """One transaction at a time for papers' names, and for this reader; in this order, as
    `database.take_turns` wants it."""
    database.take_turns(session, "paper_alias")
    subscribers.take_turns(session, subscriber_id)


def told(session: Session, names: Iterable[str]) -> dict[str, list[Paper]]:
    """The papers that sources told of, by each of these names; a title may be several papers'."""
    return _by_alias(session, names)


def _by_alias(session: Session, aliases: Iterable[str]) -> dict[str, list[Paper]]:
    found: dict[str, list[Paper]] = defaultdict(list)
    for chunk in in_chunks(dict.fromkeys(aliases)):
        rows = session.exec(
            select(PaperAlias.alias, Paper)
            .join(Paper, col(Paper.number) == col(PaperAlias.paper_number))
            .where(col(PaperAlias.alias).in_(chunk))
            .order_by(col(Paper.number))
        )
        for alias, paper in rows:
            found[alias].append(paper)
    return found


def _own_id(subscriber_id: int | str, name: str) -> str:
    return f"{_PREFIX}{subscriber_id}:{name}"


def keep(session: Session, subscriber_id: int, works: Sequence[Work], now: datetime) -> list[int]:
    """Store works of one reader's library that neither a source nor the library itself has told
    before; their numbers, in the same order."""
    added = [
        Paper(
            id=_own_id(subscriber_id, work.names[0]),
            title=work.title,
            abstract=work.abstract,
            authors=list(work.authors),
            categories=list(work.categories),
            announced=NEVER_ANNOUNCED,
            source=ORIGIN,
            added_at=now,
            changed_at=now,
        )
        for work in works
    ]
    session.add_all(added)
    session.flush()
    numbers = [number_of(paper) for paper in added]
    _name(session, zip(numbers, (work.names for work in works), strict=True))
    return numbers


def _name(session: Session, named: Iterable[tuple[int, Iterable[str]]]) -> None:
    rows = [
        {"alias": _PREFIX + name, "paper_number": number}
        for number, names in named
        for name in dict.fromkeys(names)
    ]
    for chunk in in_chunks(rows):
        add_or_leave(session, PaperAlias, chunk)


def complete(session: Session, paper: Paper, work: Work, now: datetime) -> None:
    """Fill what is missing of a work that no source has told."""
    paper.title = paper.title or work.title
    paper.abstract = paper.abstract or work.abstract
    paper.authors = paper.authors or list(work.authors)
    paper.categories = paper.categories or list(work.categories)
    paper.changed_at = now
    session.add(paper)
    _name(session, [(number_of(paper), work.names)])


def incomplete(session: Session, limit: int, subscriber_id: int | None = None) -> list[Paper]:
    """Works with an arXiv id and without an abstract that no source has told and that were not
    looked up yet, of one reader or of all."""
    query = select(Paper).where(
        Paper.announced == NEVER_ANNOUNCED if subscriber_id is None else _is_of(subscriber_id),
        Paper.abstract == "",
        col(Paper.comment).is_(None),
        col(Paper.id).not_like(_own_id("%", "%:%")),  # other names have a colon
    )
    return list(session.exec(query.order_by(col(Paper.number)).limit(limit)))


def remove(session: Session, numbers: Collection[int]) -> None:
    """Remove works that no source has told, and the votes on them."""
    for chunk in in_chunks(numbers):
        session.exec(
            delete(Paper).where(
                col(Paper.number).in_(chunk), col(Paper.announced) == NEVER_ANNOUNCED
            )
        )


def remove_all(session: Session, subscriber_id: int) -> None:
    """Remove everything that only this reader's library tells of."""
    session.exec(delete(Paper).where(_is_of(subscriber_id)))


def of_subscriber(session: Session, subscriber_id: int) -> list[Paper]:
    """Everything that only this reader's library tells of."""
    query = select(Paper).where(_is_of(subscriber_id)).order_by(col(Paper.number))
    return list(session.exec(query))


def _is_of(subscriber_id: int) -> ColumnElement[bool]:
    # The day first: it has an index.
    mine = col(Paper.id).startswith(_own_id(subscriber_id, ""))
    return and_(col(Paper.announced) == NEVER_ANNOUNCED, mine)


def collected(session: Session, subscriber_ids: Iterable[int]) -> dict[int, set[int]]:
    """The papers, by number, that stand in readers' libraries, whatever they said of them since."""
    return papers_of(session, ORIGIN, subscriber_ids)


def cast(
    session: Session, subscriber_id: int, collected: Mapping[int, datetime], now: datetime
) -> set[int]:
    """Vote for papers, by number, as of when they were collected; it counts from now on. A paper
    of which the reader has said anything keeps that. The numbers of those voted for."""
    held = hold(session, collected)
    collected = {held[number]: at for number, at in collected.items() if number in held}
    left = set(collected) - _spoken_of(session, subscriber_id, collected)
    rows = [
        {
            "subscriber_id": subscriber_id,
            "paper_number": number,
            "value": 1,
            "origin": ORIGIN,
            "cast_at": at,
            "counts_at": now,
        }
        for number, at in collected.items()
        if number in left
    ]
    if rows:
        session.execute(insert(Vote), rows)
    return left


def _spoken_of(session: Session, subscriber_id: int, numbers: Iterable[int]) -> set[int]:
    return {
        number
        for chunk in in_chunks(numbers)
        for number in session.exec(
            select(Vote.paper_number).where(
                Vote.subscriber_id == subscriber_id,
                col(Vote.paper_number).in_(chunk),
                of_a_person(),
            )
        )
    }


def count(session: Session, subscriber_id: int) -> int:
    """How many votes a reader's library became."""
    return session.exec(
        select(func.count()).where(Vote.subscriber_id == subscriber_id, Vote.origin == ORIGIN)
    ).one()


def take_back(session: Session, subscriber_id: int) -> int:
    """Remove a reader's library: its votes, and what only it tells of. How many votes it was.

    What was said of a paper since then holds as before.
    """
    taken = count(session, subscriber_id)
    session.exec(
        delete(Vote).where(col(Vote.subscriber_id) == subscriber_id, col(Vote.origin) == ORIGIN)
    )
    remove_all(session, subscriber_id)
    return taken


def kept_under(
    session: Session, names: Iterable[str], subscriber_id: int | None = None
) -> list[tuple[Paper, Work]]:
    """The works with one of these names that readers' libraries alone tell of, of one reader or of
    all: as papers, and with all of their names."""
    mine = _PREFIX if subscriber_id is None else _own_id(subscriber_id, "")
    found = _by_alias(session, [_PREFIX + name for name in names])
    kept = {
        number_of(paper): paper
        for papers in found.values()
        for paper in papers
        if paper.id.startswith(mine)
    }
    named: dict[int, list[str]] = defaultdict(list)
    for chunk in in_chunks(kept):
        of_kept = col(PaperAlias.paper_number).in_(chunk)
        for row in session.exec(select(PaperAlias).where(of_kept).order_by(PaperAlias.alias)):
            named[row.paper_number].append(row.alias.removeprefix(_PREFIX))
    return [(paper, _work_of(paper, named[number])) for number, paper in kept.items()]


def _work_of(paper: Paper, names: Iterable[str]) -> Work:
    return Work(
        tuple(dict.fromkeys((public_name(paper), *names))),
        paper.title,
        paper.abstract,
        tuple(paper.authors),
        tuple(paper.categories),
    )


def give_up(session: Session, work: Paper, paper: Paper) -> None:
    """A source told of this work: its reader's votes move to the paper, unless they have said
    something of that already."""
    subscriber_id = int(work.id.removeprefix(_PREFIX).partition(":")[0])
    if not _spoken_of(session, subscriber_id, [number_of(paper)]):
        session.exec(
            update(Vote)
            .where(
                col(Vote.subscriber_id) == subscriber_id,
                col(Vote.paper_number) == number_of(work),
            )
            .values(paper_number=number_of(paper))
        )
    session.exec(delete(Paper).where(col(Paper.number) == number_of(work)))
