"""The steps of a day, each as its command does it; each runs in a process of its own.

What they give is how much there was to do, and the seconds that it took without starting Python.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Event
from typing import Any

from sqlalchemy import text

from paperpost.bench.processes import BenchError
from paperpost.bench.scale.site import Site
from paperpost.bench.scale.workers import SECONDS_TO_ANSWER
from paperpost.engine.choice import engine_of
from paperpost.engine.engine import Engine
from paperpost.engine.jobs import RankDate
from paperpost.engine.runs import active_blocks, compose_all_of
from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation
from paperpost.service.ranking import get_ready
from paperpost.service.train import current_model, train
from paperpost.store import days, requests, snapshots, subscribers
from paperpost.store.tables import Snapshot

# Parts of a step that are told apart.
LOADED, DONE_BY_THEN, CHECKPOINT = "seconds to load", "done by then", "seconds of checkpoint"
_SHARE_TO_LOAD = 5  # one in so many blocks


@dataclass(frozen=True, slots=True)
class Done:
    """How much there was to do, and the seconds of it; `parts` are what else is told of it."""

    number: int
    seconds: float
    parts: Mapping[str, float]


def told_yesterday(site: Site, yesterday: date, now: datetime) -> None:
    """The source is known: it was asked yesterday, and told all it had."""
    with site.opened() as installation, installation.database.writing() as session:
        stand = days.Stand(site.source, yesterday, "complete", "all were there", 1, ["2601.00001"])
        days.keep(session, stand, now)
        requests.record_run(session, site.source, "ok", "", now)


def learnt(site: Site) -> Done:
    """`train`: how many papers and votes it saw."""
    with site.opened() as installation:
        started = time.perf_counter()
        trained = train(installation)
        if trained is None:
            raise BenchError("there was nothing to train on")
        return Done(trained.papers, time.perf_counter() - started, {"votes": trained.votes})


def current_snapshot(site: Site) -> dict[str, Any]:
    """What is stored of the newest model, but for its number."""
    with site.opened() as installation, installation.database.reading() as session:
        newest = snapshots.current(session)
        if newest is None:
            raise BenchError("there is no model")
        return newest.model_dump(exclude={"id"})


def take_over(site: Site, snapshot: Mapping[str, Any]) -> None:
    """Have the model that another site of the measurement trained."""
    with site.opened() as installation, installation.database.writing() as session:
        snapshots.add(session, Snapshot(**snapshot))


def fetched(site: Site) -> Done:
    """`fetch`: how many papers were new."""
    with site.opened() as installation:
        started = time.perf_counter()
        result = fetch(installation)
        if result.rejected:
            raise BenchError(f"a paper was rejected: {result.rejected[0].reason}")
        return Done(result.added, time.perf_counter() - started, {})


def folded_in(site: Site, on: date) -> Done:
    """What is the same for everybody: the model is read, the day's papers are put into it."""
    with site.opened() as installation:
        started = time.perf_counter()
        model = current_model(installation)
        loaded = time.perf_counter() - started
        with installation.database.reading() as session:
            (person, *_) = subscribers.active(session, 0, 1)
        if model is None:
            raise BenchError("there is no model")
        get_ready(installation, model, person, on)
        candidates = len(installation.slot.windows[0].candidates)
        return Done(candidates, time.perf_counter() - started, {"reading the model": loaded})


def composed(site: Site, on: date, engine: str) -> Done:
    """`digest`, by this engine, until all of it is on disk: how many digests were queued."""
    with site.opened() as installation:
        gc.freeze()  # as the command does
        chosen = _engine(installation, engine)
        started = time.perf_counter()
        counts = compose_all_of(installation, on, engine=chosen)
        parts = {CHECKPOINT: _flushed(installation), **_others(counts)}
        _check(counts)
        return Done(counts["queued"], time.perf_counter() - started, parts)


def ranked(site: Site, on: date, engine: str) -> Done:
    """Everybody ranked by this engine, and nothing stored. Told apart: the seconds until a fifth of
    the blocks is done, when all workers have loaded what they need, and how many subscribers those
    blocks have."""
    with site.opened() as installation:
        gc.freeze()
        chosen = _engine(installation, engine)
        job = RankDate(on, installation.clock())
        counts: Counter[str] = Counter()
        course: list[tuple[float, int]] = []
        started = time.perf_counter()
        for some in chosen.each(installation, job, active_blocks(installation), Event()):
            counts += some
            course.append((time.perf_counter() - started, counts["ranked"]))
        seconds = time.perf_counter() - started
        if not counts["papers"]:
            raise BenchError("nothing was ranked")
        parts = until_loaded(course) | {"papers": counts["papers"]}
        return Done(counts["ranked"], seconds, parts)


def until_loaded(course: Sequence[tuple[float, int]]) -> dict[str, float]:
    """What is told apart of a run, from the seconds and the subscribers ranked after each block;
    nothing where too few blocks are left after the first ones."""
    first = len(course) // _SHARE_TO_LOAD
    if not first:
        return {}
    seconds, done = course[first - 1]
    return {LOADED: seconds, DONE_BY_THEN: done}


def _engine(installation: Installation, name: str) -> Engine:
    """The engine of that name; Dask's with the patience that full cores need."""
    from paperpost.engine.dask_engine import DaskEngine

    chosen = engine_of(installation.settings, name)
    if not isinstance(chosen, DaskEngine):
        return chosen
    patience = replace(chosen.patience, scheduler=SECONDS_TO_ANSWER, workers=SECONDS_TO_ANSWER)
    return replace(chosen, patience=patience)


def _flushed(installation: Installation) -> float:
    """The seconds until all that was written is in the tables on disk: a run may end before the
    server's next checkpoint, and is not to leave its work to whoever comes after."""
    started = time.perf_counter()
    with installation.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("CHECKPOINT"))
    return time.perf_counter() - started


def _check(counts: Mapping[str, int]) -> None:
    if not counts["queued"]:
        raise BenchError(f"nobody got a digest: {dict(counts)}")


def _others(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: number for name, number in counts.items() if name != "queued"}
