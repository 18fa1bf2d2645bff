"""The steps of a day, each as its command does it; each runs in a process of its own.

What they give is how much there was to do, and the seconds that it took without starting Python.
"""

import gc
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from threading import Event
from typing import Any

from paperpost.bench.processes import BenchError
from paperpost.bench.scale.site import Site
from paperpost.engine.choice import engine_of
from paperpost.engine.jobs import RankDate
from paperpost.engine.runs import active_blocks, compose_all_of
from paperpost.engine.settling import settle
from paperpost.service.choices import Ranking
from paperpost.service.compose import compose_date
from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation
from paperpost.service.ranking import get_ready, rank_block
from paperpost.service.train import current_model, train
from paperpost.store import days, requests, snapshots, subscribers
from paperpost.store.tables import Snapshot, Subscriber


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
    """`digest`, by this engine: how many digests were queued."""
    with site.opened() as installation:
        gc.freeze()  # as the command does
        chosen = engine_of(installation.settings, engine)
        started = time.perf_counter()
        counts = compose_all_of(installation, on, engine=chosen)
        return Done(counts["queued"], time.perf_counter() - started, _others(counts))


def composed_here(site: Site, on: date) -> Done:
    """`digest`, in this process, its ranking told apart."""
    ranking = 0.0

    def rank(
        installation: Installation, people: Sequence[Subscriber], on: date
    ) -> Mapping[int, Ranking]:
        nonlocal ranking
        began = time.perf_counter()
        ranked = rank_block(installation, people, on)
        ranking += time.perf_counter() - began
        return ranked

    with site.opened() as installation:
        gc.freeze()  # as the command does
        started = time.perf_counter()
        counts: Counter[str] = Counter()
        for place, some in enumerate(compose_date(installation, on, rank=rank)):
            counts += some
            if place == 0:  # as the engine does
                settle()
        seconds = time.perf_counter() - started
        return Done(counts["queued"], seconds, {"ranking": ranking, **_others(counts)})


def ranked(site: Site, on: date, engine: str, every: int) -> Done:
    """Ranked by this engine and not stored: each `every`-th block of subscribers."""
    with site.opened() as installation:
        gc.freeze()
        chosen = engine_of(installation.settings, engine)
        blocks = islice(active_blocks(installation), 0, None, every)
        job = RankDate(on, installation.clock())
        started = time.perf_counter()
        counts = sum(chosen.each(installation, job, blocks, Event()), Counter())
        return Done(counts["ranked"], time.perf_counter() - started, {})


def _others(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: number for name, number in counts.items() if name != "queued"}
