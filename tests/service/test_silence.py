"""Why there are no papers: which of the possible reasons it was, said in one sentence."""

from datetime import UTC, date, datetime, timedelta

import pytest
from invented import START, Clock, fill, join

from paperpost.engine.embedded import compose_all_of
from paperpost.service.installation import Installation
from paperpost.service.last_digest import last_digest
from paperpost.service.silence import NOTHING_NEW, Asked, explained, no_papers
from paperpost.service.status import status
from paperpost.sources import arxiv_days
from paperpost.store import digests, requests, subscribers

FRIDAY = date(2026, 4, 10)
SOURCE = "arxiv:cs.AI+cs.CL+cs.CV+cs.LG"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def asked(at: datetime, **more: object) -> Asked:
    fields = {"asked_at": at, "succeeded_at": at, **more}
    return Asked("arxiv:cs.AI", **fields)  # type: ignore[arg-type]


def test_a_weekend_is_one_for_who_has_had_fridays_papers() -> None:
    for day in (FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=2)):
        told = explained(day, FRIDAY, [asked(noon(day))], noon(day))
        assert told == "arXiv announces no papers on Saturdays and Sundays."


def test_a_monday_morning_in_tokyo_is_still_the_weekend() -> None:
    now = datetime(2026, 4, 12, 23, tzinfo=UTC)  # Monday 08:00 in Tokyo, Sunday evening in New York
    told = explained(date(2026, 4, 13), FRIDAY, [asked(now)], now)
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
    told = explained(empty, holiday, [asked(noon(empty))], noon(empty))
    assert told.startswith(f"arXiv announced no papers on {empty:%A} {empty.day} ")
    assert told.endswith(" was a holiday.")
    assert arxiv_days.missing(holiday, empty) == 0


def test_a_date_with_papers_is_a_day_whatever_the_calendar_says() -> None:
    for day in (date(2026, 6, 22), date(2026, 4, 11)):
        assert explained(day, day, [asked(noon(day))], noon(day)) == NOTHING_NEW


def test_a_source_that_answers_with_the_old_batch_is_late() -> None:
    told = explained(FRIDAY, FRIDAY - timedelta(days=1), [asked(noon(FRIDAY))], noon(FRIDAY))
    assert told == (
        "arxiv:cs.AI answered, but had nothing newer than Thursday 9 April 2026: its feed is late."
    )


def test_in_a_year_whose_holidays_are_not_known_it_may_be_one() -> None:
    day = date(2031, 11, 28)
    told = explained(day, day - timedelta(days=1), [asked(noon(day))], noon(day))
    assert told.endswith(": there was a holiday, or its feed is late.")


def test_a_source_that_refused_is_named_with_its_words_and_without_links() -> None:
    refused = asked(
        noon(FRIDAY),
        failed=True,
        succeeded_at=noon(FRIDAY) - timedelta(days=1),
        detail="https://rss.arxiv.org/rss/cs.AI?token=x: HTTP 429\nask ada@example.org",
    )
    told = explained(FRIDAY, FRIDAY - timedelta(days=1), [refused], noon(FRIDAY))
    assert told == (
        "arxiv:cs.AI could not be read: rss.arxiv.org: HTTP 429. "
        "It last was on 9 April 2026, 12:00 UTC."
    )


def test_each_of_several_sources_has_its_sentence() -> None:
    now = noon(FRIDAY)
    several = [
        Asked("arxiv:math.ST"),
        asked(now, failed=True, succeeded_at=None, detail="no answer"),
        asked(now - timedelta(days=1)),
    ]
    assert explained(FRIDAY, None, several, now) == (
        "arxiv:math.ST has not been asked for papers yet. "
        "arxiv:cs.AI could not be read: no answer. "
        "arxiv:cs.AI was last asked on 9 April 2026, 12:00 UTC, before new papers were due."
    )


def test_papers_of_tomorrow_in_new_york_are_not_missed_by_who_lives_west_of_it() -> None:
    now = datetime(2026, 4, 9, 6, tzinfo=UTC)  # Wednesday evening in Honolulu, Thursday in New York
    wednesday = date(2026, 4, 8)
    assert explained(wednesday, wednesday, [asked(now)], now) == NOTHING_NEW


def test_without_sources_nothing_is_said_of_them() -> None:
    assert explained(FRIDAY, None, [], noon(FRIDAY)) == NOTHING_NEW


def test_what_the_sources_say_now_explains_no_other_day(any_installation: Installation) -> None:
    with any_installation.database.writing() as session:
        requests.record_run(session, SOURCE, "failed", "HTTP 503", START)
    today = START.date()
    assert no_papers(any_installation, today).endswith("could not be read: HTTP 503.")
    assert no_papers(any_installation, today - timedelta(days=30)) == NOTHING_NEW


def test_the_page_and_status_say_the_same_of_a_silent_digest(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    with any_installation.database.writing() as session:
        requests.record_run(
            session, SOURCE, "failed", "https://rss.arxiv.org/rss/x: HTTP 429", START
        )
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
