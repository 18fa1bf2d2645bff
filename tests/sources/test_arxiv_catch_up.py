"""arXiv's days that were missed, by OAI-PMH."""

from collections.abc import Iterator
from datetime import date

import pytest
import traps
from arxiv_archive import Work
from arxiv_on_stage import (
    FRIDAY,
    MONDAY,
    SATURDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    ArxivOnStage,
    arxiv_on_stage,
    found,
    rejected,
    reports,
)
from loopback_source import Told

from paperpost.sources.arxiv_categories import is_within, set_of
from paperpost.sources.errors import FeedError, RequestFailed, SourceBusy, UnreadableFile
from paperpost.sources.source import Batch, DayState

OAI = "oaipmh.arxiv.org"


@pytest.fixture
def arxiv() -> Iterator[ArxivOnStage]:
    """Thursday, with a batch of its own."""
    with arxiv_on_stage(THURSDAY) as stage:
        stage.announce(THURSDAY, 900)
        yield stage


def harvests(arxiv: ArxivOnStage) -> list[dict[str, str]]:
    return [question.query for question in arxiv.web.asked if question.host == OAI]


def announced(batches: list[Batch]) -> dict[str | None, date]:
    papers = found(batches).items()
    return {id: paper.announced for id, paper in papers if paper.kind in ("new", "cross")}


def test_missed_days_are_caught_up_with_the_days_of_their_announcement(
    arxiv: ArxivOnStage,
) -> None:
    tuesday = arxiv.announce(TUESDAY, 1, 2)
    wednesday = arxiv.announce(WEDNESDAY, 3, categories="cs.LG cs.AI")
    batches = arxiv.ask(TUESDAY, WEDNESDAY)
    told = reports(batches)
    assert (told[TUESDAY].state, told[TUESDAY].papers) == (DayState.COMPLETE, 2)
    assert told[TUESDAY].evidence == "caught up by OAI-PMH: 2 papers"
    assert told[WEDNESDAY].evidence == "caught up by OAI-PMH: 1 paper"
    days = dict.fromkeys(tuesday, TUESDAY) | dict.fromkeys(wednesday, WEDNESDAY)
    assert announced(batches) == days | {"2604.00900": THURSDAY}
    assert found(batches)["2604.00003"].kind == "cross"
    (asked,) = harvests(arxiv)
    assert asked == {
        "verb": "ListRecords",
        "metadataPrefix": "arXivRaw",
        "set": "cs:cs:AI",
        "from": str(MONDAY),
    }


def test_every_category_is_asked_and_a_paper_of_two_counts_once(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, 1, categories="hep-ph cs.AI")
    arxiv.announce(WEDNESDAY, 2, categories="cond-mat.soft")
    spec = "arxiv:cs.ai+hep-ph+cond-mat"
    told = reports(arxiv.ask(WEDNESDAY, spec=spec))[WEDNESDAY]
    assert told.papers == 2
    sets = [asked["set"] for asked in harvests(arxiv)]
    assert sets == ["cs:cs:AI", "physics:hep-ph", "physics:cond-mat"]


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("cs", "cs:cs"),
        ("q-bio.nc", "q-bio:q-bio:NC"),
        ("astro-ph.GA", "physics:astro-ph:GA"),
        ("cond-mat.mtrl-sci", "physics:cond-mat:mtrl-sci"),
        ("physics.optics", "physics:physics:optics"),
    ],
)
def test_a_categorys_set_names_its_group_and_archive(category: str, name: str) -> None:
    assert set_of(category) == name


def test_a_category_is_within_its_archive_and_goes_by_its_other_name() -> None:
    assert is_within("cs.AI", "CS")
    assert is_within("math.NA", "cs.NA")
    assert is_within("eess.SY", "cs")
    assert not is_within("cs.AI", "cs.A")
    assert not is_within("hep-ph", "hep")


def test_papers_that_were_only_changed_are_no_news(arxiv: ArxivOnStage) -> None:
    arxiv.announce(date(2026, 3, 2), 1, 2, 3)
    arxiv.archive.replace("2603.00001", WEDNESDAY)
    arxiv.archive.cross_list("2603.00002", WEDNESDAY, "cs.CL")
    arxiv.announce(WEDNESDAY, 4)
    batches = arxiv.ask(WEDNESDAY)
    assert set(announced(batches)) == {"2604.00004", "2604.00900"}
    replaced, listed = found(batches)["2603.00001"], found(batches)["2603.00002"]
    assert (replaced.kind, replaced.revised, replaced.version) == ("replace", WEDNESDAY, 2)
    assert (listed.kind, listed.revised) == ("replace", None)
    assert "2603.00003" not in found(batches)


def test_replacements_are_taken_where_they_are_wanted(arxiv: ArxivOnStage) -> None:
    arxiv.announce(date(2026, 3, 2), 1)
    arxiv.announce(date(2026, 3, 2), 2, categories="cs.CL cs.AI")
    arxiv.archive.replace("2603.00001", WEDNESDAY)
    arxiv.archive.replace("2603.00002", WEDNESDAY)
    papers = found(arxiv.ask(WEDNESDAY, spec="arxiv:cs.AI?take=new+replace"))
    assert (papers["2603.00001"].kind, papers["2603.00001"].revised) == ("new", WEDNESDAY)
    assert papers["2603.00001"].announced == date(2026, 3, 1)
    assert papers["2603.00002"].kind == "replace-cross"


def test_a_paper_that_was_replaced_since_is_still_news_of_its_missed_day(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(TUESDAY, 1)
    arxiv.archive.replace("2604.00001", THURSDAY)
    batches = arxiv.ask(TUESDAY, WEDNESDAY)
    assert announced(batches)["2604.00001"] == TUESDAY
    assert reports(batches)[TUESDAY].papers == 1


def test_only_first_announcements_are_caught_up_where_only_they_are_taken(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.announce(WEDNESDAY, 2, categories="cs.CL cs.AI")
    batches = arxiv.ask(WEDNESDAY, spec="arxiv:cs.AI?take=new")
    assert set(found(batches)) == {"2604.00001", "2604.00900"}
    assert reports(batches)[WEDNESDAY].papers == 1


def test_a_withdrawn_paper_is_never_offered_and_a_deleted_one_is_told(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(WEDNESDAY, 1, 2)
    arxiv.archive.delete("2604.00001", THURSDAY)
    arxiv.archive.replace("2604.00002", THURSDAY)
    flag = b"<source_type>D</source_type></version>\n        <title>Study 2"
    withdrawn = flag.replace(b">D<", b">I<")
    arxiv.web.spring(lambda told: Told(200, told.body.replace(flag, withdrawn)), on=OAI)
    batches = arxiv.ask(WEDNESDAY)
    assert set(announced(batches)) == {"2604.00900"}
    assert found(batches)["2604.00002"].kind == "replace"
    assert [one.reason for one in rejected(batches)] == ["deleted record"]


def test_a_long_list_comes_page_by_page_and_empty_pages_are_passed(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, *range(1, 24))
    arxiv.oai.page_size, arxiv.oai.empty_pages = 10, {2}
    batches = arxiv.ask(WEDNESDAY)
    assert [len(batch.records) for batch in batches] == [1, 10, 0, 10, 4, 0]
    assert reports(batches)[WEDNESDAY].papers == 23
    assert all(batch.days == () for batch in batches[1:-1])


def expiring(arxiv: ArxivOnStage) -> traps.Trap:
    """After this answer no token is good any more."""

    def expire(told: Told) -> Told:
        arxiv.oai.expire_tokens()
        return told

    return expire


def test_when_a_token_has_expired_the_list_begins_again_at_the_newest_datestamp(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(TUESDAY, *range(1, 16))
    arxiv.announce(WEDNESDAY, *range(16, 21))
    arxiv.oai.page_size = 10
    arxiv.web.spring(expiring(arxiv), on="from=2026-04-13")
    told = reports(arxiv.ask(TUESDAY, WEDNESDAY))
    assert (told[TUESDAY].papers, told[WEDNESDAY].papers) == (15, 5)
    assert [asked.get("from") for asked in harvests(arxiv)] == [
        str(MONDAY),
        None,
        str(TUESDAY),
        None,
        None,
    ]


def test_a_token_that_never_works_is_told_after_two_new_beginnings(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, *range(1, 21))
    arxiv.oai.page_size = 10
    arxiv.web.spring(expiring(arxiv), on="from=", times=9)
    with pytest.raises(FeedError, match="badResumptionToken"):
        arxiv.ask(WEDNESDAY)
    assert len(harvests(arxiv)) == 6


def test_a_list_out_of_order_begins_again_at_its_beginning(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, *range(1, 21))
    arxiv.oai.page_size = 10
    first = b"<datestamp>2026-04-15"

    def disordered(told: Told) -> Told:
        arxiv.oai.expire_tokens()
        return Told(200, told.body.replace(first, b"<datestamp>2026-04-16", 1))

    arxiv.web.spring(disordered, on="from=")
    assert reports(arxiv.ask(WEDNESDAY))[WEDNESDAY].papers == 20
    begun = [asked["from"] for asked in harvests(arxiv) if "from" in asked]
    assert begun == [str(TUESDAY), str(TUESDAY)]


def test_half_an_answer_is_taken_in_and_the_list_begins_again(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, *range(1, 21))
    arxiv.web.spring(traps.half_a_page, on=OAI)
    batches = arxiv.ask(WEDNESDAY)
    assert reports(batches)[WEDNESDAY].papers == 20
    arxiv.web.spring(traps.half_a_page, on=OAI, times=3)
    with pytest.raises(UnreadableFile, match="ends in the middle"):
        arxiv.ask(WEDNESDAY)


def test_a_failure_in_the_middle_leaves_what_came_and_says_nothing_of_the_day(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(WEDNESDAY, *range(1, 21))
    arxiv.oai.page_size = 10
    arxiv.web.spring(traps.busy(429, retry_after="7"), on="resumptionToken", times=9)
    came: list[Batch] = []
    with pytest.raises(RequestFailed, match="429"):
        came.extend(arxiv.asking(WEDNESDAY))
    assert len(announced(came)) == 11
    assert set(reports(came)) == {THURSDAY}


def test_a_server_that_is_busy_for_a_moment_is_asked_again(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.web.spring(traps.busy(503, retry_after="1"), on=OAI)
    assert reports(arxiv.ask(WEDNESDAY))[WEDNESDAY].state == DayState.COMPLETE
    arxiv.web.spring(traps.busy(503, retry_after="86400"), on=OAI)
    with pytest.raises(SourceBusy):
        arxiv.ask(WEDNESDAY)


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_of_the_protocol_is_told_whatever_its_status(
    arxiv: ArxivOnStage, status: int
) -> None:
    error = b'<?xml version="1.0"?><OAI-PMH><error code="badArgument">no such set</error></OAI-PMH>'
    arxiv.web.spring(traps.answers(status, error), on=OAI)
    with pytest.raises(FeedError, match="badArgument: no such set"):
        arxiv.ask(WEDNESDAY)


def test_a_page_that_is_no_oai_pmh_is_an_error(arxiv: ArxivOnStage) -> None:
    arxiv.web.spring(traps.login_page, on=OAI)
    with pytest.raises(UnreadableFile, match="no OAI-PMH"):
        arxiv.ask(WEDNESDAY)


def test_a_missed_day_without_papers_is_one_only_when_later_ones_are_listed(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(MONDAY, 1)
    told = reports(arxiv.ask(TUESDAY, WEDNESDAY))
    assert (told[TUESDAY].state, told[WEDNESDAY].state) == (DayState.HOLIDAY, DayState.HOLIDAY)
    arxiv.archive.works.pop("2604.00900")
    told = reports(arxiv.ask(WEDNESDAY))
    assert told[WEDNESDAY].state == DayState.STALE
    assert told[WEDNESDAY].evidence == "OAI-PMH does not list that day's papers yet"
    arxiv.announce(date(2026, 3, 2), 1, categories="cs.CL")
    told = reports(arxiv.ask(MONDAY, TUESDAY, WEDNESDAY, spec="arxiv:cs.CL"))
    states = [told[day].state for day in (MONDAY, TUESDAY, WEDNESDAY)]
    assert states == [DayState.HOLIDAY, DayState.STALE, DayState.STALE]


def test_what_is_of_tomorrow_already_is_left_to_its_day(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.announce(FRIDAY, 2)
    arxiv.archive.today, arxiv.feeds.stale = FRIDAY, {"cs.AI": THURSDAY}
    batches = arxiv.ask(WEDNESDAY, today=THURSDAY)
    assert set(announced(batches)) == {"2604.00001", "2604.00900"}


def test_a_feed_that_is_full_is_completed_by_oai_pmh(arxiv: ArxivOnStage) -> None:
    arxiv.oai.page_size = 3500  # as many as arXiv gives
    arxiv.announce(THURSDAY, *range(1000, 3100))
    batches = arxiv.ask()
    first, last = (report for batch in batches for report in batch.days)
    assert (first.state, first.papers) == (DayState.PARTIAL, 2000)
    assert first.evidence == "the feed has 2,000 papers, which is as many as it can hold"
    assert (last.day, last.state, last.papers) == (THURSDAY, DayState.COMPLETE, 2101)
    assert len(found(batches)) == 2101


def test_where_the_feed_gives_no_answer_the_missed_days_are_caught_up_all_the_same(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.web.spring(traps.busy(500), on="rss.arxiv.org", times=9)
    came: list[Batch] = []
    with pytest.raises(RequestFailed, match="500"):
        came.extend(arxiv.asking(WEDNESDAY))
    assert reports(came)[WEDNESDAY].state == DayState.COMPLETE
    assert THURSDAY not in reports(came)


def test_where_the_feed_refuses_its_sister_is_not_asked(arxiv: ArxivOnStage) -> None:
    arxiv.web.spring(traps.busy(403), on="rss.arxiv.org")
    with pytest.raises(RequestFailed, match="403"):
        arxiv.ask(WEDNESDAY)
    assert harvests(arxiv) == []


def test_a_new_installation_on_a_weekend_gets_fridays_papers(arxiv: ArxivOnStage) -> None:
    friday = arxiv.announce(FRIDAY, 1, 2)
    arxiv.archive.today = SATURDAY
    batches = arxiv.ask(FRIDAY)
    assert {id for id, day in announced(batches).items() if day == FRIDAY} == set(friday)
    told = reports(batches)
    assert (told[FRIDAY].state, told[SATURDAY].state) == (DayState.COMPLETE, DayState.HOLIDAY)


def test_a_paper_that_moderators_held_back_is_news_of_the_day_it_came(
    arxiv: ArxivOnStage,
) -> None:
    held = Work("2604.00001", "Held back", (TUESDAY,))
    arxiv.archive.add(held)
    submitted = b"Mon, 13 Apr 2026 14:00:00 GMT"
    assert held.submitted(1).day == 13
    earlier = b"Wed, 08 Apr 2026 14:00:00 GMT"
    arxiv.web.spring(lambda told: Told(200, told.body.replace(submitted, earlier)), on=OAI)
    assert announced(arxiv.ask(TUESDAY, WEDNESDAY))["2604.00001"] == TUESDAY


@pytest.mark.parametrize(
    ("trap", "error"),
    [
        (traps.login_page, UnreadableFile),
        (traps.error_feed, FeedError),
        (traps.entity_bomb, UnreadableFile),
        (traps.answers(404, b"gone"), RequestFailed),
    ],
)
def test_where_the_feed_cannot_be_read_the_missed_days_are_caught_up_all_the_same(
    arxiv: ArxivOnStage, trap: traps.Trap, error: type[Exception]
) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.web.spring(trap, on="rss.arxiv.org")
    came: list[Batch] = []
    with pytest.raises(error):
        came.extend(arxiv.asking(WEDNESDAY))
    assert reports(came)[WEDNESDAY].state == DayState.COMPLETE
    assert THURSDAY not in reports(came)


def test_of_a_category_that_is_none_the_feeds_own_words_are_told(arxiv: ArxivOnStage) -> None:
    error = b'<?xml version="1.0"?><OAI-PMH><error code="badArgument">no such set</error></OAI-PMH>'
    arxiv.web.spring(traps.error_feed, on="rss.arxiv.org")
    arxiv.web.spring(traps.answers(200, error), on=OAI)
    with pytest.raises(FeedError, match="Bad archive"):
        arxiv.ask(WEDNESDAY)


def test_two_sources_of_the_same_categories_each_get_the_batch(arxiv: ArxivOnStage) -> None:
    for spec in ("arxiv:cs.AI?take=new", "arxiv:cs.AI"):
        told = reports(arxiv.ask(spec=spec))
        assert (told[THURSDAY].state, told[THURSDAY].papers) == (DayState.COMPLETE, 1)
