"""Digests by Dask: a real scheduler and real workers on one PostgreSQL, some of them killed."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

import pytest
from dask_on_stage import frozen, kill, wait_until
from invented import with_settings
from postgresql_server import database_of, run_sql
from readers_of_all_kinds import BLOCKS, DAYS, SUBSCRIBERS, fill_with_readers, written
from stage import CLOCK, JOB, NEVER, Stage, composed, opened

from paperpost.engine.cluster import Cluster
from paperpost.engine.dask_worker import Introduction
from paperpost.engine.embedded import EMBEDDED
from paperpost.engine.engine import EngineError
from paperpost.engine.examination import examine
from paperpost.engine.handing_out import AHEAD, MOST_FAILURES
from paperpost.engine.identity import identity_of
from paperpost.engine.jobs import ComposeDue, RankDate
from paperpost.engine.runs import compose_all_due
from paperpost.service.one_model import one_model
from paperpost.store import subscribers

# The counts, and the rows that were written.
Expected: TypeAlias = tuple[Counter[str], list[Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home of all processes is."""
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def filled(postgresql_server: str, folder: Path) -> Iterator[str]:
    """The name of a database with readers."""
    name = f"dask{os.getpid()}"
    run_sql(postgresql_server, f"CREATE DATABASE {name} TEMPLATE template_paperpost")
    installation = opened(database_of(postgresql_server, name), folder, [])
    fill_with_readers(installation)
    installation.close()
    yield name
    run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def expected(postgresql_server: str, filled: str, folder: Path) -> Iterator[Expected]:
    """What the embedded engine makes of a copy."""
    name = f"{filled}_copy"
    run_sql(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {filled}")
    installation = opened(database_of(postgresql_server, name), folder, [])
    counts = composed(installation, EMBEDDED)
    yield counts, written(installation)
    installation.close()
    run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def theatre(postgresql_server: str, filled: str, expected: object, folder: Path) -> Iterator[Stage]:
    """The installation and its cluster."""
    stage = Stage(database_of(postgresql_server, filled), folder)
    yield stage
    stage.close()


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """Nothing is composed yet, and two workers are there."""
    theatre.set_up(workers=2)
    return theatre


def introduce_all(stage: Stage) -> None:
    """All workers there are have been asked whether they can be used, before a run."""
    with one_model(stage.installation) as snapshot_id:
        assert snapshot_id is not None
        introduction = Introduction(identity_of(stage.installation), snapshot_id)
    cluster = Cluster(stage.dask.address, seconds=10)
    try:
        cluster.introduce(introduction)
    except EngineError:
        pass  # one refused
    finally:
        cluster.close()


def read_only(stage: Stage) -> dict[str, str]:
    """The environment of a worker that cannot write to the database."""
    url = stage.installation.settings.store_url
    return {"PAPERPOST_DATABASE_URL": f"{url}&options=-cdefault_transaction_read_only%3Don"}


def digest_command(stage: Stage, engine: str, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "paperpost", "digest", "--on", str(DAYS[2]), *more],
        env={**os.environ, **stage.environment, "PAPERPOST_ENGINE": engine},
        capture_output=True,
        text=True,
    )


def test_a_run_without_workers_ends_and_says_how_to_start_one(theatre: Stage) -> None:
    theatre.set_up(workers=0)
    address = theatre.dask.address
    wanted = f"has no worker at {address}: start one by `dask worker {address}`"
    with pytest.raises(EngineError, match=wanted):
        composed(theatre.installation, theatre.engine(workers=0.2))
    named = with_settings(theatre.installation, engine=address.replace("tcp:", "dask:"))
    (check,) = examine(named)
    assert (check.state, "has no workers" in check.detail) == ("fail", True)
    theatre.dask.complete(1)
    (check,) = examine(named)
    assert (check.state, check.detail.endswith(" has 1 worker")) == ("ok", True)


def test_workers_write_the_very_rows_that_the_embedded_engine_does(
    stage: Stage, expected: Expected
) -> None:
    counts, rows = expected
    assert counts.keys() == {"queued", "quiet note", "silent", "not their day"}
    assert composed(stage.installation, stage.engine()) == counts
    assert written(stage.installation) == rows
    again = composed(stage.installation, stage.engine())
    assert again.keys() == {"composed before", "not their day"}
    assert written(stage.installation) == rows
    assert stage.said == []


def test_both_engines_rank_alike_and_store_nothing(stage: Stage, expected: Expected) -> None:
    before = written(stage.installation)
    job = RankDate(DAYS[2], CLOCK())
    here, there = (
        sum(engine.each(stage.installation, job, BLOCKS, NEVER), Counter())
        for engine in (EMBEDDED, stage.engine())
    )
    assert here == there
    # Those whose digests would be composed, and nobody else.
    assert here["papers"] > here["ranked"] == SUBSCRIBERS - expected[0]["not their day"]
    assert written(stage.installation) == before


def test_what_killed_workers_had_is_done_by_others_that_are_there_or_join(
    stage: Stage, expected: Expected
) -> None:
    outcomes = stage.engine().each(stage.installation, JOB, BLOCKS, NEVER)
    counts = next(outcomes)
    kill(stage.dask.workers[0])
    counts += next(outcomes) + next(outcomes)
    kill(stage.dask.workers[1])
    stage.dask.add()
    assert sum(outcomes, counts).total() == SUBSCRIBERS
    assert written(stage.installation) == expected[1]


def test_what_a_frozen_worker_has_is_done_by_ourselves_in_the_end(
    stage: Stage, expected: Expected
) -> None:
    introduce_all(stage)  # on a busy machine that takes longer than the two seconds
    outcomes = stage.engine(block=2).each(stage.installation, JOB, BLOCKS, NEVER)
    counts = next(outcomes)
    with frozen(stage.dask.workers[0]):
        assert sum(outcomes, counts).total() == SUBSCRIBERS
        assert "no worker got anything done for 2 s: 3 subscribers are done here" in stage.said[-1]
        assert written(stage.installation) == expected[1]
    wait_until(lambda: not stage.dask.is_busy)  # it goes on where it was
    assert written(stage.installation) == expected[1]


def test_a_worker_on_another_database_is_told_and_gets_nothing(
    stage: Stage, expected: Expected, postgresql_url: str
) -> None:
    stage.dask.complete(2, {"PAPERPOST_DATABASE_URL": postgresql_url})
    assert composed(stage.installation, stage.engine()) == expected[0]
    assert written(stage.installation) == expected[1]
    # It may have taken longer to open its store than the others to do it all.
    wait_until(lambda: stage.said or not composed(stage.installation, stage.engine()))
    (line,) = stage.said
    assert re.fullmatch("worker tcp://127.0.0.1:[0-9]+: it has another database", line)


def test_workers_of_another_installation_refuse_and_end_the_run(stage: Stage) -> None:
    changed = {"secret_key": ("quite another key",), "public_url": "https://papers.example.org"}
    wanted = "it has another PAPERPOST_SECRET_KEY, another PAPERPOST_PUBLIC_URL$"
    with pytest.raises(EngineError, match=wanted):
        composed(with_settings(stage.installation, **changed), stage.engine())


def test_workers_refuse_that_would_write_something_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.blend.BLEND", 0)
    changed = {"sources": ("pubmed:cancer",), "upvotes": False}
    wanted = "has another way of ranking, another PAPERPOST_UPVOTES, another PAPERPOST_SOURCES$"
    with pytest.raises(EngineError, match=wanted):
        composed(with_settings(stage.installation, **changed), stage.engine())


def test_a_worker_that_lacks_the_key_of_a_source_refuses(theatre: Stage) -> None:
    theatre.set_up(workers=0)
    sources = ("openalex:?search=graphs",)
    theatre.dask.complete(0, {"PAPERPOST_SOURCES": sources[0]})
    own = with_settings(theatre.installation, sources=sources, openalex_key="known here alone")
    with pytest.raises(EngineError, match=r"worker tcp.*PAPERPOST_OPENALEX_KEY"):
        composed(own, theatre.engine())


def test_a_worker_that_cannot_load_the_model_is_told_and_gets_nothing(
    stage: Stage, expected: Expected, tmp_path: Path
) -> None:
    home, models = str(tmp_path / "home"), str(tmp_path / "not mounted")
    stage.dask.complete(2, {"PAPERPOST_HOME": home, "PAPERPOST_MODELS": models})
    introduce_all(stage)
    assert composed(stage.installation, stage.engine()) == expected[0]
    assert written(stage.installation) == expected[1]
    (line,) = stage.said
    assert re.match("worker tcp://127.0.0.1:[0-9]+: .*(not mounted|where machines share)", line)


def test_what_one_worker_fails_another_one_does_and_who_fails_again_is_set_aside(
    stage: Stage, expected: Expected
) -> None:
    stage.dask.complete(1, read_only(stage))
    introduce_all(stage)
    assert composed(stage.installation, stage.engine()) == expected[0]
    assert written(stage.installation) == expected[1]
    (line,) = stage.said
    assert re.match("worker tcp.*read-only.*: it failed again and again, and gets no more", line)


def test_a_run_ends_whose_workers_all_fail(theatre: Stage) -> None:
    theatre.set_up(workers=0)
    theatre.dask.complete(0, read_only(theatre), read_only(theatre))
    introduce_all(theatre)
    with pytest.raises(EngineError, match="it failed again and again"):
        composed(theatre.installation, theatre.engine())
    here = [line for line in theatre.said if "are done here instead" in line]
    assert len(here) <= 2 * AHEAD * MOST_FAILURES  # of 24


def test_what_is_due_goes_to_the_workers_until_the_run_is_stopped(stage: Stage) -> None:
    with stage.installation.database.writing() as session:
        for number in stage.start.subscribers:
            subscribers.set_next_due(session, number, CLOCK() - timedelta(hours=number % 5))
    stop = Event()
    outcomes = stage.engine().each(stage.installation, ComposeDue(CLOCK()), BLOCKS, stop)
    counts = next(outcomes)
    stop.set()
    assert sum(outcomes, counts).total() < SUBSCRIBERS
    wait_until(lambda: not stage.dask.is_busy)
    compose_all_due(stage.installation, NEVER, stage.engine())
    with stage.installation.database.reading() as session:
        assert subscribers.due(session, CLOCK(), 1) == []


def test_the_command_composes_by_the_engine_of_its_option_or_of_the_settings(
    stage: Stage, expected: Expected
) -> None:
    address = stage.dask.address.replace("tcp:", "dask:")
    done = digest_command(stage, "embedded", "--engine", address)
    assert (done.returncode, done.stderr) == (0, f"{SUBSCRIBERS} subscribers ranked\n")
    assert f"{expected[0]['queued']} queued" in done.stdout
    gone = digest_command(stage, "dask://127.0.0.1:1")
    assert gone.returncode == 1
    assert gone.stderr == "paperpost: no scheduler of Dask answers at tcp://127.0.0.1:1\n"


def test_a_run_whose_scheduler_dies_says_so(stage: Stage) -> None:
    outcomes = stage.engine().each(stage.installation, JOB, BLOCKS, NEVER)
    next(outcomes)
    kill(stage.dask.scheduler)
    with pytest.raises(EngineError, match="was lost during the run: run it again"):
        list(outcomes)
