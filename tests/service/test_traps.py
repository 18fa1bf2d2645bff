"""Whatever goes wrong with an answer, no source says that all is there unless it is, and the next
time all of it goes in."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import traps
from arxiv_archive import Archive, Work
from hurried_client import Kept, OpenGate
from invented import Clock, with_settings
from speaks_arxiv_feeds import ArxivFeeds
from speaks_arxiv_oai import ArxivOai
from speaks_biorxiv import PreprintApi, post
from speaks_daily_papers import DailyPapersApi, row
from speaks_feeds import ADDRESS, Journal, entry
from speaks_openalex import KEY, OpenAlexApi, work
from speaks_pubmed import EUtilities, article
from web_on_loopback import Trap, WebOnLoopback

from paperpost.service import fetch
from paperpost.service.installation import Installation
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.sources.source import SETTLED
from paperpost.store import days, papers

FRIDAY = date(2026, 4, 10)
FEED = f"feed:{ADDRESS}"
SPECS = ("arxiv:cs.AI", "daily-papers", "biorxiv", "openalex:is_oa:true", "pubmed:mri", FEED)
NUMBERS = (1, 2, 3)
HARMLESS = (traps.gzipped, traps.wrong_type, traps.long_titles)
HARMFUL = {
    "429": traps.busy(429),
    "503": traps.busy(503, retry_after="7"),
    "503 until tomorrow": traps.busy(503, retry_after="Sat, 11 Apr 2026 10:00:00 GMT"),
    "an error feed that says 200": traps.error_feed,
    "the page of a hotel": traps.login_page,
    "nothing": traps.answers(200),
    "half a page": traps.half_a_page,
    "a connection that breaks": traps.cut_off,
    "dates of another century": traps.wrong_dates,
    "dates without zeros": traps.unpadded_dates,
    "an entity bomb": traps.entity_bomb,
    "a gzip bomb": traps.gzip_bomb,
    "drop by drop": traps.drips,
    "without an end": traps.endless,
    "to a private address": traps.redirected("http://169.254.169.254/latest/meta-data"),
    "to another host": traps.redirected("https://elsewhere.example/"),
}


@pytest.fixture
def web() -> Iterator[WebOnLoopback]:
    """Six sources with three papers each on that day."""
    works = [Work(f"2604.2000{n}", f"Of arXiv, {n}", (FRIDAY,)) for n in NUMBERS]
    archive = Archive(works, today=FRIDAY)
    with WebOnLoopback(
        ArxivFeeds(archive),
        ArxivOai(archive),
        DailyPapersApi({FRIDAY: [row(n, FRIDAY) for n in NUMBERS]}, FRIDAY),
        PreprintApi({"biorxiv": [post(n, FRIDAY) for n in NUMBERS]}),
        OpenAlexApi([work(n, FRIDAY) for n in NUMBERS]),
        EUtilities({FRIDAY: {n: article(n, FRIDAY) for n in NUMBERS}}),
        Journal([entry(n, "Fri, 10 Apr 2026 08:00:00 GMT") for n in NUMBERS]),
    ) as running:
        yield running


@pytest.fixture
def client(web: WebOnLoopback) -> Iterator[PoliteClient]:
    hurried = PoliteClient(
        contact=None,
        version="0.1",
        gate=OpenGate(),
        cache=Kept(),
        mirror=web.url,
        deadline=0.1,
        max_bytes=1_000_000,
        max_attempts=2,
    )
    with hurried:
        yield hurried


@pytest.fixture
def reader(installation: Installation, clock: Clock) -> Installation:
    clock.now = datetime(2026, 4, 10, 20, tzinfo=UTC)
    return with_settings(installation, openalex_key=KEY)


def ask(reader: Installation, client: PoliteClient, spec: str) -> tuple[str, int]:
    """How the day stands then, and how many papers were new."""
    result = fetch.Fetched()
    fetch.ask(reader, client, catalogue.parse(spec, reader.settings), result)
    with reader.database.reading() as session:
        (stand,) = days.since(session, spec, FRIDAY)
    return stand.state, result.added


@pytest.mark.parametrize("trap", HARMLESS, ids=lambda trap: trap.__name__)
def test_an_odd_answer_is_read(
    web: WebOnLoopback, client: PoliteClient, reader: Installation, trap: Trap
) -> None:
    web.spring(trap, times=1000)
    assert [ask(reader, client, spec)[1] for spec in SPECS] == [3] * len(SPECS)


@pytest.mark.parametrize("trap", HARMFUL.values(), ids=HARMFUL)
def test_what_went_wrong_is_told_and_made_good(
    web: WebOnLoopback, client: PoliteClient, reader: Installation, trap: Trap, clock: Clock
) -> None:
    web.spring(trap, times=1000)
    first = {spec: ask(reader, client, spec) for spec in SPECS}
    settled = [spec for spec, (state, _) in first.items() if state in SETTLED]
    assert [first[spec][1] for spec in settled] == [3] * len(settled)
    web.forget()
    clock.turn(hours=1)
    second = {spec: ask(reader, client, spec)[1] for spec in SPECS}
    assert {spec: first[spec][1] + second[spec] for spec in SPECS} == dict.fromkeys(SPECS, 3)
    with reader.database.reading() as session:
        assert papers.count(session) == 3 * len(SPECS)
