"""`bench web`: every page of the site, asked for over loopback of a real server, beside an empty
page of Starlette's from the same one."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import uvicorn
from rich.table import Table
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from paperpost.bench.months import Sizes, fill
from paperpost.bench.processes import BenchError, in_own_process
from paperpost.bench.report import Comparison, number
from paperpost.bench.visits import Visit, visits
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database
from paperpost.web.serve import listen, serve

HOST = "127.0.0.1"
SOURCES = ("arxiv:cs.AI+cs.CL",)
_EMPTY_PAGE = "<!doctype html><html lang=en><title>Empty</title><p>Nothing</p></html>"
# What the site promises for every page.
MOST_MILLISECONDS, MOST_BYTES = 50.0, 100_000
SECONDS_TO_START = 60
IDLE_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Timed:
    """One page: milliseconds in the median, of 95 in 100 and of the very first request, those of
    the processor in the mean (the others grow on a busy machine), and bytes before compression;
    `over` says which promise is broken."""

    page: str
    milliseconds: float
    milliseconds_95: float
    first: float
    processor: float
    bytes: int

    @property
    def over(self) -> str:
        slow = self.milliseconds > MOST_MILLISECONDS
        large = self.bytes > MOST_BYTES
        return " and ".join(["slow"] * slow + ["large"] * large)


@dataclass(frozen=True, slots=True)
class Visited:
    """All pages of an installation of one size, and the server's memory at the end."""

    papers: int
    subscribers: int
    pages: tuple[Timed, ...]
    empty: Timed
    loop: float
    mebibytes: float

    @property
    def slowest(self) -> Timed:
        return max(self.pages, key=lambda one: one.milliseconds)


def bench_web(sizes: Sequence[Sizes], rounds: int, say: Callable[[str], None]) -> Comparison:
    """Ask for every page `rounds` times; `ours` is the slowest page of the largest installation."""
    seen = [_visit_all(size, rounds, say) for size in sorted(sizes, key=lambda one: one.papers)]
    largest = seen[-1]
    return Comparison(
        f"the slowest page ({largest.slowest.page}) with {largest.papers:,} papers and "
        f"{largest.subscribers:,} subscribers",
        largest.slowest.milliseconds,
        largest.empty.milliseconds,
        "milliseconds",
        "an empty page of Starlette's",
        {
            "rounds": rounds,
            "front_page": largest.pages[0].milliseconds,
            "front_page_by_a_loop_over_all_papers": largest.loop,
            "mebibytes": largest.mebibytes,
            "over": [one.page for one in largest.pages if one.over],
            "pages": [asdict(one) | {"over": one.over} for one in largest.pages],
            "growth": [_growth(one) for one in seen],
        },
        [_table(seen)],
    )


def _growth(seen: Visited) -> dict[str, Any]:
    pages = {one.page: one.milliseconds for one in seen.pages}
    return {"papers": seen.papers, "subscribers": seen.subscribers, "pages": pages}


def _table(seen: Sequence[Visited]) -> Table:
    table = Table(title="every page", title_justify="left")
    table.add_column("page")
    for one in seen:
        table.add_column(f"ms at {one.papers:,}", justify="right")
    for name in ("95 %", "first", "processor", "bytes", "over"):
        table.add_column(name, justify="right")
    for each in zip(*(one.pages for one in seen), strict=True):
        last = each[-1]
        times = [number(one.milliseconds) for one in each]
        rest = (last.milliseconds_95, last.first, last.processor, last.bytes)
        table.add_row(last.page, *times, *map(number, rest), last.over)
    return table


def _visit_all(sizes: Sizes, rounds: int, say: Callable[[str], None]) -> Visited:
    say(f"making up {sizes.papers:,} papers and {sizes.subscribers:,} subscribers")
    with TemporaryDirectory() as name:
        home = Path(name)
        now = in_own_process(_fill, home, sizes)
        with _installation(home, now) as installation:
            wanted = visits(installation)
        say(f"asking for {len(wanted)} pages, {rounds} times each")
        with _serving(_serve_nothing) as (connection, process):
            empty = _timed(connection, psutil.Process(process), rounds, Visit("empty", "/"))
        with _serving(_serve_site, home, now) as (connection, process):
            server = psutil.Process(process)
            _wait_until_idle(server)
            pages = tuple(_timed(connection, server, rounds, visit) for visit in wanted)
            held = server.memory_info().rss / 2**20
        return Visited(sizes.papers, sizes.subscribers, pages, empty, _loop(home, rounds), held)


@contextmanager
def _installation(home: Path, now: datetime | None = None) -> Iterator[Installation]:
    settings = load_settings(home=home, sources=SOURCES)
    installation = Installation(settings, Database(settings.store_url))
    if now is not None:
        installation = Installation(settings, installation.database, lambda: now)
    try:
        yield installation
    finally:
        installation.close()


def _fill(home: Path, sizes: Sizes) -> datetime:
    with _installation(home) as installation:
        installation.database.upgrade()
        return fill(installation, sizes)


@contextmanager
def _serving(target: Callable[..., None], *args: object) -> Iterator[tuple[HTTPConnection, int]]:
    """A server in a process of its own: a connection to it, and the process's number. `target`
    tells its last argument, a line to us, the server's address."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*args, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(SECONDS_TO_START):
            raise BenchError("the server did not start")
        with closing(HTTPConnection(urlsplit(ours.recv()).netloc)) as connection:
            yield connection, process.pid or 0
    finally:
        process.terminate()
        process.join()


def _serve_site(home: Path, now: datetime, line: "Connection[str, str]") -> None:
    """The site as `serve --web-only` has it, but for its clock, which stands still."""

    def tell(text: str) -> None:
        if text.startswith("serving "):
            line.send(text.removeprefix("serving "))

    with _installation(home, now) as stored:
        installation = replace(stored, say=tell)
        serve(installation, HOST, 0, with_work=False)


def _serve_nothing(line: "Connection[str, str]") -> None:
    with listen(HOST, 0) as listener:
        line.send(f"http://{HOST}:{listener.getsockname()[1]}")
        app = Starlette(routes=[Route("/", lambda _: HTMLResponse(_EMPTY_PAGE))])
        config = uvicorn.Config(app, log_level="warning", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


def _wait_until_idle(server: psutil.Process) -> None:
    """It loads the model at its start, beside the first requests."""
    for _ in range(SECONDS_TO_START):
        if server.cpu_percent(interval=1) < IDLE_PERCENT:
            return
    raise BenchError("the server does not come to rest")


def _timed(connection: HTTPConnection, server: psutil.Process, rounds: int, visit: Visit) -> Timed:
    """Ask for one page again and again, on one connection."""
    method, headers = "GET" if visit.body is None else "POST", dict(visit.headers)
    seconds, status, body = [], 0, b""
    before = _processor_seconds(server)
    for _ in range(rounds):
        started = time.perf_counter()
        connection.request(method, visit.path, visit.body, headers)
        answer = connection.getresponse()
        body, status = answer.read(), answer.status
        seconds.append(time.perf_counter() - started)
    if status >= 400:
        raise BenchError(f"{visit.name} was answered with {status}")
    times = np.array(seconds) * 1e3
    return Timed(
        page=visit.name,
        milliseconds=float(np.median(times)),
        milliseconds_95=float(np.quantile(times, 0.95)),
        first=float(times[0]),
        processor=(_processor_seconds(server) - before) / rounds * 1e3,
        bytes=len(body),
    )


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _loop(home: Path, rounds: int) -> float:
    """Milliseconds for the front page's papers as arxiv-sanity-lite finds them: all papers out of
    a table of key and value, sorted by time in Python; nothing is rendered."""
    with closing(sqlite3.connect(home / "papers.db")) as papers:
        papers.execute("ATTACH ? AS ours", [str(home / "paperpost.db")])
        papers.execute(
            "CREATE TABLE metas AS SELECT id AS key, "
            "json_object('id', id, 'time', announced, 'title', title) AS value FROM ours.paper"
        )
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            metas = [json.loads(value) for (value,) in papers.execute("SELECT value FROM metas")]
            sorted(metas, key=lambda meta: meta["time"], reverse=True)[:30]
            seconds.append(time.perf_counter() - started)
    return median(seconds) * 1e3
