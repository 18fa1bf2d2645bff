"""What was measured, as tables for people, as Markdown for docs/scale.md, and as a document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.table import Table

from paperpost.bench.processes import BenchError
from paperpost.bench.report import Comparison, number
from paperpost.bench.scale.picture import draw
from paperpost.bench.scale.projection import SUBSCRIBERS, projected
from paperpost.bench.scale.run import Measured, Measurements
from paperpost.bench.scale.watching import COMMAND, SERVER
from paperpost.bench.train import exponent

BEGIN, END = "<!-- figures: made by `make bench-scale` -->", "<!-- end of figures -->"
_OURS = ("workers", "scheduler", COMMAND)
_NAMES = {"digest": "rank, compose, queue", "rank": "rank alone"}
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
    """The figures, ready to be shown."""

    found: Measurements

    @property
    def comparison(self) -> Comparison:
        """A subscriber's digest at the largest size, beside the usual way."""
        digest = self.largest("digest")
        peer = self.found.peer
        return Comparison(
            f"{digest.done.number:,} digests ranked, composed and queued, by {digest.by}",
            digest.done.seconds / digest.done.number * 1e3,
            peer.seconds / peer.number * 1e3,
            "milliseconds for a subscriber",
            f"a query and a product for each reader, {peer.number:,} of them, nothing frozen",
            {
                "seconds": digest.done.seconds,
                **self.speedups,
                "steps": [self._document(one) for one in self.found.steps],
                "exponents": self.exponents,
            },
            [self._table],
        )

    @property
    def markdown(self) -> str:
        """The tables of docs/scale.md."""
        parts = [_as_markdown(_COLUMNS, self._rows), self._growth]
        if self.speedups:
            workers = f"{self.found.plan.workers} workers beside one"
            parts.append(_as_markdown((workers, "times as fast"), self._speedup_rows))
        if self.memory:
            parts.append(_as_markdown(_MEMORY, self.memory))
        title = f"{SUBSCRIBERS:,} subscribers"
        parts.append(_as_markdown((title, "reckoned", "makes"), projected(self.found)))
        return "\n\n".join(parts)

    @property
    def picture(self) -> str:
        """Each step's seconds by the number of subscribers, as SVG."""
        lines = {}
        for name, power in self.exponents.items():
            seconds = {one.subscribers: one.done.seconds * _share(one) for one in self._of(name)}
            told = "" if power is None else f": {power:.2f}"
            lines[f"{_NAMES.get(name, name)}{told}"] = seconds
        return draw("a day by the number of subscribers, and the exponent of growth", lines)

    @cached_property
    def speedups(self) -> dict[str, float]:
        """How much faster all workers are than one, at the largest size that both did."""
        found = {}
        for name in ("rank", "digest"):
            one = [m for m in self.found.steps if m.name == name and m.by == "one worker"]
            if not one:
                continue
            many = [m for m in self._of(name) if m.subscribers == one[-1].subscribers]
            found[f"speedup_{name}"] = one[-1].done.seconds / many[0].done.seconds
        return found

    @property
    def memory(self) -> list[list[str]]:
        """What each kind of process held in the middle of the largest run and at its end, in MiB:
        as much, if memory is flat."""
        return [
            [name, *map(number, (held.middle, held.end, held.peak))]
            for name, held in self.largest("digest").usage.memory.items()
            if name in (SERVER, *_OURS)
        ]

    @cached_property
    def exponents(self) -> dict[str, float | None]:
        """How each step's time grows with the number of subscribers."""
        names = dict.fromkeys(one.name for one in self.found.steps)
        growths = {name: self._of(name) for name in names}
        return {
            name: exponent(
                [one.subscribers for one in some],
                [one.done.seconds * _share(one) for one in some],
            )
            for name, some in growths.items()
        }

    def largest(self, name: str) -> Measured:
        """A step at the largest size, by all workers."""
        return self._of(name)[-1]

    def _of(self, name: str) -> list[Measured]:
        """A step at all sizes, by all workers where some are compared."""
        some = [one for one in self.found.steps if one.name == name]
        return [one for one in some if one.by == some[-1].by]

    @property
    def _rows(self) -> list[list[str]]:
        return [_row(one) for one in self.found.steps]

    @property
    def _growth(self) -> str:
        sizes = sorted({one.subscribers for one in self.found.steps})
        rows = []
        for name, power in self.exponents.items():
            seconds = {one.subscribers: one.done.seconds * _share(one) for one in self._of(name)}
            told = [number(seconds[size]) if size in seconds else "" for size in sizes]
            rows.append([name, *told, "" if power is None else f"{power:.2f}"])
        names = [f"{size:,}" for size in sizes]
        return _as_markdown(("seconds of all subscribers", *names, "exponent"), rows)

    @property
    def _speedup_rows(self) -> list[list[str]]:
        names = {"speedup_rank": "ranking alone", "speedup_digest": "ranked, composed and queued"}
        return [[names[key], f"{value:.2f}"] for key, value in self.speedups.items()]

    @property
    def _table(self) -> Table:
        table = Table(title="steps", title_justify="left")
        for name in _COLUMNS:
            table.add_column(name, justify="left" if name == "step" else "right")
        for row in self._rows:
            table.add_row(*row)
        return table

    def _document(self, one: Measured) -> dict[str, Any]:
        done, usage = asdict(one.done), asdict(one.usage)
        return {"step": one.name, "by": one.by, "subscribers": one.subscribers, **done, **usage}


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


def ours(values: Mapping[str, float]) -> float:
    """Of figures by kind of process those of our own."""
    return sum(value for name, value in values.items() if name in _OURS)


def peaks(one: Measured) -> dict[str, float]:
    """The most memory of each kind of process, in MiB."""
    return {name: memory.peak for name, memory in one.usage.memory.items()}


def _row(one: Measured) -> list[str]:
    usage, done = one.usage, one.done
    each = None if usage.statements is None else usage.statements / max(done.number, 1)
    memory = peaks(one)
    return [
        f"{one.name}, {one.by}" if one.by else one.name,
        f"{one.subscribers:,}",
        number(done.number),
        number(done.seconds),
        number(done.number / done.seconds),
        number(ours(usage.processors)),
        number(usage.processors[SERVER]) if SERVER in usage.processors else "",
        "" if each is None else number(each),
        number(ours(memory)),
        number(memory[SERVER]) if SERVER in memory else "",
        number(usage.grown / 1e6),
    ]


def _share(one: Measured) -> float:
    """How often what was done for some of the subscribers has to be done for all of them."""
    return one.subscribers / one.done.number if one.name == "rank" else 1.0


def _as_markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
