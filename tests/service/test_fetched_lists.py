"""From Hugging Face's lists and bioRxiv's days to what trends and what is stored."""

from datetime import UTC, date, datetime, timedelta

from hurried_client import hurried_client
from invented import Clock, with_settings
from speaks_biorxiv import PreprintApi, post
from speaks_daily_papers import DailyPapersApi, row
from web_on_loopback import Speaker, WebOnLoopback

from paperpost.service import fetch, silence
from paperpost.service.installation import Installation
from paperpost.service.lists import trending
from paperpost.service.periods import Span
from paperpost.sources import catalogue
from paperpost.store import days, papers

DAY = timedelta(days=1)
TUESDAY, WEDNESDAY = date(2026, 4, 14), date(2026, 4, 15)


def asked(installation: Installation, spec: str, speaker: Speaker) -> fetch.Fetched:
    """What one look at the source brings."""
    result = fetch.Fetched()
    source = catalogue.parse(spec, installation.settings)
    with WebOnLoopback(speaker) as web, hurried_client(web) as client:
        fetch.ask(installation, client, source, result)
    return result


def stands(installation: Installation, spec: str) -> dict[date, tuple[str, int]]:
    with installation.database.reading() as session:
        known = days.since(session, spec, date.min)
    return {one.day: (one.state, one.papers) for one in known}


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_upvotes_that_grow_after_the_day_reach_what_trends(
    any_installation: Installation, clock: Clock
) -> None:
    hub = DailyPapersApi({TUESDAY: [row(1, TUESDAY), row(2, TUESDAY)]}, TUESDAY)
    clock.now = noon(TUESDAY)
    assert asked(any_installation, "daily-papers", hub).added == 2
    assert stands(any_installation, "daily-papers")[TUESDAY] == ("partial", 2)
    hub.lists[TUESDAY][0]["paper"]["upvotes"] = 250
    hub.lists[TUESDAY][0]["numComments"] = 9
    clock.turn(days=1)
    hub.open_until = WEDNESDAY
    assert asked(any_installation, "daily-papers", hub).updated == 1
    assert stands(any_installation, "daily-papers")[TUESDAY] == ("complete", 2)
    assert stands(any_installation, "daily-papers")[WEDNESDAY] == ("partial", 0)
    view = trending(any_installation, Span.WEEK)
    assert view is not None
    assert [one.counts for one in view.papers] == [
        ("250 upvotes, 9 comments on Hugging Face",),
        ("12 upvotes, 3 comments on Hugging Face",),
    ]
    alone = trending(with_settings(any_installation, upvotes=False), Span.WEEK)
    assert alone is not None
    assert alone.papers == ()


def test_a_preprint_is_news_once_and_found_by_its_journals_doi(
    any_installation: Installation, clock: Clock
) -> None:
    first = post(1, TUESDAY)
    revised = first | {"version": "2", "date": str(WEDNESDAY), "title": "Invented preprint, better"}
    revised["published"] = "10.1016/j.cell.2026.05.001"
    api = PreprintApi({"biorxiv": [first, post(7, TUESDAY, version="4")]})
    clock.now = noon(TUESDAY)
    result = asked(any_installation, "biorxiv", api)
    assert (result.added, result.skipped) == (1, 1)
    api.posts["biorxiv"].append(revised)
    clock.turn(days=1)
    result = asked(any_installation, "biorxiv", api)
    assert (result.added, result.updated) == (0, 1)
    assert stands(any_installation, "biorxiv") == {
        TUESDAY - 2 * DAY: ("complete", 0),
        TUESDAY - DAY: ("complete", 0),
        TUESDAY: ("partial", 1),
        WEDNESDAY: ("partial", 0),
    }
    with any_installation.database.reading() as session:
        paper = papers.find(session, "doi:10.1016/j.cell.2026.05.001")
    assert paper is not None
    assert (paper.title, paper.announced) == ("Invented preprint, better", TUESDAY)
    assert (paper.version, paper.revised) == (2, WEDNESDAY)


def test_preprints_that_are_added_late_are_owed_to_the_next_digest(
    any_installation: Installation, clock: Clock
) -> None:
    here = with_settings(any_installation, sources=("biorxiv",))
    api = PreprintApi({"biorxiv": [post(1, TUESDAY)]})
    clock.now = noon(WEDNESDAY)
    asked(here, "biorxiv", api)
    assert silence.outlook(here, WEDNESDAY).owed_from == TUESDAY
    api.posts["biorxiv"].append(post(2, TUESDAY))
    clock.turn(days=1)
    assert asked(here, "biorxiv", api).added == 1
    assert silence.outlook(here, WEDNESDAY + DAY).owed_from == WEDNESDAY
