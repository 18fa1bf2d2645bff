"""Why there are no papers: which of the possible reasons it was, said in one sentence."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from invented import START, Clock, fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service.installation import Installation
from paperpost.service.last_digest import last_digest
from paperpost.service.preview import preview
from paperpost.service.silence import NOTHING_NEW, explained, outlook
from paperpost.service.standing import Standing
from paperpost.service.status import status
from paperpost.settings import load_settings
from paperpost.sources import arxiv_days, catalogue
from paperpost.sources.source import DayReport, DayState
from paperpost.store import days, digests, papers, requests, subscribers

FRIDAY = date(2026, 4, 10)
DAY = timedelta(days=1)
SOURCE = "arxiv:cs.AI+cs.CL+cs.CV+cs.LG"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def standing(
    *reports: DayReport, at: datetime | None = None, name: str = "arxiv:cs.AI", **more: object
) -> Standing:
    fields = {"asked_at": at, "succeeded_at": at, **more}
    source = catalogue.parse(name, load_settings())
    return Standing(source, days={one.day: one for one in reports}, **fields)  # type: ignore[arg-type]


def complete(day: date) -> DayReport:
    return DayReport(day, DayState.COMPLETE, "412 papers", 412)


def test_a_weekend_is_one_for_who_has_had_fridays_papers() -> None:
    for day in (FRIDAY + DAY, FRIDAY + 2 * DAY):
        told = explained(day, FRIDAY, [standing(complete(FRIDAY), at=noon(day))], noon(day))
        assert told == "arXiv announces no papers on Saturdays and Sundays."


def test_a_monday_morning_in_tokyo_is_still_the_weekend() -> None:
    now = datetime(2026, 4, 12, 23, tzinfo=UTC)  # Monday 08:00 in Tokyo, Sunday evening in New York
    told = explained(date(2026, 4, 13), FRIDAY, [standing(complete(FRIDAY), at=now)], now)
    assert told == "arXiv announces no papers on Saturdays and Sundays."


@pytest.mark.parametrize(
    ("empty", "holiday"),
    [
        (date(2026, 1, 2), date(2026, 1, 1)),
        (date(2026, 1, 20), date(2026, 1, 19)),
        (date(2026, 6, 22), date(2026, 6, 19)),
        (date(2026, 12, 28), date(2026, 12, 25)),
    ],
)
def test_the_day_after_a_holiday_has_no_announcement(empty: date, holiday: date) -> None:
    assert arxiv_days.emptied_by(empty) == holiday
    told = explained(empty, holiday, [standing(at=noon(empty))], noon(empty))
    assert "holiday" in told
    assert told.startswith("arXiv ")


def test_a_date_with_papers_is_a_day_whatever_the_calendar_says() -> None:
    for day in (date(2026, 6, 22), date(2026, 4, 11)):
        assert explained(day, day, [standing(complete(day), at=noon(day))], noon(day)) == (
            NOTHING_NEW
        )


def test_a_feed_that_carries_the_old_batch_is_told_with_its_evidence() -> None:
    stale = DayReport(FRIDAY, DayState.STALE, "the feed still carries the 412 papers of Thursday")
    told = explained(FRIDAY, FRIDAY - DAY, [standing(stale, at=noon(FRIDAY))], noon(FRIDAY))
    assert told == "arxiv:cs.AI: the feed still carries the 412 papers of Thursday."


def test_fridays_papers_that_never_came_are_told_on_the_weekend() -> None:
    stale = DayReport(FRIDAY, DayState.STALE, "the feed is empty")
    saturday = FRIDAY + DAY
    told = explained(saturday, FRIDAY - DAY, [standing(stale, at=noon(saturday))], noon(saturday))
    assert told == "arxiv:cs.AI: the feed is empty."


def test_a_source_that_refused_is_named_with_its_words_and_without_links() -> None:
    words = "https://rss.arxiv.org/rss/cs.AI?token=x: HTTP 429\nask ada@example.org"
    refused = standing(
        DayReport(FRIDAY, DayState.REFUSED, words),
        at=noon(FRIDAY),
        failed=True,
        succeeded_at=noon(FRIDAY - DAY),
    )
    told = explained(FRIDAY, FRIDAY - DAY, [refused], noon(FRIDAY))
    assert told == (
        "arxiv:cs.AI refused to answer: rss.arxiv.org: HTTP 429. "
        "It last was read on 9 April 2026, 12:00 UTC."
    )


def test_each_of_several_sources_has_its_sentence() -> None:
    now = noon(FRIDAY)
    broken = DayReport(FRIDAY, DayState.BROKEN, "no answer")
    several = [
        standing(name="arxiv:math.ST"),
        standing(broken, at=now, failed=True, succeeded_at=None),
        standing(at=now - DAY),
    ]
    assert explained(FRIDAY, None, several, now) == (
        "arxiv:math.ST has not been asked for papers yet. "
        "arxiv:cs.AI could not be read: no answer. "
        "arxiv:cs.AI was last asked on 9 April 2026, 12:00 UTC, before new papers were due."
    )


def test_papers_of_tomorrow_in_new_york_are_not_missed_by_who_lives_west_of_it() -> None:
    now = datetime(2026, 4, 9, 6, tzinfo=UTC)  # Wednesday evening in Honolulu, Thursday in New York
    wednesday = date(2026, 4, 8)
    assert explained(wednesday, wednesday, [standing(complete(wednesday), at=now)], now) == (
        NOTHING_NEW
    )


def test_without_sources_nothing_is_said_of_them() -> None:
    assert explained(FRIDAY, None, [], noon(FRIDAY)) == NOTHING_NEW


def fail(installation: Installation, day: date, words: str) -> None:
    with installation.database.writing() as session:
        requests.record_run(session, SOURCE, "failed", words, installation.clock())
        broken = days.Stand(SOURCE, day, "broken", words)
        days.keep(session, broken, installation.clock())


def settle(installation: Installation, day: date) -> None:
    with installation.database.writing() as session:
        requests.record_run(session, SOURCE, "ok", "papers", installation.clock())
        days.keep(session, days.Stand(SOURCE, day, "complete", "all"), installation.clock())


def test_what_the_sources_say_now_explains_no_other_day(any_installation: Installation) -> None:
    today = START.date()
    fail(any_installation, today, "HTTP 503")
    assert outlook(any_installation, today).no_papers.endswith("could not be read: HTTP 503.")
    assert outlook(any_installation, today - timedelta(days=30)).no_papers == NOTHING_NEW


def test_the_page_and_status_say_the_same_of_a_silent_digest(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    fail(any_installation, START.date(), "https://rss.arxiv.org/rss/x: HTTP 429")
    compose_all_of(any_installation, START.date())
    reason = f"{SOURCE} could not be read: rss.arxiv.org: HTTP 429."
    with any_installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        assert person is not None
        last = last_digest(session, person.id or 0)
        ((digest, delivery),) = digests.of_subscriber(session, person.id or 0)
    assert (last.silent_on, last.silence) == (START.date(), reason)
    assert digest.silence == delivery.reply == reason
    assert [silent["reason"] for silent in status(any_installation)["silent"]] == [reason]
    assert reason in status(any_installation)["wrong"]


def test_a_silence_ends_when_papers_come(any_installation: Installation) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    compose_all_of(any_installation, START.date())
    fill(any_installation, [START.date()])
    compose_all_of(any_installation, START.date())
    with any_installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        assert person is not None
        assert last_digest(session, person.id or 0).silent_on is None


def mailed(installation: Installation, email: str) -> dict[date, set[date]]:
    """The announcement days of the papers in each digest."""
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        assert person is not None
        found = digests.of_subscriber(session, person.id or 0)
        numbers = [item["paper"] for digest, _ in found for item in digest.items]
        announced = {n: one.announced for n, one in papers.by_number(session, numbers).items()}
    return {
        digest.local_date: {announced[item["paper"]] for item in digest.items}
        for digest, _ in found
    }


def test_papers_of_a_day_that_was_missed_are_in_the_digest_after_they_came(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    tuesday, wednesday, thursday = (START.date() + n * DAY for n in range(3))
    fail(any_installation, tuesday, "HTTP 503")
    fill(any_installation, [tuesday - DAY])
    compose_all_of(any_installation, tuesday)
    clock.turn(days=1)
    fail(any_installation, wednesday, "HTTP 503")
    compose_all_of(any_installation, wednesday)
    fill(any_installation, [wednesday])
    clock.turn(days=1)
    fill(any_installation, [tuesday, thursday])
    for day in (tuesday, wednesday, thursday):
        settle(any_installation, day)
    compose_all_of(any_installation, thursday)
    assert mailed(any_installation, email) == {
        tuesday: {tuesday - DAY},
        wednesday: set(),
        thursday: {tuesday, wednesday, thursday},
    }


def test_papers_of_a_day_that_was_complete_do_not_come_back(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    tuesday, wednesday = START.date(), START.date() + DAY
    fill(any_installation, [tuesday - DAY, tuesday])
    settle(any_installation, tuesday)
    compose_all_of(any_installation, tuesday)
    clock.turn(days=1)
    fill(any_installation, [tuesday - DAY], each=6)  # two more of each topic, by hand
    fill(any_installation, [wednesday])
    settle(any_installation, wednesday)
    compose_all_of(any_installation, wednesday)
    assert mailed(any_installation, email)[wednesday] == {wednesday}


def test_a_digest_tells_whose_papers_it_should_have_had(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    fill(any_installation, [START.date()])
    fail(any_installation, START.date(), "HTTP 503")
    shown = preview(any_installation, email, START.date())
    assert shown.data is not None
    message = message_from_bytes(shown.data, policy=policy.default)
    text, page = (message.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    sentence = f"Not all papers are here. {SOURCE} could not be read: HTTP 503."
    assert sentence in " ".join(text.get_content().split())
    assert sentence in " ".join(page.get_content().split())
    settle(any_installation, START.date())
    whole = preview(any_installation, email, START.date())
    assert b"Not all papers" not in (whole.data or b"")


def test_a_day_that_is_not_caught_up_yet_is_told_and_owed(
    any_installation: Installation, clock: Clock
) -> None:
    """Nothing is known of it: the work stood still, and OAI-PMH is being asked just now."""
    email = join(any_installation, "ada", "graph neural networks")
    tuesday, wednesday, thursday = (START.date() + n * DAY for n in range(3))
    settle(any_installation, tuesday)
    fill(any_installation, [tuesday])
    compose_all_of(any_installation, tuesday)
    clock.turn(days=2)
    fill(any_installation, [thursday])
    settle(any_installation, thursday)
    expected = outlook(any_installation, thursday)
    assert expected.owed_from == wednesday
    assert expected.missing == (f"{SOURCE}: its papers of Wednesday 8 April 2026 are not here yet.")
    compose_all_of(any_installation, thursday)
    fill(any_installation, [wednesday])
    settle(any_installation, wednesday)
    clock.turn(days=1)
    friday = thursday + DAY
    settle(any_installation, friday)
    fill(any_installation, [friday])
    compose_all_of(any_installation, friday)
    told = mailed(any_installation, email)
    assert (told[thursday], told[friday]) == ({thursday}, {wednesday, friday})


def test_days_before_the_first_one_that_was_asked_for_are_not_owed(
    any_installation: Installation,
) -> None:
    settle(any_installation, START.date())
    assert outlook(any_installation, START.date()).owed_from is None
