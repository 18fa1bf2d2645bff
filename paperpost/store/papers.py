"""Papers: one work is one row, whatever versions and sources it comes in."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from sqlmodel import Session, col, func, select

from paperpost.store.database import in_chunks, take_turns
from paperpost.store.tables import Paper, PaperAlias

Change = Literal["added", "updated", "skipped"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a source says of one paper. `title_alias` is `hf:` and a hash of the title;
    `upvotes` is what its readers gave the paper since `announced`."""

    id: str
    title_alias: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    comment: str | None
    announced: date
    version: int | None
    url: str | None
    source: str
    only_if_known: bool = False
    other_ids: tuple[str, ...] = ()
    upvotes: int | None = None

    @property
    def is_named_by_title(self) -> bool:
        """Whether the source gave no identifier, so that the title has to do."""
        return self.id == self.title_alias


def put_all(session: Session, arrivals: Sequence[Arrival], now: datetime) -> Counter[Change]:
    """Take papers in; the same ones again change nothing. Returns how many of each change."""
    take_turns(session, "paper_alias")
    shelf = _Shelf(session, arrivals)
    changes: Counter[Change] = Counter()
    for arrival in arrivals:
        paper = shelf.match(arrival)
        if paper is not None:
            changed = _merge(paper, arrival, now)
            changes["updated" if changed else "skipped"] += 1
        elif arrival.only_if_known:
            changes["skipped"] += 1
            continue
        else:
            paper = _new_paper(arrival, now)
            session.add(paper)
            changes["added"] += 1
        shelf.name(paper, arrival)
    shelf.keep_names()
    return changes


class _Shelf:
    """The stored papers that a batch of arrivals may be about, by every name they have."""

    def __init__(self, session: Session, arrivals: Sequence[Arrival]) -> None:
        self._session = session
        names = {n for a in arrivals for n in (a.id, a.title_alias, *a.other_ids)}
        rows = [
            row
            for chunk in in_chunks(names)
            for row in session.exec(
                select(PaperAlias.alias, Paper)
                .join(Paper, col(Paper.number) == col(PaperAlias.paper_number))
                .where(col(PaperAlias.alias).in_(chunk))
            )
        ]
        self._by_name: dict[str, Paper] = dict(rows)
        self._stored = set(self._by_name)

    def match(self, arrival: Arrival) -> Paper | None:
        """The paper that an arrival is about: by identifier, else by title where one of the
        two has no other name. Two different identifiers are never merged by title."""
        if arrival.id in self._by_name:
            return self._by_name[arrival.id]
        for name in arrival.other_ids:
            known = self._by_name.get(name)
            if known is not None and not _are_two_arxiv_papers(known.id, arrival.id):
                return known
        namesake = self._by_name.get(arrival.title_alias)
        if namesake is None:
            return None
        return namesake if _named_by_title(namesake) or arrival.is_named_by_title else None

    def name(self, paper: Paper, arrival: Arrival) -> None:
        """Remember the names an arrival brought; a name belongs to the first that has it."""
        for name in (arrival.id, arrival.title_alias, *arrival.other_ids):
            self._by_name.setdefault(name, paper)

    def keep_names(self) -> None:
        """Write the new names, after the new papers have got their numbers."""
        self._session.flush()
        for name, paper in self._by_name.items():
            if name not in self._stored:
                self._session.add(PaperAlias(alias=name, paper_number=number_of(paper)))


def _named_by_title(paper: Paper) -> bool:
    return paper.id.startswith("hf:")


def _worth(identifier: str) -> int:
    """How good a public name is: a bare arXiv id before doi: before pmid: before a title's."""
    prefixes = ("hf:", "pmid:", "doi:")
    return next((n for n, prefix in enumerate(prefixes) if identifier.startswith(prefix)), 3)


def _are_two_arxiv_papers(one: str, other: str) -> bool:
    return one != other and _worth(one) == _worth(other) == 3


def _new_paper(arrival: Arrival, now: datetime) -> Paper:
    return Paper(
        id=arrival.id,
        title=arrival.title,
        abstract=arrival.abstract,
        authors=list(arrival.authors),
        categories=list(arrival.categories),
        comment=arrival.comment,
        announced=arrival.announced,
        version=arrival.version,
        url=arrival.url,
        source=arrival.source,
        added_at=now,
        changed_at=now,
        upvotes=arrival.upvotes,
        upvotes_at=_listed_at(arrival),
    )


def _merge(paper: Paper, arrival: Arrival, now: datetime) -> bool:
    """Let an arrival improve a stored paper; True if anything changed.

    The announcement day only ever moves back: what was mailed for a day can then never be a
    candidate of a later one.
    """
    before = paper.model_dump()
    paper.announced = min(paper.announced, arrival.announced)
    if _says_more(paper, arrival):
        paper.title, paper.source = arrival.title, arrival.source
        paper.version = arrival.version or paper.version
        _fill(paper, arrival, replace=True)
    else:
        _fill(paper, arrival, replace=False)
    if _worth(arrival.id) > _worth(paper.id):
        paper.id = arrival.id
        paper.url = arrival.url or paper.url
    _count_upvotes(paper, arrival)
    if paper.model_dump() == before:
        return False
    paper.changed_at = now
    return True


def _says_more(paper: Paper, arrival: Arrival) -> bool:
    """Whether the arrival's text replaces the stored one: never an older version's, and never
    that of a source which has a lesser name for the paper."""
    if _worth(arrival.id) != _worth(paper.id):
        return _worth(arrival.id) > _worth(paper.id)
    return (arrival.version or 0) >= (paper.version or 0)


def _fill(paper: Paper, arrival: Arrival, *, replace: bool) -> None:
    """Copy what the arrival has, all of it or only into the gaps; empty never replaces."""
    for field in ("abstract", "authors", "categories", "comment", "url"):
        new, old = getattr(arrival, field), getattr(paper, field)
        if new and (replace or not old):
            setattr(paper, field, list(new) if isinstance(new, tuple) else new)


def _count_upvotes(paper: Paper, arrival: Arrival) -> None:
    """The greatest count and the earliest day: lists are read in any order, and again."""
    if arrival.upvotes is not None:
        paper.upvotes = max(arrival.upvotes, paper.upvotes or 0)
        listed = _listed_at(arrival)
        paper.upvotes_at = min(filter(None, (listed, paper.upvotes_at)))


def _listed_at(arrival: Arrival) -> datetime | None:
    if arrival.upvotes is None:
        return None
    return datetime.combine(arrival.announced, time.min, UTC)


def number_of(paper: Paper) -> int:
    """The row number of a stored paper."""
    if paper.number is None:
        raise ValueError(f"paper {paper.id} is not stored yet")
    return paper.number


def find(session: Session, name: str) -> Paper | None:
    """The paper of that id, or of any name it was once met under."""
    return session.exec(
        select(Paper)
        .join(PaperAlias, col(PaperAlias.paper_number) == col(Paper.number))
        .where(PaperAlias.alias == name)
    ).first()


def named(session: Session, names: Iterable[str]) -> list[Paper]:
    """The papers of those ids or other names, each once; unknown names are left out."""
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
    """Papers by their row numbers; unknown numbers are left out."""
    return {
        number_of(paper): paper
        for chunk in in_chunks(numbers)
        for paper in session.exec(select(Paper).where(col(Paper.number).in_(chunk)))
    }


def announced(session: Session, first: date, last: date) -> list[Paper]:
    """Papers announced from `first` to `last`, both included, in a stable order."""
    return list(
        session.exec(
            select(Paper)
            .where(col(Paper.announced) >= first, col(Paper.announced) <= last)
            .order_by(col(Paper.announced).desc(), col(Paper.id))
        )
    )


def changes(session: Session, first: date, last: date) -> list[tuple[int, datetime]]:
    """Number and time of the last change of the papers announced from `first` to `last`, both
    included, by number."""
    rows = session.exec(
        select(Paper.number, Paper.changed_at)
        .where(col(Paper.announced) >= first, col(Paper.announced) <= last)
        .order_by(col(Paper.number))
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
    query = select(func.max(Paper.announced))
    if until is not None:
        query = query.where(col(Paper.announced) <= until)
    return session.exec(query).one()


def newest_number(session: Session) -> int:
    """The highest number given to a paper; papers are taken in one transaction after another,
    so what comes in from now on has a higher one."""
    return session.exec(select(func.max(Paper.number))).one() or 0


def next_day(session: Session, after: date) -> date | None:
    """The first announcement day with papers after that date."""
    return session.exec(select(func.min(Paper.announced)).where(Paper.announced > after)).one()


def count(session: Session, *, added_after: datetime | None = None) -> int:
    """How many papers are stored, or were added since."""
    query = select(func.count()).select_from(Paper)
    if added_after is not None:
        query = query.where(Paper.added_at > added_after)
    return session.exec(query).one()


def newest(session: Session, limit: int, also: Collection[int] = ()) -> list[Paper]:
    """The newest papers up to a limit, and those of the given numbers whatever their age."""
    recent = session.exec(
        select(Paper).order_by(col(Paper.announced).desc(), col(Paper.number)).limit(limit)
    ).all()
    missing = set(also) - {number_of(paper) for paper in recent}
    return [*recent, *by_number(session, sorted(missing)).values()]
