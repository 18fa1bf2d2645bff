"""Papers in: what sources said of them is put together, and each work is one row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import insert
from sqlmodel import Session, col, delete

from paperpost.store import merging
from paperpost.store.database import take_turns
from paperpost.store.identity import works
from paperpost.store.papers import number_of
from paperpost.store.records import Record, as_json, columns, known
from paperpost.store.related import Row, names_of, related
from paperpost.store.tables import Paper, PaperAlias, PaperRecord

Change = Literal["added", "updated", "skipped"]


def put_all(session: Session, told: Sequence[Record], now: datetime) -> Counter[Change]:
    """Take records in; the same ones again change nothing. Returns how many of each change."""
    take_turns(session, "paper_alias")
    works_now = _arranged(related(session, told), told)
    changes = Counter(change for work in works_now for change in work.changes())
    touched = [work for work in works_now if not work.is_untouched and not work.is_unknown]
    # Before any other gets the id of a row that is given up.
    merging.merge(
        session, {row.number: work.rows[0].number for work in touched for row in work.rows[1:]}
    )
    stored = [(work.put_together(session, now), work) for work in touched]
    session.flush()  # which numbers the new ones
    _keep_names(session, stored)
    _keep_records(session, stored)
    return changes


@dataclass(eq=False)
class _Work:
    """A paper as it is from now on: its records, those of them that were stored, what was told of
    it now, and the rows that stay with it, of which the first remains."""

    records: list[Record]
    before: list[Record] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def is_untouched(self) -> bool:
        """Whether all is as it was."""
        return not self.told and len(self.rows) == 1 and self.before == self.rows[0].records

    @property
    def is_unknown(self) -> bool:
        """Whether nothing but changes was told, of what is not there."""
        return not self.before and all(record.only_if_known for record in self.told)

    @cached_property
    def columns(self) -> dict[str, Any]:
        return columns(self.records)

    def changes(self) -> Iterable[Change]:
        """What each told record brought about, as if one came after the other."""
        if self.is_unknown:
            return ["skipped" for _ in self.told]
        before = columns(self.before) if self.rows and self.told else None
        found: list[Change] = []
        for number in range(1, len(self.told) + 1):
            is_last = number == len(self.told)
            after = self.columns if is_last else columns(known(self.before + self.told[:number]))
            found.append("added" if before is None else "skipped" if after == before else "updated")
            before = after
        return found

    def put_together(self, session: Session, now: datetime) -> Paper:
        """The paper's row, with what has changed."""
        if not self.rows:
            paper = Paper(**self.columns, added_at=now, changed_at=now)
            session.add(paper)
            return paper
        paper = self.rows[0].paper
        days = [day for row in self.rows for day in (row.paper.announced, row.paper.stood_from)]
        first = min(day for day in days if day is not None)
        wanted = self.columns | {"stood_from": first if first < self.columns["announced"] else None}
        changed = {k: value for k, value in wanted.items() if getattr(paper, k) != value}
        for name, value in changed.items():
            setattr(paper, name, value)
        if changed:
            paper.changed_at = now
        return paper


def _arranged(rows: Sequence[Row], told: Sequence[Record]) -> list[_Work]:
    """The papers that stored and told records make together, in the order of these."""
    stored = [record for row in rows for record in row.records]
    arranged = [_Work(records) for records in works(known([*stored, *told]))]
    work_of = {record.name: work for work in arranged for record in work.records}
    for row in rows:
        work_of[row.home].rows.append(row)
    for record in stored:
        work_of[record.name].before.append(record)
    for record in told:
        work_of[record.name].told.append(record)
    return list(dict.fromkeys(work_of[record.name] for record in [*stored, *told]))


def _keep_names(session: Session, stored: Iterable[tuple[Paper, _Work]]) -> None:
    new = []
    for paper, work in stored:
        number, names = number_of(paper), names_of(work.records)
        had = work.rows[0].aliases if work.rows else frozenset[str]()
        new += [{"alias": name, "paper_number": number} for name in sorted(names - had)]
        if gone := had - names:
            of_paper = col(PaperAlias.paper_number) == number
            session.execute(delete(PaperAlias).where(of_paper, col(PaperAlias.alias).in_(gone)))
    if new:
        session.execute(insert(PaperAlias), new)


def _keep_records(session: Session, stored: Iterable[tuple[Paper, _Work]]) -> None:
    """A paper of several records keeps each; one of a single record is that record."""
    for paper, work in stored:
        kept = work.rows[0].kept if work.rows else {}
        before = {record.key: record for record in work.before}
        records = {record.key: record for record in work.records if len(work.records) > 1}
        if gone := [kept[key] for key in kept.keys() - records.keys()]:
            session.execute(delete(PaperRecord).where(col(PaperRecord.id).in_(gone)))
        for key, record in records.items():
            row = PaperRecord(
                id=kept.get(key),
                paper_number=number_of(paper),
                name=record.name,
                said=as_json(record),
            )
            if row.id is None:
                session.add(row)
            elif record != before[key]:
                session.merge(row)
