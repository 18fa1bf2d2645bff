"""How the installation is doing, in one look."""

from typing import Any

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.store import outbox, papers, requests, snapshots, subscribers
from paperpost.store.database import StoreError
from paperpost.store.tables import DeliveryState


def status(installation: Installation) -> dict[str, Any]:
    """Papers, subscribers, last fetch and training, deliveries by state, and what is wrong."""
    with installation.database.reading() as session:
        report: dict[str, Any] = {
            "papers": _papers(session),
            "subscribers": subscribers.count_by_state(session),
            "sources": _sources(session),
            "model": _model(session),
            "deliveries": outbox.count_by_state(session),
        }
    report["wrong"] = _wrong(report)
    return report


def is_healthy(installation: Installation) -> bool:
    """Whether the database answers and has its tables."""
    try:
        with installation.database.reading() as session:
            papers.newest_day(session)
    except StoreError:
        return False
    return True


def _papers(session: Session) -> dict[str, Any]:
    newest = papers.newest_day(session)
    return {"stored": papers.count(session), "newest_day": newest and newest.isoformat()}


def _sources(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "source": run.source,
            "asked_at": run.asked_at.isoformat(),
            "succeeded_at": run.succeeded_at and run.succeeded_at.isoformat(),
            "state": run.state,
            "detail": run.detail,
        }
        for run in requests.runs(session)
    ]


def _model(session: Session) -> dict[str, Any] | None:
    newest = snapshots.current(session)
    if newest is None:
        return None
    return {
        "trained_at": newest.trained_at.isoformat(),
        "papers": newest.papers,
        "votes": newest.votes,
        "seconds": round(newest.seconds, 1),
    }


def _wrong(report: dict[str, Any]) -> list[str]:
    wrong = [
        f"{run['source']}: {run['detail']}" for run in report["sources"] if run["state"] != "ok"
    ]
    for kind, states in report["deliveries"].items():
        for state in (DeliveryState.FAILED, DeliveryState.EXPIRED):
            if states[state]:
                wrong.append(f"{states[state]} {kind} mails {state.value}")
    if not report["papers"]["stored"]:
        wrong.append("no papers yet: run `paperpost fetch` or `paperpost import`")
    return wrong
