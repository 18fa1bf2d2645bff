"""Papers in, each once: from files, and from whatever a source found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from paperpost.service.installation import Installation
from paperpost.service.shelf import give_way
from paperpost.sources.errors import SourceError
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Records, Rejected, is_telling, title_key
from paperpost.sources.identifiers import any_identifier, page_of
from paperpost.store.intake import put_all
from paperpost.store.records import Record, best_name

# One transaction each: memory stays flat, and other writers get their turn in between.
BATCH = 500


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One record that is no paper. `record` counts from 1; 0 stands for the whole file."""

    file: str
    record: int
    reason: str


@dataclass(slots=True)
class Ingested:
    """What became of everything that came in."""

    added: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: list[RejectedRecord] = field(default_factory=list)

    @property
    def readable(self) -> int:
        """How many records were papers."""
        return self.added + self.updated + self.skipped


def import_files(installation: Installation, paths: Sequence[Path]) -> Ingested:
    """Take in files of papers, whatever their format; a bad record never loses the rest."""
    result = Ingested()
    today = installation.clock().date()
    for number, path in enumerate(paths, start=1):
        if len(paths) > 1:
            installation.say(f"reading {path.name} ({number} of {len(paths)})")
        try:
            with path.open("rb") as stream:
                take_in(installation, read_papers(stream, today=today), str(path), result)
        except (SourceError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            result.rejected.append(RejectedRecord(str(path), 0, reason))
    return result


def take_in(installation: Installation, records: Records, name: str, result: Ingested) -> None:
    """Take records in and count in `result` what became of them; `name` is where they are from."""
    while batch := list(islice(records, BATCH)):
        found = [record for record in batch if isinstance(record, FoundPaper)]
        result.rejected += [
            RejectedRecord(name, record.record, record.reason)
            for record in batch
            if isinstance(record, Rejected)
        ]
        told = records_of(found)
        with installation.database.writing() as session:
            changes = put_all(session, told, installation.clock())
            give_way(session, told)
        result.added += changes["added"]
        result.updated += changes["updated"]
        result.skipped += changes["skipped"]


def records_of(found: Iterable[FoundPaper]) -> list[Record]:
    """What was found, as the store takes it in."""
    return [_record(paper) for paper in found]


def _record(found: FoundPaper) -> Record:
    key = title_key(found.title)
    names = list(_identifiers(found))
    name = best_name(found.id or key, names)
    replaces = found.kind.startswith("replace")
    return Record(
        name=name,
        title=found.title,
        announced=found.announced,
        source=found.source,
        abstract=found.abstract,
        authors=found.authors,
        categories=found.categories,
        comment=found.comment,
        version=found.version,
        url=page_of(name) or found.url,
        also=tuple(names),
        title_keys=(key,) if is_telling(found.title) else (),
        upvotes=found.upvotes,
        discussed=found.discussed,
        revised=found.revised or (found.announced if replaces else None),
        only_if_known=replaces,
    )


def _identifiers(found: FoundPaper) -> Iterator[str]:
    for text in (found.id, f"doi:{found.doi}", *found.also):
        if text is not None and (identifier := any_identifier(text)):
            yield identifier
