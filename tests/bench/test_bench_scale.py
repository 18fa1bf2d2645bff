"""`paperpost bench scale` at tiny sizes: a filled PostgreSQL, a day, and what is told of them."""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Connection, create_engine, text
from typer.testing import CliRunner

from paperpost.bench.processes import BenchError
from paperpost.bench.scale import report, run
from paperpost.bench.scale.filling import Library, fill_with_papers, fill_with_readers
from paperpost.bench.scale.machine import Machine, memory_limits
from paperpost.bench.scale.measured import Measured, Measurements, Plan
from paperpost.bench.scale.projection import projected
from paperpost.bench.scale.readers import Readers
from paperpost.bench.scale.report import Report
from paperpost.bench.scale.run import measure
from paperpost.bench.scale.server import SETTINGS, Server, postgresql_server
from paperpost.bench.scale.steps import CHECKPOINT, DONE_BY_THEN, LOADED, Done, until_loaded
from paperpost.bench.scale.watching import SERVER, Memory, Usage
from paperpost.bench.scale.wording import Wording, made_up_papers
from paperpost.cli import app
from paperpost.store.database import Database

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
LIBRARY = Library(papers=300, each_day=40, now=NOW)
# Of those that come to 60 who are mailed daily: two weekly, one paused.
OTHERS_OF_60 = 3


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


def a_day(server: Server, sizes: tuple[int, ...], most_compared: int) -> Measurements:
    """Of some subscribers, without processes of its own but those of Dask and of `send`."""
    pytest.importorskip("distributed")
    if shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("needs smtp-sink (Debian's package postfix)")
    told: list[str] = []
    plan = Plan(sizes, papers=300, day=40, messages=50, most_compared=most_compared)
    *_, found = measure(plan, server.url, None, told.append, apart=_here)
    assert found.failures == ()
    assert f"{max(sizes)} subscribers: digest, 2 workers" in told
    return found


def test_a_day_that_ends_meanwhile_is_gone_through_from_fetching_to_sending(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "utc_now", lambda: datetime.now(UTC) - timedelta(days=1))
    found = a_day(server, (60,), most_compared=30)
    done = {one.name: one.done.number for one in found.steps}
    assert done["fetch"] == done["fold in"] - 40 == 40
    assert found.peer is not None
    assert found.peer.number == 60
    digests = {one.by: turns_of(one.done) for one in found.steps if one.name == "digest"}
    assert digests.keys() == {"one process", "2 workers"}
    assert digests["one process"] == digests["2 workers"]
    assert digests["2 workers"].total() == 60 + OTHERS_OF_60
    assert done["digest"] >= 60 - 1
    ranked = {one.by: one.done.number for one in found.steps if one.name == "rank"}
    assert ranked.keys() == {"2 workers", "one worker"}
    assert min(ranked.values()) >= 60
    assert done["send"] >= 50
    assert all(one.usage.seconds >= 0 < one.done.seconds for one in found.steps)
    assert all(CHECKPOINT in one.done.parts for one in found.steps if one.name == "digest")
    assert Report(found).document["ours"] > 0


def turns_of(digests: Done) -> Counter[str]:
    """How many got a digest, and how many got none for which reason. Weekly readers do on Mondays;
    who wants only what is likely enough does if there is any, by the votes of that hour."""
    counted = {name: int(number) for name, number in digests.parts.items() if name != CHECKPOINT}
    return Counter({**counted, "queued": digests.number})


@pytest.mark.slow
def test_engines_are_compared_on_copies_of_one_database(server: Server) -> None:
    found = a_day(server, (60, 40), most_compared=40)
    assert [one.subscribers for one in found.steps if one.name == "train"] == [60]
    turns = {one.by: turns_of(one.done) for one in found.steps if one.name == "digest"}
    assert turns.keys() == {"one process", "one worker", "2 workers"}
    assert turns["one process"] == turns["one worker"] == turns["2 workers"]
    assert 40 - 1 <= turns["2 workers"]["queued"] <= 40 + 1
    assert Report(found).speedups.keys() == {"speedup_rank", "speedup_digest"}


@pytest.mark.parametrize(("blocks", "first"), [(5, 1), (9, 1), (10, 2), (100, 20)])
def test_workers_are_loaded_when_a_fifth_of_the_blocks_is_done(blocks: int, first: int) -> None:
    course = [(10.0 + number, 1_000 * number) for number in range(1, blocks + 1)]
    assert until_loaded(course) == {LOADED: 10.0 + first, DONE_BY_THEN: 1_000 * first}


def test_of_very_few_blocks_nothing_is_told_apart() -> None:
    assert until_loaded([(1.0, 1_000)] * 4) == until_loaded([]) == {}


def test_what_fails_is_told_and_the_other_sizes_go_on(server: Server) -> None:
    def apart(work: Callable[..., Any], *arguments: Any) -> Any:
        if arguments[-1] in plan.subscribers:
            raise OSError("the disk is full\nof something")

    told: list[str] = []
    plan = Plan((10, 20), papers=300, day=40, messages=10)
    *_, found = measure(plan, server.url, None, told.append, apart=apart)
    expected = [f"{size} subscribers: fill: the disk is full" for size in (20, 10)]
    assert list(found.failures) == expected
    assert f"Failed: {expected[0]}" in Report(found).markdown
    assert "Traceback" in "".join(told)


def _here(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


def used(seconds: float, grown: int = 0) -> Usage:
    processors = {"workers": seconds, "command": 1.0, SERVER: seconds / 2, "smtp-sink": 9.0}
    memory = {"workers": Memory(900.0, 800.0, 810.0), SERVER: Memory(1_500.0, 1_400.0, 1_410.0)}
    return Usage(seconds, processors, memory, 500, grown)


def steps_of(size: int) -> Iterator[Measured]:
    """As they are measured: ten milliseconds for a digest; for ranking 4, after 20 seconds."""

    def step(name: str, by: str, seconds: float, number: int = size, grown: int = 0) -> Measured:
        return Measured(name, by, size, Done(number, seconds, {}), used(size / 100, grown))

    def ranked(by: str, rest: float) -> Measured:
        parts = {LOADED: 20.0, DONE_BY_THEN: 100, "papers": size * 10}
        done = Done(size + 100, rest + 20.0, parts)
        return Measured("rank", by, size, done, used(1.0))

    yield step("fill", "", 5.0, grown=size * 2_000)
    if size == 1_000_000:
        yield step("train", "", 300.0, 200_000)
    yield step("fetch", "", 3.0, 1_500)
    yield step("fold in", "", 0.0, 3_000, -100)
    if size == 10_000:
        yield step("digest", "one process", size / 60)
    if size <= 100_000:
        yield ranked("one worker", size / 150)
        yield ranked("2 workers", size / 250)
        yield step("digest", "one worker", size / 70)
        yield step("digest", "2 workers", size / 100, grown=size * 1_000)
        yield step("send", "2 processes", 0.0 if size == 10_000 else 100.0, 10_000)
    else:
        yield step("digest", "2 workers", size / 100, grown=size * 1_000)
        yield step("send", "2 processes", 100.0, 50_000)
        yield ranked("2 workers", size / 250)
        yield ranked("one worker", size / 125)


SIZES = (1_000_000, 100_000, 10_000)
MACHINE = Machine(2, 24 * 2**30, 8 * 2**30)


@pytest.fixture
def found() -> Measurements:
    steps = [one for size in SIZES for one in steps_of(size)]
    return Measurements(Plan(SIZES), steps, Done(10, 1.0, {}), (), MACHINE)


def test_growth_is_that_of_all_workers_and_of_all_subscribers(found: Measurements) -> None:
    exponents = Report(found).exponents
    assert exponents["digest"] == pytest.approx(1.0)
    assert 0.7 < (exponents["rank"] or 0) < 1  # it has a fixed part
    assert exponents["fetch"] == pytest.approx(0.0)
    assert exponents["train"] is None
    assert "send" not in exponents


def test_what_hardly_shrinks_has_no_sign(found: Measurements) -> None:
    shrinking = [
        replace(one, done=replace(one.done, seconds=3 - one.subscribers * 1e-9))
        if one.name == "fetch"
        else one
        for one in found.steps
    ]
    report = Report(replace(found, steps=shrinking))
    assert (report.exponents["fetch"] or 0) < 0
    assert "-0.00 |" not in report.markdown
    assert "-0.00" not in report.picture


def test_workers_are_compared_at_the_largest_size_that_both_did(found: Measurements) -> None:
    speedups = Report(found).speedups
    assert speedups["speedup_digest"] == pytest.approx(100 / 70)
    assert speedups["speedup_rank_loaded"] == pytest.approx(250 / 125)
    assert speedups["speedup_rank"] == pytest.approx((1_000_000 / 125 + 20) / (4_000 + 20))


def test_workers_are_compared_at_each_size_that_both_did(found: Measurements) -> None:
    told = Report(found).markdown.splitlines()
    assert [line for line in told if "once all is loaded" in line] == [
        "| rank alone, once all is loaded | 10,000 | 66.7 | 40 | 1.67 |",
        "| rank alone, once all is loaded | 100,000 | 667 | 400 | 1.67 |",
        "| rank alone, once all is loaded | 1,000,000 | 8,000 | 4,000 | 2.00 |",
    ]
    whole_runs = [line.split(" | ")[1] for line in told if "rank, compose, queue," in line]
    assert whole_runs == ["10,000", "100,000"]


@pytest.mark.parametrize("missing", ["fill", "train", "rank", "digest", "send", "2 workers"])
def test_what_is_missing_takes_nothing_else_away(found: Measurements, missing: str) -> None:
    some = [one for one in found.steps if missing not in (one.name, one.by)]
    left = Report(replace(found, steps=some, peer=None, failures=("it failed",)))
    assert "| fetch | 1,000,000 | 1,500 |" in left.markdown
    assert "Failed: it failed" in left.markdown
    assert ElementTree.fromstring(left.picture) is not None
    assert len(left.document["steps"]) == len(some)
    assert "fetch" in left.text


def test_all_is_told_after_each_step(found: Measurements) -> None:
    for number in range(len(found.steps) + 1):
        by_now = Report(replace(found, steps=found.steps[:number], peer=None))
        for size in {one.subscribers for one in by_now.found.steps}:
            assert f"| fill | {size:,} | {size:,} |" in by_now.markdown
        assert ElementTree.fromstring(by_now.picture) is not None
    of_size = [one for one, _ in found.compared if one.subscribers == 100_000]
    (by_one,) = (one for one in of_size if one.name == "rank")
    assert "number 100,100, seconds 687, a second 146" in report.told(by_one)


def test_what_it_ran_on_is_told(found: Measurements) -> None:
    told = "2 cores; memory limit: 8 GiB; memory of the machine: 24 GiB"
    assert told in Report(found).markdown
    assert told in Report(found).text
    assert "by 2 workers in 166.7 minutes" in Report(found).markdown
    assert "memory limit: none" in str(Machine(1, 2**30, None))


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/a/b", "a/b/memory.max"),
        ("0::/a/b", "a/memory.max"),
        ("0::/", "unified/memory.max"),
        ("5:memory:/a/b\n0::/", "memory/a/memory.limit_in_bytes"),
    ],
)
def test_memory_is_limited_by_all_groups_a_process_is_in(
    tmp_path: Path, own: str, file: str
) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("8589934592\n")
    assert list(memory_limits(own, tmp_path)) == [8 * 2**30]


def test_settings_of_the_server_are_told() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
    missing = [f"{name} = {value}" for name, value in SETTINGS.items()]
    assert [line for line in missing if f"`{line}`" not in page] == []


def test_ten_million_are_reckoned_from_the_largest_size(found: Measurements) -> None:
    rows = {what: makes for what, _, makes in projected(found)}
    assert rows["processor hours a day, workers"] == "27.8"  # 10 ms each
    assert rows["processor hours a day, PostgreSQL"] == "13.9"
    assert rows["cores to be ready within 1 hour"] == "41.7"  # and the command's second
    assert rows["blocks that one leader hands out"] == "10,000"
    assert rows["GB that are new each day"] == "10"
    assert rows["mails a second, to be done in 6 hours"] == "463"


def test_tables_take_the_place_of_the_old_ones(found: Measurements, tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text(f"before\n{report.BEGIN}\nOLD\n{report.END}\nafter\n")
    report.write_into(page, Report(found).markdown)
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "OLD" not in written
    assert "| digest, 2 workers | 1,000,000 |" in written
    report.write_into(page, "new")
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"


def test_the_picture_has_a_line_for_each_step(found: Measurements) -> None:
    root = ElementTree.fromstring(Report(found).picture)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 6  # not of what is the same at all sizes, mails
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
