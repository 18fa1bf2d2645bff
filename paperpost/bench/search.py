"""`bench search`: how long searches take, beside arxiv-sanity-lite's, which counts the typed words
in the texts of all papers (https://github.com/karpathy/arxiv-sanity-lite, serve.py, search_rank;
its texts lie in memory here).

Every size has an installation and a process of its own. A fifth of the papers is newer than the
model and is folded in, as it is for some hours on a site.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from rich.table import Table
from sqlalchemy import insert

from paperpost.bench.invented import SEED, Corpus, Language
from paperpost.bench.processes import in_own_process, peak_mebibytes
from paperpost.bench.report import Comparison, number
from paperpost.bench.train import exponent
from paperpost.service.installation import Installation
from paperpost.service.search import Order, search
from paperpost.service.space import space_at_hand
from paperpost.settings import load_settings
from paperpost.store import snapshots, word_index
from paperpost.store.database import Database, in_chunks
from paperpost.store.tables import Paper, Snapshot
from paperpost.store.words import EVERYWHERE, Query, Within, read_query
from recommender.background import sampled
from recommender.duplicates import headings_of
from recommender.factors import space_of
from recommender.matrices import Floats, entries, from_entries
from recommender.model import Model
from recommender.neighbours import neighbours_of
from recommender.spaces import SPACES, JointSpace, joined
from recommender.text import learn_weights

TERMS = 50_000
_WITHOUT_WORDS = "0004"  # the migration before the one that makes the index
_NEW = 0.2
_EACH_DAY = 300
_FIRST = date(2025, 8, 1)
_NOW = datetime(2026, 4, 9, 12, tzinfo=UTC)
_WORDS_OF_A_TITLE = 11
# Every third paper is of each.
_CATEGORIES = ("cs.LG", "cs.CL", "math.OC")
_PEER = "arxiv-sanity-lite's loop over all texts"

# The made-up words by rank, most frequent first: term0 stands in half of the papers, term20000 in
# a handful.
SEARCHES: Mapping[str, str] = {
    "rare word": "term20000",
    "usual word": "term500",
    "common word": "term0",
    "two words": "term300 term2500",
    "four common words": "term0 term1 term2 term3",
    "twelve words": " ".join(f"term{7 * number}" for number in range(1, 13)),
    "phrase": '"term0 term1"',
    "words of which few have all": "term900 term1700 term4000 term9000",
    "without a word": "term300 -term0",
    "beginning of a word": "term49*",
}


@dataclass(frozen=True, slots=True)
class Searched:
    """One size: milliseconds of the median search (`ours`, `peer`), of each search in the whole, by
    words and by meaning; seconds of the very first one, of folding in what is new, and of the
    migration that makes the index; the index in MiB of disk, and the process in MiB at its peak."""

    papers: int
    ours: float
    slowest: float
    peer: float
    both: Mapping[str, float]
    words: Mapping[str, float]
    meaning: Mapping[str, float]
    first_seconds: float
    folding_seconds: float
    indexing_seconds: float
    index_mebibytes: float
    peak_mebibytes: float


def bench_search(
    sizes: Sequence[int], rounds: int, database: str | None, say: Callable[[str], None]
) -> Comparison:
    """Search among so many papers; `ours` and `peer` are those of the most."""
    points = []
    for size in sorted(set(sizes)):
        say(f"searching {size:,} papers")
        points.append(in_own_process(search_among, size, rounds, database))
    largest = points[-1]
    growth = exponent([one.papers for one in points], [one.ours for one in points])
    return Comparison(
        f"a search among {largest.papers:,} papers, the median of {len(SEARCHES)} kinds",
        largest.ours,
        largest.peer,
        "milliseconds",
        _PEER,
        {
            "rounds": rounds,
            "slowest_milliseconds": largest.slowest,
            "first_seconds": largest.first_seconds,
            "folding_seconds": largest.folding_seconds,
            "indexing_seconds": largest.indexing_seconds,
            "index_mebibytes": largest.index_mebibytes,
            "peak_mebibytes": largest.peak_mebibytes,
            "growth": {"exponent": growth, "points": [asdict(one) for one in points]},
        },
        [_kinds(largest), _growth(points)],
    )


def search_among(papers: int, rounds: int, url: str | None) -> Searched:
    """Make up an installation and search it, in this process."""
    with TemporaryDirectory() as name, _installation(Path(name), url) as installation:
        filled = _fill(installation, papers)
        return _measure(installation, filled, rounds)


@contextmanager
def _installation(folder: Path, url: str | None) -> Iterator[Installation]:
    wanted: dict[str, Any] = (
        {"database_url": url, "secret_key": ("made up for a measurement",)} if url else {}
    )
    settings = load_settings(home=folder, sources=(), **wanted)
    database = Database(settings.store_url)
    database.upgrade(_WITHOUT_WORDS)
    installation = Installation(settings, database, lambda: _NOW)
    try:
        yield installation
    finally:
        installation.close()
        if url:
            database.downgrade("base")


@dataclass(slots=True)
class _Filled:
    texts: list[tuple[str, str, str]] = field(default_factory=list)
    indexing_seconds: float = 0.0
    index_mebibytes: float = 0.0


def _fill(installation: Installation, papers: int) -> _Filled:
    rng = np.random.default_rng(SEED)
    language = Language.invent(TERMS, rng)
    new = int(papers * _NEW)
    corpora = (
        Corpus.invent(language, papers - new, "known", rng),
        Corpus.invent(language, new, "new", rng),
    )
    filled = _Filled()
    for corpus in corpora:
        rows = [
            _row(corpus, place, len(filled.texts) + place, rng)
            for place in range(len(corpus.papers))
        ]
        filled.texts += [(" ".join(row["authors"]), row["title"], row["abstract"]) for row in rows]
        for some in in_chunks(rows):
            with installation.database.writing() as session:
                session.connection().execute(insert(Paper), some)
    _index(installation, filled)
    _add_model(installation, corpora[0], rng)
    return filled


def _row(corpus: Corpus, place: int, position: int, rng: np.random.Generator) -> dict[str, Any]:
    columns, counts = entries(corpus.counts, place)
    words = rng.permutation(np.repeat(columns, counts.astype(int)))
    written = [f"term{word}" for word in words]
    return {
        "id": corpus.papers[place].id,
        "title": " ".join(written[:_WORDS_OF_A_TITLE]),
        "abstract": " ".join(written[_WORDS_OF_A_TITLE:]),
        "authors": [f"Name{number} Surname{number}" for number in rng.integers(20_000, size=4)],
        "categories": [_CATEGORIES[position % len(_CATEGORIES)]],
        "announced": _FIRST + timedelta(days=position // _EACH_DAY),
        "source": "made up",
        "added_at": _NOW,
        "changed_at": _NOW,
    }


def _index(installation: Installation, filled: _Filled) -> None:
    """As the migration does for papers that are there already."""
    database = installation.database
    with database.reading() as session:
        before = database.size(session)
    started = time.perf_counter()
    database.upgrade()
    filled.indexing_seconds = time.perf_counter() - started
    with database.reading() as session:
        filled.index_mebibytes = (database.size(session) - before) / 2**20


def _add_model(installation: Installation, corpus: Corpus, rng: np.random.Generator) -> None:
    folder = installation.settings.models_folder
    folder.mkdir(parents=True, exist_ok=True)
    _model(corpus, rng).save(folder / "made-up.npz")
    row = Snapshot(
        file="made-up.npz",
        trained_at=installation.clock(),
        papers=len(corpus.ids),
        votes=0,
        seconds=0.0,
    )
    with installation.database.writing() as session:
        snapshots.add(session, row)


def _model(corpus: Corpus, rng: np.random.Generator) -> Model:
    """As large as one that was fitted. Its space is a random projection of the words, in which
    papers that share many are near as well."""
    vocabulary = learn_weights(corpus.language.names, corpus.counts)
    tfidf = vocabulary.weigh(corpus.counts)
    parts = []
    for settings in SPACES:
        terms = rng.standard_normal((len(vocabulary.terms), settings.factors), dtype=np.float32)
        parts.append(space_of(terms, cast(Floats, tfidf @ terms), settings))
    spaces, papers = zip(*parts, strict=True)
    space = JointSpace(spaces, joined(papers))
    ids, titles = tuple(corpus.ids), tuple(paper.title for paper in corpus.papers)
    background = sampled(ids, tfidf, space.paper_factors)
    nobody = neighbours_of(from_entries([], len(ids)))
    return Model(
        vocabulary, space, ids, titles, tfidf, background, nobody, headings_of(corpus.papers)
    )


def _measure(installation: Installation, filled: _Filled, rounds: int) -> Searched:
    first = _milliseconds(lambda: search(installation, "term300 term2500"), 1) / 1000
    started = time.perf_counter()
    if installation.slot.folding is not None:
        installation.slot.folding.join()
    folding = time.perf_counter() - started
    peak = peak_mebibytes()
    both = {
        kind: _milliseconds(partial(search, installation, typed), rounds)
        for kind, typed in SEARCHES.items()
    }
    asked = partial(search, installation, "term300 term2500")
    both["in a category and some days"] = _milliseconds(
        lambda: asked(category="cs.CL", since=_FIRST + timedelta(days=10)), rounds
    )
    both["newest first"] = _milliseconds(
        lambda: search(installation, "term0", order=Order.NEWEST), rounds
    )
    return Searched(
        papers=len(filled.texts),
        ours=median(both.values()),
        slowest=max(both.values()),
        peer=median(_milliseconds(partial(_peer, filled.texts, q), 1) for q in SEARCHES.values()),
        both=both,
        words=_by_words(installation, rounds),
        meaning=_by_meaning(installation, rounds),
        first_seconds=first,
        folding_seconds=folding,
        indexing_seconds=filled.indexing_seconds,
        index_mebibytes=filled.index_mebibytes,
        peak_mebibytes=peak,
    )


def _by_words(installation: Installation, rounds: int) -> dict[str, float]:
    def by_words(query: Query, within: Within = EVERYWHERE) -> None:
        with installation.database.reading() as session:
            word_index.best(session, query, within, limit=20)
            word_index.count(session, query, within)

    return {
        kind: _milliseconds(partial(by_words, read_query(typed)), rounds)
        for kind, typed in SEARCHES.items()
    }


def _by_meaning(installation: Installation, rounds: int) -> dict[str, float]:
    def by_meaning(typed: str) -> None:
        space = space_at_hand(installation)
        meaning = space.places.meaning(typed) if space else None
        if space is not None and meaning is not None:
            space.places.nearest(meaning, 20)

    return {
        kind: _milliseconds(partial(by_meaning, typed), rounds) for kind, typed in SEARCHES.items()
    }


def _milliseconds(action: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return median(times) * 1000


def _peer(texts: Sequence[tuple[str, str, str]], typed: str) -> list[tuple[float, int]]:
    words = typed.lower().strip().split()
    found = []
    for place, (authors, title, abstract) in enumerate(texts):
        score = 10.0 * sum(authors.lower().count(word) > 0 for word in words)
        score += 20.0 * sum(title.lower().count(word) > 0 for word in words)
        score += 1.0 * sum(min(3, abstract.lower().count(word)) for word in words)
        if score > 0:
            found.append((score, place))
    return sorted(found, reverse=True)


def _kinds(one: Searched) -> Table:
    table = Table(title="milliseconds by kind of search", title_justify="left")
    table.add_column("kind")
    for name in ("whole", "words", "meaning"):
        table.add_column(name, justify="right")
    for kind, whole in one.both.items():
        parts = (number(by[kind]) if kind in by else "" for by in (one.words, one.meaning))
        table.add_row(kind, number(whole), *parts)
    return table


def _growth(points: Sequence[Searched]) -> Table:
    table = Table(title="growth", title_justify="left")
    for name in ("papers", "milliseconds", "slowest", "the loop", "MiB"):
        table.add_column(name, justify="right")
    for one in points:
        figures = (one.papers, one.ours, one.slowest, one.peer, one.peak_mebibytes)
        table.add_row(*map(number, figures))
    return table
