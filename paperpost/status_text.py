"""What `paperpost status` tells, for people."""

from typing import Any


def status_text(report: dict[str, Any]) -> str:
    """The report of `service.status` in lines."""
    papers, model = report["papers"], report["model"]
    people = ", ".join(f"{n} {state}" for state, n in sorted(report["subscribers"].items()))
    lines = [
        f"papers       {papers['stored']:,}, newest day {papers['newest_day'] or 'none'}",
        f"subscribers  {people or 'none'}",
        f"model        {_model_text(model)}",
        f"last         {_runs_text(report['runs'])}",
    ]
    if ticks := report["ticks"]:
        lines.append(f"ticks        {ticks['process']}, since {_minute(ticks['since'])}")
    if connected := report["connected"]:
        lines.append(f"connected    {', '.join(connected)}")
    for run in report["sources"]:
        lines.append(f"source       {run['source']}: {_source_text(run)}")
        lines += [
            f"             {day['day']} {day['state']}: {day['evidence']}" for day in run["days"]
        ]
    for kind, states in report["deliveries"].items():
        shown = ", ".join(f"{n} {state}" for state, n in states.items() if n)
        lines.append(f"{kind:<12} {shown or 'none'}")
    lines.append(f"bounces      {_bounces_text(report['bounces'])}")
    for silent in report["silent"]:
        lines.append(f"silent       {silent['date']}, {silent['subscribers']}: {silent['reason']}")
    lines += [f"wrong        {line}" for line in report["wrong"]]
    return "\n".join(lines)


def _source_text(run: dict[str, Any]) -> str:
    if run["asked_at"] is None:
        return "never asked: run `paperpost fetch` or `serve`"
    return f"{run['detail']} ({_minute(run['asked_at'])})"


def _runs_text(runs: dict[str, str | None]) -> str:
    """When it was that things were done last; the model's line tells of the training."""
    words = {"fetched_at": "fetched", "composed_at": "composed", "sent_at": "sent"}
    told = [f"{word} {_minute(at)}" for name, word in words.items() if (at := runs[name])]
    return ", ".join(told) or "nothing was fetched, composed or sent yet"


def _bounces_text(bounces: dict[str, int]) -> str:
    kinds = ", ".join(
        f"{bounces[kind]} {kind}" for kind in ("hard", "soft", "complaint") if bounces[kind]
    )
    suppressed = bounces["suppressed_subscribers"]
    return f"{kinds or 'none'} in 30 days; {suppressed} suppressed"


def _model_text(model: dict[str, Any] | None) -> str:
    if model is None:
        return "none yet"
    trained = _minute(model["trained_at"])
    return f"{model['papers']:,} papers, {model['votes']:,} votes, {trained}"


def _minute(at: str) -> str:
    """A time in UTC, as people read it."""
    return f"{at[:16].replace('T', ' ')} UTC"
