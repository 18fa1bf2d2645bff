"""A week of arXiv with real papers: a missed day, a late feed, a weekend and a holiday."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import traps
from arxiv_archive import Archive, Work, real_works
from hurried_client import hurried_client
from invented import Clock
from speaks_arxiv_feeds import ArxivFeeds
from speaks_arxiv_oai import ArxivOai
from sqlmodel import col, select
from web_on_loopback import WebOnLoopback

from paperpost.service import fetch
from paperpost.service.installation import Installation
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.store import days
from paperpost.store.tables import Paper

SPEC = "arxiv:cs.AI+cs.CL+cs.CV+cs.LG"
TAKES_ALL = f"{SPEC}?take=new+cross+replace"
# Friday 19 June 2026 is a holiday: nothing is announced on Monday 22 June.
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 6, day) for day in range(15, 20))
AFTER_THE_HOLIDAY, NEXT_TUESDAY = date(2026, 6, 22), date(2026, 6, 23)
ANNOUNCED = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, NEXT_TUESDAY)


@dataclass
class Week:
    """arXiv, and an installation that reads it when it is told to."""

    installation: Installation
    clock: Clock
    archive: Archive
    feeds: ArxivFeeds
    oai: ArxivOai
    web: WebOnLoopback
    client: PoliteClient

    def fetch(self, day: date, hour: int = 12, spec: str = SPEC) -> fetch.Fetched:
        """Ask on that day at that hour, UTC."""
        self.archive.today = day
        self.clock.now = datetime.combine(day, time(hour), UTC)
        source = catalogue.parse(spec, self.installation.settings)
        result = fetch.Fetched()
        fetch.ask(self.installation, self.client, source, result)
        return result

    def states(self) -> dict[date, tuple[str, str]]:
        with self.installation.database.reading() as session:
            known = days.since(session, SPEC, date.min)
            return {one.day: (one.state, one.evidence) for one in known}

    def papers_by_day(self) -> Counter[date]:
        with self.installation.database.reading() as session:
            return Counter(session.exec(select(col(Paper.announced))).all())


def works_of_the_week(data: Path) -> Iterator[Work]:
    """Real papers of April under the dates of the week."""
    april = [date(2026, 4, day) for day in (1, 2, 3, 6, 7, 8)]
    wanted = {"cs.AI", "cs.CL", "cs.CV", "cs.LG"}
    for real, day in zip(april, ANNOUNCED, strict=True):
        for work in real_works(data, real)[:120]:
            if wanted.intersection(work.categories):
                yield replace(work, announced=(day,))


@pytest.fixture
def week(any_installation: Installation, clock: Clock, data: Path) -> Iterator[Week]:
    archive = Archive(works_of_the_week(data), today=MONDAY)
    feeds, oai = ArxivFeeds(archive), ArxivOai(archive, page_size=50)
    with WebOnLoopback(feeds, oai) as web, hurried_client(web) as client:
        yield Week(any_installation, clock, archive, feeds, oai, web, client)


def test_a_week_ends_with_every_paper_on_its_day_and_every_day_settled(week: Week) -> None:
    week.fetch(MONDAY)
    week.fetch(WEDNESDAY)  # Tuesday was missed
    state, evidence = week.states()[TUESDAY]
    assert (state, evidence[:21]) == ("complete", "caught up by OAI-PMH:")
    week.feeds.redated, week.feeds.stale = True, dict.fromkeys(SPEC[6:].split("+"), WEDNESDAY)
    assert week.fetch(THURSDAY).added == 0
    state, evidence = week.states()[THURSDAY]
    assert state == "stale"
    assert evidence.startswith("the feed still carries")
    assert evidence.endswith("of Wednesday 17 June 2026")
    week.feeds.redated, week.feeds.stale = False, {}
    assert week.fetch(THURSDAY, hour=13).added > 50
    for day in (FRIDAY, *(FRIDAY + timedelta(n) for n in (1, 2)), AFTER_THE_HOLIDAY, NEXT_TUESDAY):
        week.fetch(day)
    told = week.states()
    holidays = {date(2026, 6, 20), date(2026, 6, 21), AFTER_THE_HOLIDAY}
    assert {day for day, (state, _) in told.items() if state == "holiday"} == holidays
    assert {day for day, (state, _) in told.items() if state == "complete"} == set(ANNOUNCED)
    assert told[AFTER_THE_HOLIDAY][1].endswith("after the holiday of Friday 19 June 2026")
    assert week.papers_by_day() == Counter(
        work.announced[0] for work in week.archive.works.values()
    )


def test_a_harvest_that_fails_is_taken_up_again_the_next_time(week: Week) -> None:
    week.fetch(MONDAY)
    week.web.spring(traps.answers(404), on="set=cs%3Acs%3ACL")
    result = week.fetch(WEDNESDAY)
    assert "HTTP 404" in result.rejected[-1].reason
    assert week.states()[WEDNESDAY][0] == "complete"
    assert week.states()[TUESDAY][0] == "broken"
    assert week.papers_by_day()[TUESDAY] > 0
    week.fetch(WEDNESDAY, hour=13)
    assert week.states()[TUESDAY][0] == "complete"
    expected = Counter(work.announced[0] for work in week.archive.works.values())
    assert week.papers_by_day()[TUESDAY] == expected[TUESDAY]


def test_an_installation_that_begins_on_a_weekend_has_fridays_papers_at_once(week: Week) -> None:
    assert week.fetch(FRIDAY + timedelta(days=1)).added > 50
    assert set(week.papers_by_day()) == {THURSDAY, FRIDAY}
    assert week.states()[FRIDAY][0] == "complete"


def test_what_is_there_already_is_not_sent_again(week: Week) -> None:
    week.fetch(MONDAY)
    again = week.fetch(MONDAY, hour=18)
    assert (again.added, again.updated, again.skipped) == (0, 0, 0)
    assert week.states()[MONDAY][0] == "complete"


def test_a_replacement_that_is_taken_leaves_a_known_paper_on_its_day(week: Week) -> None:
    first = next(work for work in week.archive.works.values() if work.announced == (MONDAY,))
    unknown = replace(first, id="2501.00001", title="A work of old", announced=(date(2025, 1, 2),))
    week.archive.add(unknown)
    week.fetch(MONDAY, spec=TAKES_ALL)
    week.archive.replace(first.id, TUESDAY)
    week.archive.replace(unknown.id, TUESDAY)
    week.fetch(TUESDAY, spec=TAKES_ALL)
    with week.installation.database.reading() as session:
        stored = {paper.id: paper for paper in session.exec(select(Paper)).all()}
    known, old = stored[first.id], stored[unknown.id]
    assert (known.announced, known.revised, known.version) == (MONDAY, TUESDAY, 2)
    assert (old.announced, old.revised, old.version) == (date(2025, 1, 1), TUESDAY, 2)
