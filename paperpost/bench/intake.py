"""`bench import`: how papers come in, beside json and sqlite3 doing no more than storing the lines.

Every size is imported in a process of its own, so that its peak of memory is its own. The largest
batch that arXiv's feed can hold is read as well, from RSS.
"""

import gzip
import io
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from rich.table import Table

from paperpost.bench.invented import SEED
from paperpost.bench.processes import in_own_process, peak_mebibytes
from paperpost.bench.report import Comparison, number
from paperpost.bench.train import exponent
from paperpost.service.ingest import Ingested, import_files, take_in
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.sources.formats import read_papers
from paperpost.store.database import Database

DAY_SIZE = 1_500
# A year of the largest category; ids of one month hold five digits.
_EACH_DAY = 300
_FIRST = date(2025, 1, 1)
_WORDS_OF_A_TITLE, _WORDS_OF_AN_ABSTRACT, _LETTERS = 11, 185, 7
_VOCABULARY = 20_000
_NAMESPACES = (
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: papers, seconds the first time and told again, the peer's, the peak in MiB."""

    papers: int
    ours: float
    again: float
    peer: float
    peak_mebibytes: float


def bench_import(sizes: Sequence[int], say: Callable[[str], None]) -> Comparison:
    """Import so many papers; `ours` and `peer` are those of the most."""
    points = []
    for size in sorted(set(sizes)):
        say(f"importing {size:,} papers")
        points.append(in_own_process(import_once, size))
    say(f"reading a day of {DAY_SIZE:,} papers as RSS")
    seconds = in_own_process(read_a_day, DAY_SIZE)
    largest = points[-1]
    growth = exponent([one.papers for one in points], [one.ours for one in points])
    return Comparison(
        f"importing {largest.papers:,} papers",
        largest.ours,
        largest.peer,
        "seconds",
        "json and sqlite3, one table",
        {
            "seconds_for_a_day_as_rss": seconds,
            "papers_of_that_day": DAY_SIZE,
            "growth": {"exponent": growth, "points": [asdict(one) for one in points]},
        },
        [_table(points)],
    )


def import_once(papers: int) -> Imported:
    """Import a file of made-up papers into a new database, twice, in this process."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "papers.jsonl.gz"
        with gzip.open(file, "wt", encoding="utf-8", compresslevel=1) as stream:
            stream.writelines(json.dumps(paper) + "\n" for paper in invented_papers(papers))
        with _installation(folder) as installation:
            ours, again = (_timed(lambda: import_files(installation, [file])) for _ in range(2))
        peak = peak_mebibytes()
        return Imported(papers, ours, again, _timed(lambda: _store_lines(file, folder)), peak)


def read_a_day(papers: int) -> float:
    """Seconds from a feed's bytes to stored papers."""
    document = as_rss(list(invented_papers(papers)))
    with TemporaryDirectory() as name, _installation(Path(name)) as installation:

        def take() -> None:
            records = read_papers(io.BytesIO(document), today=_FIRST + timedelta(days=7))
            take_in(installation, records, "feed", Ingested())

        return _timed(take)


def invented_papers(number_of: int) -> Iterator[dict[str, Any]]:
    """Papers of made-up words, as long as real ones, with ids and days in order."""
    rng = np.random.default_rng(SEED)
    letters = rng.integers(97, 123, (_VOCABULARY, _LETTERS), dtype=np.uint8)
    words = [bytes(row).decode() for row in letters]
    frequencies = 1 / np.arange(10, _VOCABULARY + 10)
    frequencies /= frequencies.sum()
    for position in range(number_of):
        day = _FIRST + timedelta(days=position // _EACH_DAY)
        size = _WORDS_OF_A_TITLE + _WORDS_OF_AN_ABSTRACT
        chosen = [words[n] for n in rng.choice(_VOCABULARY, size, p=frequencies)]
        yield {
            "id": f"{day:%y%m}.{position % 100_000:05}",
            "announced": day.isoformat(),
            "title": " ".join(chosen[:_WORDS_OF_A_TITLE]),
            "abstract": " ".join(chosen[_WORDS_OF_A_TITLE:]),
            "authors": [f"{word.title()} {chosen[0].title()}" for word in chosen[1:5]],
            "categories": ["cs.LG", "cs.AI"],
            "comment": None,
        }


def as_rss(papers: Sequence[dict[str, Any]]) -> bytes:
    """Papers in the form of an import, as arXiv's daily feed tells them."""
    items = "".join(
        f"<item><title>{paper['title']}</title><link>https://arxiv.org/abs/{paper['id']}</link>"
        f"<description>arXiv:{paper['id']}v1 Announce Type: new \nAbstract: {paper['abstract']}"
        f'</description><guid isPermaLink="false">oai:arXiv.org:{paper["id"]}v1</guid>'
        f"{''.join(f'<category>{name}</category>' for name in paper['categories'])}"
        f"<pubDate>{_published(paper['announced'])}</pubDate>"
        "<arxiv:announce_type>new</arxiv:announce_type>"
        f"<dc:creator>{', '.join(paper['authors'])}</dc:creator></item>"
        for paper in papers
    )
    channel = f"<channel><title>a day</title>{items}</channel>"
    return f'<rss version="2.0" {_NAMESPACES}>{channel}</rss>'.encode()


def _published(day: str) -> str:
    return format_datetime(datetime.combine(date.fromisoformat(day), time.min, UTC))


@contextmanager
def _installation(folder: Path) -> Iterator[Installation]:
    settings = load_settings(home=folder, sources=())
    database = Database(settings.store_url)
    database.upgrade()
    installation = Installation(settings, database)
    try:
        yield installation
    finally:
        installation.close()


def _store_lines(file: Path, folder: Path) -> None:
    database = sqlite3.connect(folder / "peer.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(
        "CREATE TABLE paper (id TEXT PRIMARY KEY, announced TEXT, title TEXT, abstract TEXT, "
        "authors TEXT, categories TEXT, comment TEXT)"
    )
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = (_row(json.loads(line)) for line in lines)
        database.executemany("INSERT OR IGNORE INTO paper VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()


def _row(paper: dict[str, Any]) -> tuple[object, ...]:
    return tuple(
        json.dumps(value) if isinstance(value, list) else value for value in paper.values()
    )


def _timed(action: Callable[[], object]) -> float:
    started = perf_counter()
    action()
    return perf_counter() - started


def _table(points: Sequence[Imported]) -> Table:
    table = Table(title="growth", title_justify="left")
    for name in ("papers", "seconds", "told again", "json and sqlite3", "MiB"):
        table.add_column(name, justify="right")
    for one in points:
        table.add_row(*map(number, (one.papers, one.ours, one.again, one.peer, one.peak_mebibytes)))
    return table
