"""Papers in: from files and from sources, each paper once."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from paperpost import __version__
from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation
from paperpost.sources.arxiv import ArxivFeed, FetchedBatch, parse_source
from paperpost.sources.client import PoliteClient, Validators
from paperpost.sources.errors import SourceError
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Records, Rejected, identity, title_key
from paperpost.store import papers, requests

# One transaction each: memory stays flat, and other writers get their turn in between.
BATCH = 500
# arXiv's terms of use: one request in three seconds over all machines of an installation.
GAP = timedelta(seconds=3)


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
                _take_in(installation, read_papers(stream, today=today), str(path), result)
        except (SourceError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            result.rejected.append(RejectedRecord(str(path), 0, reason))
    return result


def fetch(installation: Installation, specs: Sequence[str] = ()) -> Ingested:
    """Ask the named sources, or the configured ones, for new papers.

    One source that fails does not keep the others from being read; its failure is recorded for
    `status` and stands among the rejected as record 0. Raises UnknownSource before anything is
    asked.
    """
    wanted = specs or installation.settings.sources
    check_sources(wanted)
    result = Ingested()
    client = _client(installation)
    try:
        for spec in wanted:
            _fetch_one(installation, client, spec, result)
    finally:
        client.close()
    return result


def check_sources(specs: Iterable[str]) -> None:
    """Raises UnknownSource at the first that is not written as a source is."""
    for spec in specs:
        parse_source(spec)


def fetch_due(installation: Installation, every: timedelta) -> Ingested | None:
    """Fetch the configured sources that were not asked for that long; None if none is due."""
    now = installation.clock()
    with installation.database.reading() as session:
        asked = {run.source: run.asked_at for run in requests.runs(session)}
    due = [
        spec
        for spec in installation.settings.sources
        if spec not in asked or now - asked[spec] >= every
    ]
    return fetch(installation, due) if due else None


def _fetch_one(
    installation: Installation, client: PoliteClient, spec: str, result: Ingested
) -> None:
    now = installation.clock()
    installation.say(f"asking {spec}")
    before = result.readable
    try:
        source = ArxivFeed(parse_source(spec), client, installation.settings.arxiv_url)
        batch = source.fetch(now.date())
        _take_in(installation, iter([*batch.found, *batch.rejected]), spec, result)
        batch.keep()
    except PaperpostError:
        raise  # the store's own trouble is not the source's
    except Exception as error:
        # SourceError is what is expected; whatever else a source brings about must be told for
        # `status` as well, and must not keep the others from being read.
        result.rejected.append(RejectedRecord(spec, 0, str(error) or type(error).__name__))
        _record(installation, spec, "failed", str(error), now)
    else:
        _record(installation, spec, "ok", _summary(batch, result.readable - before), now)


def _summary(batch: FetchedBatch, readable: int) -> str:
    if batch.not_modified:
        return "nothing new since the last fetch"
    return f"{readable} papers" if readable else "an empty feed: weekend, holiday or too early"


def _record(installation: Installation, spec: str, state: str, detail: str, now: datetime) -> None:
    with installation.database.writing() as session:
        requests.record_run(session, spec, state, detail, now)


def _take_in(installation: Installation, records: Records, name: str, result: Ingested) -> None:
    while batch := list(islice(records, BATCH)):
        found = [record for record in batch if isinstance(record, FoundPaper)]
        result.rejected += [
            RejectedRecord(name, record.record, record.reason)
            for record in batch
            if isinstance(record, Rejected)
        ]
        with installation.database.writing() as session:
            changes = papers.put_all(session, _arrivals(found), installation.clock())
        result.added += changes["added"]
        result.updated += changes["updated"]
        result.skipped += changes["skipped"]


def _arrivals(found: Iterable[FoundPaper]) -> list[papers.Arrival]:
    return [
        papers.Arrival(
            id=identity(paper),
            title_alias=title_key(paper.title),
            title=paper.title,
            abstract=paper.abstract,
            authors=paper.authors,
            categories=paper.categories,
            comment=paper.comment,
            announced=paper.announced,
            version=paper.version,
            url=paper.url,
            source=paper.source,
            only_if_known=paper.kind.startswith("replace"),
            other_ids=(f"doi:{paper.doi}",) if paper.doi else (),
            upvotes=paper.upvotes,
        )
        for paper in found
    ]


@dataclass(frozen=True)
class _ValidatorCache:
    """The web validators of everything that was taken in, kept in the store."""

    installation: Installation

    def get(self, url: str) -> Validators | None:
        with self.installation.database.reading() as session:
            etag, last_modified = requests.validators(session, url)
        return Validators(etag, last_modified) if etag or last_modified else None

    def put(self, url: str, validators: Validators) -> None:
        with self.installation.database.writing() as session:
            requests.keep_validators(session, url, validators.etag, validators.last_modified)


def _client(installation: Installation) -> PoliteClient:
    settings = installation.settings

    def wait_for_turn(host: str) -> None:
        # arXiv's limit is for all its hosts together.
        shared = "arxiv.org" if host.endswith("arxiv.org") else host
        with installation.database.writing() as session:
            start = requests.book_turn(session, shared, installation.clock(), GAP)
        time.sleep(max(0.0, (start - installation.clock()).total_seconds()))

    return PoliteClient(
        contact=settings.operator,
        version=__version__,
        gate=wait_for_turn,
        cache=_ValidatorCache(installation),
        allow_private=settings.allow_private_sources
        or urlsplit(settings.arxiv_url).hostname in ("127.0.0.1", "localhost"),
    )
