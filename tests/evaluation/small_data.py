"""Small data whose right answers are known: even readers like even papers, which are about
proteins, odd readers odd papers, which are about robots. In the forms that the real data has."""

import gzip
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from paperpost.evaluation.datasets import Library
from recommender.matrices import SparseRows, entries, from_entries

TOPICS = (
    ("protein", "folding", "residue", "enzyme", "ligand", "helix", "amino", "peptide"),
    ("robot", "grasping", "torque", "gait", "actuator", "terrain", "manipulation", "navigation"),
)
COMMON = ("method", "benchmark", "evaluation", "analysis")
TERMS = (*TOPICS[0], *TOPICS[1], *COMMON)

READERS, PAPERS = 24, 160


def small_library(seed: int = 1, common: int = 2, casual: int = 0) -> Library:
    """24 readers with 40 likes each of 160 papers, each paper of its topic's and `common` words.

    The first `casual` readers have twelve likes each.
    """
    rng = np.random.default_rng(seed)
    counts = [_counts(paper % 2, common, rng) for paper in range(PAPERS)]
    topics = [np.arange(reader % 2, PAPERS, 2) for reader in range(READERS)]
    sizes = [12] * casual + [40] * (READERS - casual)
    likes = [
        dict.fromkeys(rng.choice(topic, size, replace=False).tolist(), 1.0)
        for topic, size in zip(topics, sizes, strict=True)
    ]
    return Library(from_entries(counts, len(TERMS)), TERMS, from_entries(likes, PAPERS))


def _counts(topic: int, common: int, rng: np.random.Generator) -> dict[int, float]:
    words = [*rng.choice(TOPICS[topic], 5), *rng.choice(COMMON, common)]
    places = [TERMS.index(word) for word in words]
    return {place: float(places.count(place)) for place in places}


def write_citeulike(folder: Path, library: Library) -> Path:
    """The files of CiteULike-t, half of them gzip'd, with published splits of one and ten likes."""
    likes = [_items(library.likes, row)[0] for row in range(READERS)]
    words = [
        [f"{term}:{count:.0f}" for term, count in zip(*_items(library.counts, row), strict=True)]
        for row in range(PAPERS)
    ]
    _write(folder / "vocabulary.dat", list(library.terms))
    _write(folder / "mult.dat.gz", [_counted(row) for row in words])
    _write(folder / "users.dat.gz", [_counted(row) for row in likes])
    for size in (1, 10):
        _write(folder / f"cf-train-{size}-users.dat", [_counted(row[:size]) for row in likes])
        _write(folder / f"cf-test-{size}-users.dat", [_counted(row[size:]) for row in likes])
    return folder


def write_stream(folder: Path, days: int = 6) -> Path:
    """Papers of four April days and then of some in May; the odd ones are in cs.RO."""
    rng = np.random.default_rng(3)
    first = date(2026, 4, 27)
    may = [date(2026, 5, 4) + timedelta(day) for day in range(days)]
    number = 0
    for day in [*(first + timedelta(day) for day in range(4)), *may]:
        lines = []
        for _ in range(30):
            lines.append(json.dumps(_announced(number, day, rng)))
            number += 1
        _write(folder / f"{day}.jsonl.gz", lines)
    return folder


def _announced(number: int, day: date, rng: np.random.Generator) -> dict[str, object]:
    topic = int(number % 5 == 0)
    return {
        "id": f"{day:%y%m}.{number:05}",
        "announced": day.isoformat(),
        "title": " ".join(rng.choice(TOPICS[topic], 3)),
        "abstract": " ".join([*rng.choice(TOPICS[topic], 12), *rng.choice(COMMON, 4)]),
        "authors": ["Ada Lovelace"],
        "categories": ["cs.AI", "cs.RO"] if topic else ["cs.AI"],
    }


def _items(matrix: SparseRows, row: int) -> tuple[list[int], list[float]]:
    columns, values = entries(matrix, row)
    return columns.tolist(), values.tolist()


def _counted(fields: Sequence[object]) -> str:
    return " ".join(map(str, [len(fields), *fields]))


def _write(path: Path, lines: Sequence[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
