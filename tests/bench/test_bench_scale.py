"""`paperpost bench scale` at tiny sizes: a filled PostgreSQL, a day, and what is told of them."""

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Connection, create_engine, text
from typer.testing import CliRunner

from paperpost.bench.processes import BenchError
from paperpost.bench.scale import report
from paperpost.bench.scale.filling import Library, fill_with_papers, fill_with_readers
from paperpost.bench.scale.projection import projected
from paperpost.bench.scale.readers import Readers
from paperpost.bench.scale.report import Report
from paperpost.bench.scale.run import Measured, Measurements, Plan, measure
from paperpost.bench.scale.server import Server, postgresql_server
from paperpost.bench.scale.steps import Done
from paperpost.bench.scale.watching import SERVER, Memory, Usage
from paperpost.bench.scale.wording import Wording, made_up_papers
from paperpost.cli import app
from paperpost.store.database import Database

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
LIBRARY = Library(papers=300, each_day=40, now=NOW)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with postgresql_server(None) as running:
            yield running
    except BenchError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[Connection]:
    """A database with 300 papers, and 400 subscribers who are mailed each day."""
    url = server.create("filled")
    fill_with_papers(url, LIBRARY)
    fill_with_readers(url, LIBRARY, 400)
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def one(connection: Connection, query: str) -> Any:
    return connection.execute(text(query)).scalar_one()


def test_subscribers_are_as_many_as_are_mailed_and_some_who_are_not(filled: Connection) -> None:
    query = "SELECT state, count(*) FROM subscriber GROUP BY state"
    states = sorted(tuple(row) for row in filled.execute(text(query)))
    daily = one(
        filled,
        "SELECT count(*) FROM subscriber WHERE state = 'active' AND frequency = 'daily' "
        "AND paused_until IS NULL AND suppressed_at IS NULL",
    )
    assert daily == 400
    assert states == [("active", 418), ("unsubscribed", 8)]
    assert (
        one(filled, "SELECT min(n) FROM (SELECT count(*) n FROM interest GROUP BY subscriber_id) x")
        >= 1
    )


def test_votes_have_a_heavy_tail_and_come_in_the_order_of_their_time(filled: Connection) -> None:
    each = "(SELECT count(*) AS n FROM vote GROUP BY subscriber_id) AS each"
    assert (
        6 <= one(filled, f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM {each}") <= 10
    )
    assert one(filled, f"SELECT max(n) FROM {each}") > 50
    assert one(
        filled, "SELECT avg(CASE WHEN value = 1 THEN 1.0 ELSE 0.0 END)::float8 FROM vote"
    ) == pytest.approx(0.7, abs=0.05)
    late = "SELECT count(*) FROM vote a JOIN vote b ON b.id = a.id + 1 WHERE b.cast_at < a.cast_at"
    assert one(filled, late) == 0
    assert one(filled, "SELECT max(cast_at) FROM vote") < NOW


def test_everybody_who_was_there_got_yesterdays_digest(filled: Connection) -> None:
    query = (
        "SELECT count(*) FROM digest JOIN delivery ON delivery.id = delivery_id "
        "WHERE state = 'sent'"
    )
    readers = Readers(400, NOW)
    expected = (readers.kinds[: readers.with_digest] == "daily").sum()
    assert one(filled, query) == expected
    assert one(filled, "SELECT min(local_date) FROM digest") == date(2026, 5, 6)
    assert one(filled, "SELECT min(json_array_length(items)) FROM digest") == 10


def test_papers_are_stored_as_an_import_stores_them(filled: Connection) -> None:
    assert (
        one(filled, "SELECT count(*) FROM paper_alias WHERE alias IN (SELECT id FROM paper)") == 300
    )
    assert one(filled, "SELECT count(*) FROM paper_words WHERE length(words) > 20") == 300
    assert one(filled, "SELECT count(*) FROM paper WHERE announced = '2026-05-06'") == 40


def test_a_filled_database_is_as_the_migrations_made_it(filled: Connection, server: Server) -> None:
    database = Database(server.url_of("filled"))
    try:
        assert database.difference() == []
    finally:
        database.close()
    new = (
        "INSERT INTO vote (subscriber_id, paper_number, value, origin, cast_at, counts_at) VALUES "
    )
    with filled.begin_nested() as savepoint:
        filled.execute(text(f"{new} (1, 1, 1, 'link', now(), now())"))  # its number is free
        with pytest.raises(Exception, match="foreign key"):
            filled.execute(text(f"{new} (1, 301, 1, 'link', now(), now())"))
        savepoint.rollback()


def test_the_same_papers_are_made_up_every_time() -> None:
    wording = Wording.invent()

    def made() -> list[dict[str, Any]]:
        return list(made_up_papers(wording, LIBRARY.shelf.topics[:50], 0, NOW.date(), 20))

    assert made() == made()
    assert len({paper["id"] for paper in made()}) == 50
    days = [paper["announced"] for paper in made()]
    assert [days.count(day) for day in sorted(set(days))] == [10, 20, 20]


def a_day(server: Server, most_compared: int) -> Measurements:
    """Of 60 subscribers, without processes of its own but those of Dask and of `send`."""
    pytest.importorskip("distributed")
    if shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("needs smtp-sink (Debian's package postfix)")
    told: list[str] = []
    plan = Plan((60,), papers=300, day=40, messages=50, most_compared=most_compared)
    found = measure(plan, server.url, None, told.append, apart=_here)
    assert "60 subscribers: digest, 2 workers" in told
    return found


def test_a_day_is_gone_through_from_fetching_to_sending(server: Server) -> None:
    found = a_day(server, most_compared=30)
    done = {one.name: one.done.number for one in found.steps}
    assert done["fetch"] == done["fold in"] - 40 == 40
    assert done["digest"] == found.peer.number == 60
    assert done["rank"] >= 60
    assert done["send"] >= 50
    assert all(one.usage.seconds >= 0 < one.done.seconds for one in found.steps)
    assert Report(found).comparison.document["ours"] > 0


@pytest.mark.slow
def test_engines_are_compared_on_copies_of_one_database(server: Server) -> None:
    found = a_day(server, most_compared=60)
    by = {one.by: one.done.number for one in found.steps if one.name == "digest"}
    assert by == {"one process": 60, "one worker": 60, "2 workers": 60}
    assert Report(found).speedups.keys() == {"speedup_rank", "speedup_digest"}


def _here(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


def used(seconds: float, grown: int = 0) -> Usage:
    processors = {"workers": seconds, "command": 1.0, SERVER: seconds / 2, "smtp-sink": 9.0}
    memory = {"workers": Memory(900.0, 800.0, 810.0), SERVER: Memory(1_500.0, 1_400.0, 1_410.0)}
    return Usage(seconds, processors, memory, 500, grown)


@pytest.fixture
def found() -> Measurements:
    steps = []
    for size in (100, 1_000):
        done = Done(size, size / 100, {})
        steps += [
            Measured("fill", "", size, done, used(1.0, grown=size * 2_000)),
            Measured("rank", "one worker", size, replace(done, seconds=size / 25), used(1.0)),
            Measured("rank", "2 workers", size, Done(50, size / 2_000, {}), used(1.0)),
            Measured(
                "digest", "one worker", size, replace(done, seconds=size / 70), used(size / 100)
            ),
            Measured("digest", "2 workers", size, done, used(size / 100, grown=size * 1_000)),
            Measured("send", "2 processes", size, Done(50, 0.1, {}), used(0.1)),
        ]
    return Measurements(Plan((100, 1_000)), steps, Done(10, 1.0, {}))


def test_growth_is_that_of_all_workers_and_of_all_subscribers(found: Measurements) -> None:
    exponents = Report(found).exponents
    assert exponents["digest"] == pytest.approx(1.0)
    assert exponents["rank"] == pytest.approx(2.0)  # 50 took ten times as long at the larger size
    assert exponents["send"] == pytest.approx(0.0)


def test_workers_are_compared_at_the_same_size(found: Measurements) -> None:
    smaller = [m for m in found.steps if not (m.by == "one worker" and m.subscribers == 1_000)]
    speedups = Report(replace(found, steps=smaller)).speedups
    assert speedups["speedup_digest"] == pytest.approx(100 / 70)


def test_ten_million_are_reckoned_from_the_largest_size(found: Measurements) -> None:
    rows = {what: makes for what, _, makes in projected(found)}
    assert rows["processor hours a day, workers"] == "27.8"  # 10 ms each
    assert rows["processor hours a day, PostgreSQL"] == "13.9"
    assert rows["blocks that one leader hands out"] == "20,000"
    assert rows["GB that are new each day"] == "10"
    assert rows["mails a second, to be done in 6 hours"] == "463"


def test_tables_take_the_place_of_the_old_ones(found: Measurements, tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_into(page, Report(found).markdown)
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "| digest, 2 workers | 1,000 |" in written
    report.write_into(page, "new")
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"


def test_the_picture_has_a_line_for_each_step(found: Measurements) -> None:
    root = ElementTree.fromstring(Report(found).picture)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 4
    points = [[float(n) for n in line.attrib["points"].replace(",", " ").split()] for line in lines]
    assert all(0 <= n <= 760 and not math.isnan(n) for line in points for n in line)
    names = [element.text for element in root.iter() if element.text]
    assert any("rank, compose, queue: 1.00" in name for name in names)


def test_a_page_without_a_place_for_tables_is_refused_before_anything_is_done(
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    result = CliRunner().invoke(app, ["bench", "scale", "--markdown", str(page)])
    assert result.exit_code != 0
    assert "no place for tables" in str(result.exception)
