"""The stored papers that records may have to do with, and the records that they are made of."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from paperpost.store.database import in_chunks
from paperpost.store.papers import number_of
from paperpost.store.records import TITLE_PREFIX, Key, Record, from_json
from paperpost.store.tables import Paper, PaperAlias, PaperRecord


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A stored paper with its names and its records. A record that has a row of its own has its
    number in `kept`; the only record of a paper is the paper's row."""

    paper: Paper
    aliases: frozenset[str]
    records: list[Record]
    kept: dict[Key, int]

    @property
    def number(self) -> int:
        """The paper's."""
        return number_of(self.paper)

    @property
    def home(self) -> str:
        """The name of the record that the row stays with, should its records part."""
        names = [record.name for record in self.records]
        return self.paper.id if self.paper.id in names else min(names)


def names_of(records: Iterable[Record]) -> set[str]:
    """All names by which a paper of these records is found, and its records by others."""
    return {name for record in records for name in (*record.names, *record.title_keys)}


def related(session: Session, records: Collection[Record]) -> list[Row]:
    """The papers that share a name with the records, and those that share one with these, and so
    on, by number: whatever the records bring about, it concerns no other paper."""
    found: dict[int, Row] = {}
    wanted, asked = names_of(records), set[str]()
    while wanted:
        asked |= wanted
        fresh = _rows(session, _numbers(session, wanted) - found.keys())
        found |= fresh
        wanted = {name for row in fresh.values() for name in row.aliases} - asked
    return [row for _, row in sorted(found.items())]


def records_of(session: Session, paper: Paper) -> list[Record]:
    """The records that a stored paper is made of."""
    return _rows(session, [number_of(paper)])[number_of(paper)].records


def _numbers(session: Session, names: Collection[str]) -> set[int]:
    return {
        number
        for chunk in in_chunks(names)
        for number in session.exec(
            select(PaperAlias.paper_number).where(col(PaperAlias.alias).in_(chunk))
        )
    }


def _rows(session: Session, numbers: Collection[int]) -> dict[int, Row]:
    found = {}
    for chunk in in_chunks(sorted(numbers)):
        aliases, kept = _aliases(session, chunk), _kept(session, chunk)
        for paper in session.exec(select(Paper).where(col(Paper.number).in_(chunk))):
            number = number_of(paper)
            own, names = kept[number], frozenset(aliases[number])
            records = [record for _, record in own] or [_only_record(paper, names)]
            ids = {record.key: identity for identity, record in own}
            found[number] = Row(paper, names, records, ids)
    return found


def _aliases(session: Session, numbers: Collection[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    query = select(PaperAlias.paper_number, PaperAlias.alias)
    for number, alias in session.exec(query.where(col(PaperAlias.paper_number).in_(numbers))):
        found[number].add(alias)
    return found


def _kept(session: Session, numbers: Collection[int]) -> dict[int, list[tuple[int, Record]]]:
    found: dict[int, list[tuple[int, Record]]] = defaultdict(list)
    query = select(PaperRecord).where(col(PaperRecord.paper_number).in_(numbers))
    for row in session.exec(query.order_by(col(PaperRecord.id))):
        found[row.paper_number].append((row.id or 0, from_json(row.name, row.said)))
    return found


def _only_record(paper: Paper, names: Collection[str]) -> Record:
    """The record that makes a paper all by itself."""
    return Record(
        name=paper.id,
        title=paper.title,
        announced=paper.announced,
        source=paper.source,
        abstract=paper.abstract,
        authors=tuple(paper.authors),
        categories=tuple(paper.categories),
        comment=paper.comment,
        version=paper.version,
        url=paper.url,
        also=tuple(sorted(n for n in names if n != paper.id and not n.startswith(TITLE_PREFIX))),
        title_keys=tuple(sorted(name for name in names if name.startswith(TITLE_PREFIX))),
        upvotes=paper.upvotes,
        upvotes_on=paper.upvotes_at.date() if paper.upvotes_at else None,
        discussed=paper.discussed,
        revised=paper.revised,
    )
