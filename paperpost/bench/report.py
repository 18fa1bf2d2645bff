"""What came out: as a document for machines, and as a table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from paperpost.evaluation.report import rendered


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our time beside a peer's; `peer_is` says what the peer does, `details` what else is known."""

    title: str
    ours: float
    peer: float
    unit: str
    peer_is: str
    details: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def document(self) -> dict[str, Any]:
        """The comparison as JSON holds it."""
        figures = {"ours": self.ours, "peer": self.peer, "ratio": self.ratio, "unit": self.unit}
        return figures | {"peer_is": self.peer_is} | dict(self.details)

    @property
    def text(self) -> str:
        """The comparison as tables."""
        return rendered([self._table(), *self.tables])

    def _table(self) -> Table:
        table = Table("figure", title=self.title, title_justify="left", show_header=False)
        table.add_column(justify="right")
        table.add_row("ours", f"{number(self.ours)} {self.unit}")
        table.add_row(self.peer_is, f"{number(self.peer)} {self.unit}")
        table.add_row("ratio", number(self.ratio))
        for name, value in self.details.items():
            if isinstance(value, int | float):
                table.add_row(name.replace("_", " "), number(value))
        return table


def number(value: float) -> str:
    """Three digits that count, or the whole number where it has more."""
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
