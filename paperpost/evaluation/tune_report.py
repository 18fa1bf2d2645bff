"""What came of trying weights: as a document for machines, and as tables for people."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from paperpost.evaluation.report import number, rendered, with_margin
from paperpost.evaluation.tune import TOLERANCE, Trial, Tuned

_LEGEND = (
    "A row changes one weight of the best one above it; a cost is a loss of more than "
    f"{100 * TOLERANCE:.0f} %;\nfew votes are told in ndcg@10; ± is a paired 95 % interval."
)


def document(found: Sequence[Tuned]) -> dict[str, Any]:
    """The report as JSON holds it, by protocol."""
    return {"protocol": "tune", "tuned": {tuned.protocol: _tuned(tuned) for tuned in found}}


def text(found: Sequence[Tuned]) -> str:
    """The report as tables, each with what follows from it."""
    return "\n\n".join("\n".join([rendered([_table(one)]), *_verdict(one)]) for one in found)


def _tuned(tuned: Tuned) -> dict[str, Any]:
    return {
        "seeds": list(tuned.seeds),
        "readers": tuned.shipped.readers,
        "other_readers": tuned.shipped_to_others.readers,
        "shipped": {"weights": asdict(tuned.shipped.weights)} | tuned.shipped.means,
        "trials": [
            {"weight": trial.changed, "value": trial.value, "costs": trial.costs(tuned.shipped)}
            | trial.means
            for trial in tuned.trials
        ],
        "best": {"weights": asdict(tuned.best.weights)} | tuned.best.means,
        "lead": asdict(tuned.lead),
        "lead_among_others": asdict(tuned.lead_among_others),
        "holds": tuned.holds,
    }


def _table(tuned: Tuned) -> Table:
    seeds = ", ".join(map(str, tuned.seeds))
    title = f"{tuned.protocol}: {tuned.shipped.readers:,} readers, seeds {seeds}"
    table = Table("weight", title=title, title_justify="left")
    for column in ("value", "shipped", *tuned.shipped.means):
        table.add_column(column, justify="right")
    table.add_column("lead over shipped", justify="right")
    table.add_column("remark")
    table.add_row("shipped", "", "", *map(number, tuned.shipped.means.values()), "", "")
    for trial in tuned.trials:
        table.add_row(*_row(trial, tuned))
    return table


def _row(trial: Trial, tuned: Tuned) -> list[str]:
    shipped = getattr(tuned.shipped.weights, trial.changed or "")
    costs = ", ".join(trial.costs(tuned.shipped))
    remark = "best" if trial is tuned.best else f"costs {costs}" if costs else ""
    means = map(number, trial.means.values())
    values = f"{trial.value:.3g}", f"{shipped:.3g}"
    return [trial.changed or "", *values, *means, with_margin(trial.lead(tuned.shipped)), remark]


def _verdict(tuned: Tuned) -> list[str]:
    if tuned.best is tuned.shipped:
        return [_LEGEND, "Nothing that was tried is better: the shipped weights stand."]
    changes = ", ".join(
        f"{name} {value:.3g}"
        for name, value in asdict(tuned.best.weights).items()
        if value != getattr(tuned.shipped.weights, name)
    )
    metric = next(iter(tuned.shipped.means))
    lead, among_others = with_margin(tuned.lead), with_margin(tuned.lead_among_others)
    others = tuned.shipped_to_others.readers
    verdict = "it is better" if tuned.holds else "that is too little: the shipped weights stand"
    return [
        _LEGEND,
        f"Best: {changes}. It leads in {metric} by {lead}, among {others:,} other readers by "
        f"{among_others}: {verdict}.",
    ]
