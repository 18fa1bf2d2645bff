"""`evaluate search`: how well searches find papers that somebody has in mind (known-item search,
measured as Azzopardi, de Rijke and Balog proposed in "Building Simulated Queries for Known-Item
Topics", SIGIR 2007), by words, by meaning, and by both as the site puts them together.

The papers are real, what is searched for is made of them: words that stand in the paper; such words
and one that does not, as somebody remembers them; the title of another paper by the same people.
It stands here and not in evaluation/, because it is the shipped search that is asked, and that one
needs a store.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.table import Table
from sqlmodel import Session

from paperpost.bench.processes import BenchError
from paperpost.evaluation.report import rendered
from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.service.search import Order, rankings
from paperpost.service.space import Space, space_at_hand
from paperpost.service.train import text_of, train
from paperpost.settings import load_settings
from paperpost.store import papers
from paperpost.store.database import Database
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper
from paperpost.store.words import EVERYWHERE
from recommender.batch import Batch
from recommender.matrices import dense_product, transposed
from recommender.metrics import Interval, bootstrap_interval
from recommender.text import words

QUESTIONS = 300  # of each kind
TOP = 10
# Words of a paper that somebody searches by; and people who wrote both papers, at least.
_WORDS = 3
_SAME_PEOPLE = 2
# Words that are long enough to be searched by.
_PLAIN = re.compile(r"[a-z]{4,}")

_OURS = "Paperpost: words and meaning"
_HALVES = ("words", "meaning")

Ranking = Sequence[int]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody types, the numbers of the papers that they would be glad of, and of the one
    that they have at hand, which is no answer."""

    text: str
    wanted: frozenset[int]
    at_hand: int | None = None

    def reciprocal_rank(self, ranking: Ranking) -> float:
        """One over the place of the first wanted paper; 0 where it is not in the first TOP."""
        answers = [number for number in ranking if number != self.at_hand][:TOP]
        places = (place for place, number in enumerate(answers, 1) if number in self.wanted)
        return 1 / next(places, np.inf)


@dataclass(slots=True)
class KnownItems:
    """What one run found: the mean reciprocal rank of each kind of question and searcher, and by
    how much ours is above each of its halves, question by question."""

    seed: int
    papers: int
    questions: dict[str, int] = field(default_factory=dict)
    found: dict[str, dict[str, Interval]] = field(default_factory=dict)
    gains: dict[str, dict[str, Interval]] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return {
            "protocol": "known-item search",
            "seed": self.seed,
            "papers": self.papers,
            "questions": self.questions,
            "models": _as_json(self.found),
            "gains": _as_json(self.gains),
        }

    @property
    def text(self) -> str:
        """The figures as a table."""
        title = f"mean reciprocal rank of the first {TOP}, among {self.papers:,} papers"
        table = Table(title=title, title_justify="left")
        table.add_column("search")
        kinds = [*self.questions]
        for kind in [*kinds, "all"]:
            table.add_column(kind, justify="right")
        gains = {f"more than by {name} alone": by_kind for name, by_kind in self.gains.items()}
        for name, by_kind in (self.found | gains).items():
            cells = (by_kind[f"mrr@{TOP} {kind}"] for kind in [*kinds, "all"])
            table.add_row(
                name, *(f"{one.mean:.3f} ({one.low:.3f}-{one.high:.3f})" for one in cells)
            )
        return rendered([table])


def evaluate_search(folder: Path, seed: int, say: Callable[[str], None]) -> KnownItems:
    """Import all papers of a folder, learn from them, and search. Raises BenchError where there are
    none."""
    files = sorted(folder.rglob("*.jsonl*"))
    with TemporaryDirectory() as name, _installation(Path(name), say) as installation:
        import_files(installation, files)
        if train(installation) is None:
            raise BenchError(f"{folder}: there are no papers in files named *.jsonl or *.jsonl.gz")
        return measure(installation, seed, say)


@contextmanager
def _installation(folder: Path, say: Callable[[str], None]) -> Iterator[Installation]:
    settings = load_settings(home=folder, sources=())
    database = Database(settings.store_url)
    database.upgrade()
    installation = Installation(settings, database, say=say)
    try:
        yield installation
    finally:
        installation.close()


def measure(installation: Installation, seed: int, say: Callable[[str], None]) -> KnownItems:
    """Search among what is stored there, which a model was trained on."""
    space = space_at_hand(installation)
    if space is None:
        raise BenchError("nothing was learnt from these papers")
    with installation.database.reading() as session:
        stored = papers.newest(session, len(space.numbers))
        searcher = _Searcher(session, space, stored)
        result = KnownItems(seed, len(stored))
        values: dict[str, dict[str, list[float]]] = {}
        for kind, questions in _questions(stored, np.random.default_rng(seed)).items():
            say(f"searching by {kind}: {len(questions)} questions")
            result.questions[kind] = len(questions)
            for question in questions:
                for name, ranking in searcher.search(question.text).items():
                    found = question.reciprocal_rank(ranking)
                    values.setdefault(name, {}).setdefault(kind, []).append(found)
    result.found = {name: _intervals(by_kind, seed) for name, by_kind in values.items()}
    for half in _HALVES:
        result.gains[half] = _intervals(_differences(values[_OURS], values[half]), seed)
    return result


def _as_json(found: Mapping[str, Mapping[str, Interval]]) -> dict[str, Any]:
    return {
        name: {kind: asdict(one) for kind, one in by_kind.items()}
        for name, by_kind in found.items()
    }


def _differences(
    ours: Mapping[str, list[float]], other: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    return {
        kind: [one - two for one, two in zip(values, other[kind], strict=True)]
        for kind, values in ours.items()
    }


def _intervals(by_kind: Mapping[str, list[float]], seed: int) -> dict[str, Interval]:
    every = [value for values in by_kind.values() for value in values]
    return {
        f"mrr@{TOP} {kind}": bootstrap_interval(np.array(values), np.random.default_rng(seed))
        for kind, values in {**by_kind, "all": every}.items()
    }


class _Searcher:
    """The shipped search and its halves, and cosines of TF-IDF."""

    def __init__(self, session: Session, space: Space, stored: Sequence[Paper]) -> None:
        self._session, self._space = session, space
        self._numbers = [number_of(paper) for paper in stored]
        self._batch: Batch = space.model.batch([text_of(paper) for paper in stored])

    def search(self, text: str) -> dict[str, Ranking]:
        """The best numbers by each."""
        found = rankings(self._session, text, Order.RELEVANCE, EVERYWHERE, self._space)
        return {
            "TF-IDF": self._by_tfidf(text),
            "words": [*found.words, *found.some_words],
            "meaning": found.meaning or (),
            _OURS: found.fused(),
        }

    def _by_tfidf(self, text: str) -> Ranking:
        seed = self._space.model.seeds([text])
        cosines = dense_product(self._batch.tfidf, transposed(seed.tfidf))[:, 0]
        best = np.argsort(-cosines, kind="stable")[: TOP + 1]
        return [self._numbers[place] for place in best if cosines[place] > 0]


def _questions(stored: Sequence[Paper], rng: np.random.Generator) -> dict[str, list[Question]]:
    """Of each kind as many as are to be had; papers are taken in a random order."""
    order = [stored[place] for place in rng.permutation(len(stored))]
    together = _together(stored)
    with_others = [paper for paper in order if together.get(number_of(paper))]
    by_number = {number_of(paper): paper for paper in stored}
    half = min(QUESTIONS, len(with_others) // 2)
    found = {
        "its words": [_by_words(paper, rng) for paper in order[:QUESTIONS]],
        "words, one wrong": [
            _by_remembered(paper, by_number[min(together[number_of(paper)])], rng)
            for paper in with_others[:half]
        ],
        "title of another": [
            Question(paper.title, frozenset(together[number_of(paper)]), number_of(paper))
            for paper in with_others[half : 2 * half]
        ],
    }
    return {kind: questions for kind, questions in found.items() if questions}


def _together(stored: Sequence[Paper]) -> dict[int, set[int]]:
    """For each paper the others that _SAME_PEOPLE of its authors wrote."""
    by_author: dict[str, list[int]] = {}
    for paper in stored:
        for author in set(paper.authors):
            by_author.setdefault(author, []).append(number_of(paper))
    shared: dict[int, set[int]] = {}
    for paper in stored:
        own = number_of(paper)
        others = [n for author in set(paper.authors) for n in by_author[author] if n != own]
        shared[own] = {number for number in others if others.count(number) >= _SAME_PEOPLE}
    return shared


def _by_words(paper: Paper, rng: np.random.Generator) -> Question:
    chosen = rng.permutation(_content(f"{paper.title}. {paper.abstract}"))[:_WORDS]
    return Question(" ".join(chosen), frozenset({number_of(paper)}))


def _by_remembered(paper: Paper, other: Paper, rng: np.random.Generator) -> Question:
    """Words of a paper and one that only stands in the title of another by the same people."""
    own = _content(f"{paper.title}. {paper.abstract}")
    wrong = [word for word in _content(other.title) if word not in own]
    chosen = [*rng.permutation(own)[:_WORDS], *rng.permutation(wrong)[:1]]
    return Question(" ".join(rng.permutation(chosen)), frozenset({number_of(paper)}))


def _content(text: str) -> list[str]:
    """The words of a text that are long enough to be searched by, each once."""
    found = (written.lower() for written, word in words(text) if word)
    return [one for one in dict.fromkeys(found) if _PLAIN.fullmatch(one)]
