"""Real papers and real readers, as their authors published them.

CiteULike-t (Wang, Chen and Li, IJCAI 2013): `users.dat` has a line for each reader, a count and
then item numbers; `mult.dat` a line for each item, a count and then `word:occurrences`;
`vocabulary.dat` a word a line. The splits `cf-{train,test}-{1,10}-users.dat` (Li and She, KDD
2017) are like `users.dat`. Each file may be gzip'd under its name with `.gz`.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from paperpost.errors import PaperpostError
from paperpost.sources.errors import UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected, identity
from paperpost.sources.gzipped import Unpacked
from recommender.matrices import SparseRows, from_entries
from recommender.text import Paper

_LINE_LIMIT = 4 * 1024 * 1024
_LARGEST_COUNT = 1_000_000
_AFTER_ALL = date(9000, 1, 1)  # a replay has no clock: no announcement lies in its future


class DatasetError(PaperpostError):
    """A file of a data set that is missing or is not what it should be."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Library:
    """What readers saved: `counts` (papers x terms), `terms`, and `likes` (readers x papers)."""

    counts: SparseRows
    terms: tuple[str, ...]
    likes: SparseRows


@dataclass(frozen=True, slots=True)
class Announced:
    """The papers of one day; `paper` is what a ranker may see, `categories` what it may not."""

    day: date
    papers: tuple[Paper, ...]
    categories: tuple[frozenset[str], ...]


def read_library(folder: Path) -> Library:
    """CiteULike's readers, papers and words. Raises DatasetError."""
    terms = tuple(line.strip() for _, line in _lines(folder, "vocabulary.dat"))
    if not terms:
        raise DatasetError(folder / "vocabulary.dat", "there is no word in it")
    words = [_occurrences(place, line, len(terms)) for place, line in _lines(folder, "mult.dat")]
    return Library(from_entries(words, len(terms)), terms, _likes(folder, "users.dat", len(words)))


def read_published_split(folder: Path, size: int, papers: int) -> tuple[SparseRows, SparseRows]:
    """Training and test likes (readers x papers) of the split with `size` likes a reader."""
    training = _likes(folder, f"cf-train-{size}-users.dat", papers)
    test = _likes(folder, f"cf-test-{size}-users.dat", papers)
    if training.shape[0] != test.shape[0]:
        problem = f"{test.shape[0]} readers, where the training file has {training.shape[0]}"
        raise DatasetError(folder / f"cf-test-{size}-users.dat", problem)
    return training, test


def read_announced(folder: Path) -> list[Announced]:
    """Papers by day of announcement, from files that `paperpost import` reads; each once."""
    paths = sorted(path for path in folder.glob("*.jsonl*") if path.is_file())
    if not paths:
        raise DatasetError(folder, "no .jsonl or .jsonl.gz files in this folder")
    found: dict[str, FoundPaper] = {}
    for path in paths:
        for paper in _found(path):
            found.setdefault(identity(paper), paper)
    days = sorted({paper.announced for paper in found.values()})
    return [_announced(day, [p for p in found.values() if p.announced == day]) for day in days]


def _announced(day: date, found: list[FoundPaper]) -> Announced:
    papers = tuple(Paper(identity(one), one.title, one.abstract) for one in found)
    return Announced(day, papers, tuple(frozenset(one.categories) for one in found))


def _found(path: Path) -> Iterator[FoundPaper]:
    try:
        for record in read_papers(path, today=_AFTER_ALL):
            if isinstance(record, Rejected):
                raise DatasetError(path, f"record {record.record}: {record.reason}")
            yield record
    except UnreadableFile as error:
        raise DatasetError(path, error.reason) from error


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    line: int

    def error(self, problem: str) -> DatasetError:
        return DatasetError(self.path, f"line {self.line}: {problem}")


def _likes(folder: Path, name: str, papers: int) -> SparseRows:
    rows = [_items(place, line, papers) for place, line in _lines(folder, name)]
    return from_entries(rows, papers)


def _items(place: _Place, line: str, papers: int) -> dict[int, float]:
    items = [_number(place, field, papers) for field in _fields(place, line)]
    return dict.fromkeys(items, 1.0)


def _occurrences(place: _Place, line: str, terms: int) -> dict[int, float]:
    counts: dict[int, float] = {}
    for field in _fields(place, line):
        word, colon, count = field.partition(":")
        if not colon:
            raise place.error(f"{field[:40]!r} is not word:count")
        term = _number(place, word, terms)
        counts[term] = counts.get(term, 0) + _number(place, count, _LARGEST_COUNT)
    return counts


def _fields(place: _Place, line: str) -> list[str]:
    """The fields of a line after the first, which says how many they are."""
    first, *fields = line.split() or [""]
    if _number(place, first, _LARGEST_COUNT) != len(fields):
        raise place.error(f"{len(fields)} entries, where the line announces {first}")
    return fields


def _number(place: _Place, field: str, limit: int) -> int:
    if not (field.isascii() and field.isdigit()) or len(field) > 9 or int(field) >= limit:
        raise place.error(f"{field[:40]!r} is not a number below {limit}")
    return int(field)


def _lines(folder: Path, name: str) -> Iterator[tuple[_Place, str]]:
    path = _existing(folder, name)
    with _opened(path) as stream:  # to its end, so that damage is told before what comes of it
        lines = list(iter(lambda: stream.readline(_LINE_LIMIT), b""))
    for number, line in enumerate(lines, start=1):
        place = _Place(path, number)
        if len(line) >= _LINE_LIMIT:
            raise place.error(f"longer than {_LINE_LIMIT:,} bytes")
        try:
            yield place, line.decode()
        except UnicodeDecodeError:
            raise place.error("not UTF-8") from None


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise DatasetError(folder / name, "there is no such file, nor one with .gz")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked; DatasetError where they cannot be read to the end."""
    try:
        with path.open("rb") as file:
            if path.suffix != ".gz":
                yield file
                return
            unpacked = Unpacked(file)
            yield io.BufferedReader(unpacked)
            if unpacked.damage:
                raise DatasetError(path, unpacked.damage)
    except OSError as error:
        raise DatasetError(path, (error.strerror or "cannot be read").lower()) from error
    except UnreadableFile as error:
        raise DatasetError(path, error.reason) from error
