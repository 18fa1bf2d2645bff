"""arXiv's feed of the day: what is taken of it, and what it says of its day."""

from collections.abc import Iterator
from datetime import date

import pytest
import traps
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

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.errors import FeedError, RequestFailed, UnknownSource, UnreadableFile
from paperpost.sources.source import Batch, DayReport, DayState


@pytest.fixture
def arxiv() -> Iterator[ArxivOnStage]:
    with arxiv_on_stage(THURSDAY) as stage:
        yield stage


def of_today(batches: list[Batch]) -> tuple[DayState, str]:
    report = reports(batches)[THURSDAY]
    return report.state, report.evidence


@pytest.mark.parametrize("spec", ["arxiv:cs.AI+cs.CL", "arxiv:cs.ai+cs.cl?feed=atom", "arxiv:cs"])
def test_the_batch_of_the_day_is_its_papers_and_the_day_is_complete(
    arxiv: ArxivOnStage, spec: str
) -> None:
    ids = arxiv.announce(THURSDAY, 1, 2, categories="cs.AI cs.LG")
    ids += arxiv.announce(THURSDAY, 3, categories="cs.CL")
    batches = arxiv.ask(spec=spec)
    assert sorted(found(batches), key=str) == ids
    assert {paper.announced for paper in found(batches).values()} == {THURSDAY}
    report = reports(batches)[THURSDAY]
    assert (report.state, report.papers) == (DayState.COMPLETE, 3)
    assert sorted(report.ids or ()) == ids
    assert report.evidence == "the feed has 3 new papers, 0 cross-listed and 0 replaced"


def everything(arxiv: ArxivOnStage) -> None:
    """One paper of each kind, for cs.AI on Thursday."""
    arxiv.announce(THURSDAY, 1)
    arxiv.announce(THURSDAY, 2, categories="cs.LG cs.AI")
    arxiv.announce(date(2026, 3, 2), 3)
    arxiv.archive.replace("2603.00003", THURSDAY)
    arxiv.announce(date(2026, 3, 2), 4, categories="cs.LG cs.AI")
    arxiv.archive.replace("2603.00004", THURSDAY)


@pytest.mark.parametrize(
    ("take", "news"),
    [
        ("new", ["2604.00001"]),
        ("new+cross", ["2604.00001", "2604.00002"]),
        ("new+replace", ["2603.00003", "2604.00001"]),
        ("new+cross+replace", ["2603.00003", "2603.00004", "2604.00001", "2604.00002"]),
    ],
)
def test_what_is_taken_of_a_day_is_a_choice(
    arxiv: ArxivOnStage, take: str, news: list[str]
) -> None:
    everything(arxiv)
    papers = found(arxiv.ask(spec=f"arxiv:cs.AI?take={take}"))
    taken = [str(id) for id, paper in papers.items() if not paper.kind.startswith("replace")]
    assert sorted(taken) == news
    # Whatever is taken, replacements change what is known.
    assert {"2603.00003", "2603.00004"} <= set(papers)


def test_a_replacement_that_is_taken_is_no_news_of_its_day(arxiv: ArxivOnStage) -> None:
    everything(arxiv)
    paper = found(arxiv.ask(spec="arxiv:cs.AI?take=new+cross+replace"))["2603.00003"]
    assert (paper.kind, paper.version) == ("new", 2)
    assert (paper.announced, paper.revised) == (date(2026, 3, 1), THURSDAY)
    other = found(arxiv.ask(spec="arxiv:cs.AI?feed=atom"))["2603.00003"]
    assert (other.kind, other.revised) == ("replace", THURSDAY)


def test_the_month_of_an_old_id_is_of_its_century(arxiv: ArxivOnStage) -> None:
    arxiv.announce(date(2003, 9, 15), 1, categories="math.GT")
    work = arxiv.archive.works.pop("0309.00001")
    arxiv.archive.works["math/0309136"] = type(work)("math/0309136", work.title, work.announced)
    arxiv.archive.replace("math/0309136", THURSDAY)
    paper = found(arxiv.ask(spec="arxiv:cs.AI?take=new+replace"))["math/0309136"]
    assert paper.announced == date(2003, 9, 1)


def test_an_empty_feed_is_late_on_a_weekday_and_as_it_should_be_on_a_weekend(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(MONDAY, 1)
    assert of_today(arxiv.ask()) == (DayState.STALE, "the feed is empty")
    arxiv.archive.today = SATURDAY
    report = reports(arxiv.ask())[SATURDAY]
    assert report.state == DayState.HOLIDAY
    assert report.evidence == "arXiv announces no papers on Saturdays and Sundays"


def test_after_a_holiday_an_empty_feed_says_so_if_only_probably(arxiv: ArxivOnStage) -> None:
    arxiv.announce(MONDAY, 1)
    arxiv.archive.today = date(2026, 6, 22)
    report = reports(arxiv.ask())[date(2026, 6, 22)]
    assert report.state == DayState.HOLIDAY
    assert report.evidence == "arXiv announces no papers after the holiday of Friday 19 June 2026"
    arxiv.archive.today = date(2027, 1, 19)
    report = reports(arxiv.ask())[date(2027, 1, 19)]
    assert report.state == DayState.STALE
    assert report.evidence == (
        "the feed is empty, probably because Monday 18 January 2027 was a holiday"
    )


def test_a_saturday_with_papers_is_a_day_whatever_the_calendar_says(arxiv: ArxivOnStage) -> None:
    arxiv.announce(SATURDAY, 1)
    arxiv.archive.today = SATURDAY
    report = reports(arxiv.ask())[SATURDAY]
    assert (report.state, report.papers) == (DayState.COMPLETE, 1)


@pytest.mark.parametrize("redated", [False, True])
def test_a_feed_that_still_has_the_last_batch_is_told_by_its_dates_or_by_its_ids(
    arxiv: ArxivOnStage, redated: bool
) -> None:
    arxiv.announce(WEDNESDAY, 1, 2)
    arxiv.announce(THURSDAY, 3)
    arxiv.archive.today = WEDNESDAY
    before = reports(arxiv.ask())[WEDNESDAY]
    arxiv.archive.today, arxiv.feeds.redated = THURSDAY, redated
    arxiv.feeds.stale = {"cs.AI": WEDNESDAY}
    told = reports(arxiv.ask(before=before))
    assert told[THURSDAY].state == DayState.STALE
    evidence = "the feed still carries 2 papers of Wednesday 15 April 2026"
    assert told[THURSDAY].evidence == evidence
    assert set(told) == {THURSDAY}
    if not redated:  # with another date in it, it is another answer
        unchanged = reports(arxiv.ask(before=before))[THURSDAY]
        assert unchanged.state == DayState.STALE
        assert unchanged.evidence == (
            "the feed has not changed since it had the 2 papers of Wednesday 15 April 2026"
        )
    arxiv.feeds.stale = {}
    assert reports(arxiv.ask(before=before))[THURSDAY].state == DayState.COMPLETE


def test_a_category_that_is_late_is_named_and_the_others_papers_are_in(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(WEDNESDAY, 1, 2)
    arxiv.announce(WEDNESDAY, 3, 4, 5, categories="cs.CL")
    arxiv.announce(THURSDAY, 6, 7)
    late = arxiv.announce(THURSDAY, 8, categories="cs.CL")
    spec = "arxiv:cs.AI+cs.CL"
    arxiv.archive.today = WEDNESDAY
    before = reports(arxiv.ask(spec=spec))[WEDNESDAY]
    arxiv.archive.today, arxiv.feeds.redated = THURSDAY, True
    arxiv.feeds.stale = {"cs.CL": WEDNESDAY}
    for _ in range(2):  # it is asked again in full
        batches = arxiv.ask(spec=spec, before=before)
        report = reports(batches)[THURSDAY]
        assert report.state == DayState.PARTIAL
        assert report.evidence == ("cs.CL still carries the 3 papers of Wednesday 15 April 2026")
        assert (report.papers, report.ids) == (2, None)
        assert {"2604.00006", "2604.00007"} <= set(found(batches))
    arxiv.feeds.stale = {}
    batches = arxiv.ask(spec=spec, before=before)
    assert reports(batches)[THURSDAY].state == DayState.COMPLETE
    assert set(late) <= set(found(batches))


def test_a_first_look_at_a_feed_that_is_late_gives_the_day_it_has(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.feeds.stale = {"cs.AI": WEDNESDAY}
    told = reports(arxiv.ask())
    assert told[THURSDAY].state == DayState.STALE
    assert (told[WEDNESDAY].state, told[WEDNESDAY].ids) == (DayState.COMPLETE, ("2604.00001",))


def test_a_missed_day_that_the_feed_still_has_needs_nobody_else(arxiv: ArxivOnStage) -> None:
    arxiv.announce(WEDNESDAY, 1)
    arxiv.feeds.stale = {"cs.AI": WEDNESDAY}
    before = DayReport(TUESDAY, DayState.COMPLETE, "", 1, ("2604.00099",))
    told = reports(arxiv.ask(WEDNESDAY, before=before))
    assert (told[WEDNESDAY].state, told[THURSDAY].state) == (DayState.COMPLETE, DayState.STALE)
    assert {question.host for question in arxiv.web.asked} == {"rss.arxiv.org"}


def test_a_batch_that_was_read_today_already_is_not_taken_for_an_old_one(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(THURSDAY, 1, 2)
    before = reports(arxiv.ask())[THURSDAY]
    arxiv.announce(THURSDAY, 3)
    report = reports(arxiv.ask(before=before, settled=True))[THURSDAY]
    assert (report.state, report.papers) == (DayState.COMPLETE, 3)
    assert arxiv.ask(before=before, settled=True) == [Batch()]


def test_half_a_feed_gives_its_whole_papers_and_is_asked_for_again(arxiv: ArxivOnStage) -> None:
    arxiv.announce(THURSDAY, *range(1, 21))
    arxiv.web.spring(traps.half_a_page)
    batches = arxiv.ask()
    state, evidence = of_today(batches)
    assert (state, 5 < len(found(batches)) < 12) == (DayState.PARTIAL, True)
    broke_off = f"the feed broke off after {len(found(batches))} papers: the file ends in the"
    assert evidence.startswith(broke_off)
    assert of_today(arxiv.ask())[0] == DayState.COMPLETE


def test_a_record_that_cannot_be_read_leaves_the_day_open(arxiv: ArxivOnStage) -> None:
    arxiv.announce(THURSDAY, 1, 2)
    body = b"<title>Study 2</title>"
    arxiv.web.spring(lambda told: type(told)(200, told.body.replace(body, b"<title/>")))
    batches = arxiv.ask()
    assert of_today(batches) == (
        DayState.PARTIAL,
        "1 of the feed's 2 records could not be read",
    )
    assert list(found(batches)) == ["2604.00001"]


def test_days_that_have_not_come_are_not_believed(arxiv: ArxivOnStage) -> None:
    arxiv.announce(THURSDAY, 1)
    arxiv.web.spring(traps.wrong_dates)
    batches = arxiv.ask()
    state, evidence = of_today(batches)
    assert state == DayState.BROKEN
    reason = "none of the feed's 1 records could be read: announced is in the future: '2099-12-"
    assert evidence.startswith(reason)
    assert len(rejected(batches)) == 1
    arxiv.announce(FRIDAY, 2)
    arxiv.feeds.stale = {"cs.AI": FRIDAY}
    batches = arxiv.ask()
    assert of_today(batches) == (
        DayState.PARTIAL,
        "the feed has 1 paper of days to come, up to Friday 17 April 2026",
    )
    assert found(batches)["2604.00002"].announced == THURSDAY


@pytest.mark.parametrize("feed", ["rss", "atom"])
def test_unpadded_dates_are_dates(arxiv: ArxivOnStage, feed: str) -> None:
    arxiv.archive.today = date(2026, 4, 2)
    arxiv.announce(date(2026, 4, 2), 1)
    arxiv.web.spring(traps.unpadded_dates)
    report = reports(arxiv.ask(spec=f"arxiv:cs.AI?feed={feed}"))[date(2026, 4, 2)]
    assert (report.state, report.papers) == (DayState.COMPLETE, 1)


def test_an_error_feed_is_an_error_whatever_its_status(arxiv: ArxivOnStage) -> None:
    arxiv.announce(THURSDAY, 1)
    arxiv.web.spring(traps.error_feed)
    with pytest.raises(FeedError, match=r"Bad archive 'cs\.XX'"):
        arxiv.ask()
    with pytest.raises(FeedError, match=r"Bad archive 'cs\.ZZ'"):
        arxiv.ask(spec="arxiv:cs.ZZ")


def test_a_page_that_is_no_feed_is_an_error(arxiv: ArxivOnStage) -> None:
    arxiv.web.spring(traps.login_page)
    with pytest.raises(UnreadableFile, match="<html>"):
        arxiv.ask()
    arxiv.web.spring(traps.answers(400, b"<html>Bad request</html>"))
    with pytest.raises(RequestFailed, match="HTTP 400"):
        arxiv.ask()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("arxiv", "'' is not a category"),
        ("arxiv:cs.AI+../x", "'../x' is not a category"),
        ("arxiv:cs.AI?take=all", "take= knows new, cross, replace, and not 'all'"),
        ("arxiv:cs.AI?take=", "and not ''"),
        ("arxiv:cs.AI?feed=json", "feed= knows rss and atom, and not 'json'"),
        ("arxiv:cs.AI?kinds=new", "there is no option 'kinds'"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused_with_the_reason(spec: str, reason: str) -> None:
    with pytest.raises(UnknownSource) as refused:
        catalogue.parse(spec, load_settings())
    assert reason in str(refused.value)
