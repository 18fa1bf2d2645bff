"""What was measured, as tables for people, as Markdown for docs/scale.md, and as a document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.table import Table

from paperpost.bench.processes import BenchError
from paperpost.bench.report import Comparison, number
from paperpost.bench.scale.measured import Measured, Measurements
from paperpost.bench.scale.picture import draw
from paperpost.bench.scale.projection import SUBSCRIBERS, projected
from paperpost.bench.scale.steps import DONE_BY_THEN, LOADED
from paperpost.bench.scale.watching import OURS, SERVER
from paperpost.bench.train import exponent
from paperpost.evaluation.report import rendered

BEGIN, END = "<!-- figures: made by `make bench-scale` -->", "<!-- end of figures -->"
_NAMES = {"digest": "rank, compose, queue", "rank": "rank alone"}
# As many mails are sent whoever many subscribers there are.
_NOT_SCALED = "send"
_MEMORY = ("MiB while digests are made", "in the middle", "at the end", "at most")
_COLUMNS = (
    "step",
    "subscribers",
    "number",
    "seconds",
    "a second",
    "CPU s ours",
    "CPU s PostgreSQL",
    "statements each",
    "MiB ours",
    "MiB PostgreSQL",
    "database + MB",
)


@dataclass(frozen=True)
class Report:
    """The figures, ready to be shown; without those that were not measured."""

    found: Measurements

    @property
    def document(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return self._details if self.comparison is None else self.comparison.document

    @property
    def text(self) -> str:
        """All of it as tables."""
        return rendered([self._table]) if self.comparison is None else self.comparison.text

    @cached_property
    def comparison(self) -> Comparison | None:
        """A subscriber's digest at the largest size, beside the usual way. That has one process;
        time of ours is counted for each worker."""
        digest, peer = self.found.largest("digest"), self.found.peer
        if digest is None or peer is None:
            return None
        return Comparison(
            f"{digest.done.number:,} digests ranked, composed and queued, by {digest.by}",
            digest.done.seconds * self.found.plan.workers / max(digest.done.number, 1) * 1e3,
            peer.seconds / peer.number * 1e3,
            "milliseconds of one process for a subscriber",
            f"a query and a product for each reader, {peer.number:,} of them, nothing frozen",
            {"seconds": digest.done.seconds, **self.speedups, **self._details},
            [self._table],
        )

    @property
    def _details(self) -> dict[str, Any]:
        return {
            "machine": asdict(self.found.machine),
            "steps": [_document(one) for one in self.found.by_size],
            "exponents": self.exponents,
            "failures": [*self.found.failures],
        }

    @property
    def markdown(self) -> str:
        """The tables of docs/scale.md."""
        parts = [self._summary, *(f"Failed: {line}" for line in self.found.failures)]
        parts += [_as_markdown(_COLUMNS, self._rows), self._growth]
        if self.speedups:
            workers = f"{self.found.plan.workers} workers beside one"
            columns = (workers, "subscribers", "seconds of one", "of all", "times as fast")
            parts.append(_as_markdown(columns, self._speedup_rows))
        if self.memory:
            parts.append(_as_markdown(_MEMORY, self.memory))
        digest = self.found.largest("digest")
        if digest:
            title = f"{SUBSCRIBERS:,} subscribers, by what {digest.subscribers:,} took"
            parts.append(_as_markdown((title, "reckoned", "makes"), projected(self.found)))
        return "\n\n".join(parts)

    @property
    def _summary(self) -> str:
        told = [f"Measured with {self.found.machine}."]
        digest = self.found.largest("digest")
        if digest:
            told.append(
                f"{digest.done.number:,} digests were ranked, composed and queued by {digest.by} "
                f"in {digest.done.seconds / 60:.1f} minutes, until all was on disk."
            )
        return " ".join(told)

    @property
    def picture(self) -> str:
        """Each step's seconds by the number of subscribers, as SVG."""
        lines = {}
        for name, power in self.exponents.items():
            told = "" if power is None else f": {power:z.2f}"
            lines[f"{_NAMES.get(name, name)}{told}"] = self._seconds(name)
        papers = f"{self.found.plan.papers:,} papers each time"
        return draw(f"seconds by the number of subscribers ({papers}), exponent of growth", lines)

    @cached_property
    def speedups(self) -> dict[str, float]:
        """How much faster all workers are than one, at the largest size that both did: of ranking
        as soon as they have loaded what they need, and of whole runs."""
        found: dict[str, float] = {}
        for one, many in self.found.compared:
            found[f"speedup_{one.name}"] = _speedup(one, many)
            if _tell_loaded(one, many):
                found[f"speedup_{one.name}_loaded"] = _speedup_loaded(one, many)
        return found

    @property
    def memory(self) -> list[list[str]]:
        """What each kind of process held in the middle of the largest run and at its end, in MiB:
        as much, if memory is flat."""
        digest = self.found.largest("digest")
        return [
            [name, *map(number, (held.middle, held.end, held.peak))]
            for name, held in (digest.usage.memory.items() if digest else ())
            if name in (SERVER, *OURS)
        ]

    @cached_property
    def exponents(self) -> dict[str, float | None]:
        """How each step's time grows with the number of subscribers."""
        names = dict.fromkeys(one.name for one in self.found.steps if one.name != _NOT_SCALED)
        growths = {name: self._seconds(name) for name in names}
        return {name: _exponent(some) for name, some in growths.items()}

    def _seconds(self, name: str) -> dict[int, float]:
        return {one.subscribers: one.done.seconds for one in self.found.of(name)}

    @property
    def _rows(self) -> list[list[str]]:
        return [_row(one) for one in self.found.by_size]

    @property
    def _growth(self) -> str:
        sizes = sorted({one.subscribers for one in self.found.steps})
        rows = []
        for name, power in self.exponents.items():
            told = "" if power is None else f"{power:z.2f}"
            rows.append([name, *_at_each(sizes, self._seconds(name)), told])
        mails = {one.subscribers: _speed(one) for one in self.found.of(_NOT_SCALED)}
        if mails:
            rows.append(["(mails a second)", *_at_each(sizes, mails), ""])
        names = [f"{size:,}" for size in sizes]
        return _as_markdown(("seconds of all subscribers", *names, "exponent"), rows)

    @property
    def _speedup_rows(self) -> list[list[str]]:
        rows = []
        for one, many in self.found.compared:
            name, size = _NAMES[one.name], f"{one.subscribers:,}"
            whole = [number(each.done.seconds) for each in (one, many)]
            rows.append([f"{name}, from the start", size, *whole, f"{_speedup(one, many):.2f}"])
            if _tell_loaded(one, many):
                rest = [number(each.done.seconds - each.done.parts[LOADED]) for each in (one, many)]
                told = f"{_speedup_loaded(one, many):.2f}"
                rows.append([f"{name}, once all is loaded", size, *rest, told])
        return rows

    @property
    def _table(self) -> Table:
        table = Table(title=f"steps ({self.found.machine})", title_justify="left")
        for name in _COLUMNS:
            table.add_column(name, justify="left" if name == "step" else "right")
        for row in self._rows:
            table.add_row(*row)
        return table


def told(one: Measured) -> str:
    """A step's figures on one line."""
    named = zip(_COLUMNS[2:], _row(one)[2:], strict=True)
    figures = [f"{name} {value}" for name, value in named if value]
    figures += [f"{name} {number(value)}" for name, value in one.done.parts.items()]
    return "  " + ", ".join(figures)


def write_into(path: Path, tables: str) -> None:
    """Put tables into a page of documentation, in place of those between the two marks."""
    before, after = around_tables(path)
    path.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


def around_tables(path: Path) -> tuple[str, str]:
    """A page before and after its tables; raises BenchError where it has no place for them."""
    try:
        before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}") from error
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{path} has no place for tables: {BEGIN} … {END}")
    return before, after


def _document(one: Measured) -> dict[str, Any]:
    done, usage = asdict(one.done), asdict(one.usage)
    return {"step": one.name, "by": one.by, "subscribers": one.subscribers, **done, **usage}


def _ours(values: Mapping[str, float]) -> float:
    """Of figures by kind of process those of our own."""
    return sum(value for name, value in values.items() if name in OURS)


def _row(one: Measured) -> list[str]:
    usage, done = one.usage, one.done
    each = None if usage.statements is None else usage.statements / max(done.number, 1)
    memory = {name: held.peak for name, held in usage.memory.items()}
    return [
        f"{one.name}, {one.by}" if one.by else one.name,
        f"{one.subscribers:,}",
        number(done.number),
        number(done.seconds),
        number(_speed(one)),
        number(_ours(usage.processors)),
        number(usage.processors[SERVER]) if SERVER in usage.processors else "",
        "" if each is None else number(each),
        number(_ours(memory)),
        number(memory[SERVER]) if SERVER in memory else "",
        number(usage.grown / 1e6),
    ]


def _speed(one: Measured) -> float:
    """So many a second; 0 where it took no time that could be seen."""
    return one.done.number / one.done.seconds if one.done.seconds > 0 else 0.0


def _speed_loaded(one: Measured) -> float:
    """The same from when all workers had loaded what they need."""
    done = one.done
    return (done.number - done.parts[DONE_BY_THEN]) / (done.seconds - done.parts[LOADED])


def _speedup(one: Measured, many: Measured) -> float:
    return one.done.seconds / many.done.seconds


def _tell_loaded(*some: Measured) -> bool:
    return all(LOADED in one.done.parts for one in some)


def _speedup_loaded(one: Measured, many: Measured) -> float:
    return _speed_loaded(many) / _speed_loaded(one)


def _exponent(seconds: Mapping[int, float]) -> float | None:
    seen = {size: value for size, value in seconds.items() if value > 0}
    return exponent([*seen.keys()], [*seen.values()])


def _at_each(sizes: Sequence[int], values: Mapping[int, float]) -> list[str]:
    return [number(values[size]) if size in values else "" for size in sizes]


def _as_markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
