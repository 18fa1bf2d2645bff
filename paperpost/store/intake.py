"""Papers in: what sources said of them is put together, and each work is one row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import insert
from sqlmodel import Session, col, delete

from paperpost.store import merging, waiting
from paperpost.store.database import take_turns
from paperpost.store.identity import works
from paperpost.store.papers import number_of
from paperpost.store.records import Record, as_json, bounded, columns, known
from paperpost.store.related import Row, names_of, related
from paperpost.store.tables import Paper, PaperAlias, PaperRecord

Change = Literal["added", "updated", "skipped"]


def put_all(session: Session, told: Sequence[Record], now: datetime) -> Counter[Change]:
    """Take records in; the same ones again change nothing. Returns how many of each change."""
    take_turns(session, "paper_alias")
    waited = waiting.named(session, {name for record in told for name in record.names})
    rows = related(session, [*told, *waited.values()])
    works_now = _arranged(rows, list(waited.values()), told)
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
    unknown = (record for work in works_now if work.is_unknown for record in work.records)
    waiting.keep(session, waited, unknown, now)
    return changes


@dataclass(eq=False)
class _Work:
    """A paper as it is from now on: its records, those of them that were stored or waited, what was
    told of it now, and the rows that stay with it, of which the first remains."""

    records: list[Record]
    before: list[Record] = field(default_factory=list)
    waited: list[Record] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def is_untouched(self) -> bool:
        """Whether all is as it was."""
        is_old = not self.told and not self.waited and len(self.rows) == 1
        return is_old and self.before == self.rows[0].records

    @property
    def is_unknown(self) -> bool:
        """Whether nothing but changes was told, of what is not there."""
        return not self.before and all(record.only_if_known for record in self.told)

    @cached_property
    def columns(self) -> dict[str, Any]:
        return columns(self.records)

    def changes(self) -> Iterable[Change]:
        """What each told record brought about. The paper is compared once: if it is another one
        now, each record that was not known counts as a change."""
        if self.is_unknown or not self.told:
            return ["skipped" for _ in self.told]
        known_before = [] if self.rows else self.told[:1]
        has_changed = columns(self.before or known_before) != self.columns
        heard = {*self.before, *known_before}
        found: list[Change] = ["added" for _ in known_before]
        for record in self.told[len(known_before) :]:
            found.append("updated" if has_changed and record not in heard else "skipped")
            heard.add(record)
        return found

    def put_together(self, session: Session, now: datetime) -> Paper:
        """The paper's row, with what has changed."""
        if not self.rows:
            paper = Paper(
                **self.columns, revised_at=self._revised_at(now), added_at=now, changed_at=now
            )
            session.add(paper)
            return paper
        paper = self.rows[0].paper
        days = [day for row in self.rows for day in (row.paper.announced, row.paper.stood_from)]
        first = min(day for day in days if day is not None)
        wanted = self.columns | {
            "stood_from": first if first < self.columns["announced"] else None,
            "revised_at": self._revised_at(now),
        }
        changed = {k: value for k, value in wanted.items() if getattr(paper, k) != value}
        for name, value in changed.items():
            setattr(paper, name, value)
        if changed:
            paper.changed_at = now
        return paper

    def _revised_at(self, now: datetime) -> datetime | None:
        """Since when it is known that there is a version as new as the newest."""
        newest = self.columns["revised"]
        if newest is None:
            return None
        papers = [row.paper for row in self.rows]
        told = (one.revised_at for one in papers if one.revised and one.revised >= newest)
        return min(filter(None, told), default=now)


def _arranged(rows: Sequence[Row], waited: Sequence[Record], told: Sequence[Record]) -> list[_Work]:
    """The papers that stored, waiting and told records make together, in the order of these."""
    stored = [record for row in rows for record in row.records]
    work_of: dict[str, _Work] = {}
    for records in works(known([*stored, *waited, *told])):
        work = _Work(bounded(records))
        work_of |= dict.fromkeys((record.name for record in records), work)
    for row in rows:
        work_of[row.home].rows.append(row)
    for record in stored:
        work_of[record.name].before.append(record)
    for record in waited:
        work_of[record.name].waited.append(record)
    for record in told:
        work_of[record.name].told.append(record)
    everything = [*stored, *waited, *told]
    return list(dict.fromkeys(work_of[record.name] for record in everything))


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
