"""Digests: frozen, one for a date, and never a paper twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from invented import START, Clock, Invented, arrival, fill, join

from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import account, compose, explain
from paperpost.service.account import UnknownSubscriber
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.store import digests, subscribers
from paperpost.store.intake import put_all
from paperpost.store.tables import Subscriber

DAYS = [date(2026, 4, 6) + timedelta(days=n) for n in range(4)]
NEVER = threading.Event()


def digests_of(installation: Installation, email: str) -> dict[str, dict[str, Any]]:
    mailed = account.export(installation, email)["digests"]
    return {digest["date"]: digest for digest in mailed}


def test_a_digest_holds_the_papers_that_match(any_installation: Installation) -> None:
    invented = fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks", size=4)
    assert compose_all_of(any_installation, DAYS[0]) == {"queued": 1}
    papers = digests_of(any_installation, email)[str(DAYS[0])]["papers"]
    assert set(papers) == {one.id for one in invented if one.topic == "graph"}


def test_no_paper_comes_twice_and_none_from_the_future(any_installation: Installation) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=5)
    for day in DAYS:
        compose_all_of(any_installation, day)
    mailed = digests_of(any_installation, email)
    seen = [paper for digest in mailed.values() for paper in digest["papers"]]
    assert len(seen) == len(set(seen)) == 5 * len(DAYS)
    for day in DAYS:
        assert all(paper <= f"2604.{day.day:02}999" for paper in mailed[str(day)]["papers"])


def test_what_was_passed_over_does_not_come_back(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:2])
    email = join(any_installation, "ada", "graph neural networks", size=2)
    for day in DAYS[:2]:
        compose_all_of(any_installation, day)
    second = digests_of(any_installation, email)[str(DAYS[1])]["papers"]
    assert all(paper.startswith(f"2604.{DAYS[1].day:02}") for paper in second)


def test_digests_composed_out_of_order_share_no_paper(any_installation: Installation) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=5)
    for day in reversed(DAYS):
        compose_all_of(any_installation, day)
    mailed = digests_of(any_installation, email)
    seen = [paper for digest in mailed.values() for paper in digest["papers"]]
    assert len(seen) == len(set(seen))


def test_composing_a_date_again_changes_nothing(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks")
    compose_all_of(any_installation, DAYS[0])
    before = digests_of(any_installation, email)
    fill(any_installation, DAYS[:1], each=6)
    assert compose_all_of(any_installation, DAYS[0]) == {"composed before": 1}
    assert digests_of(any_installation, email) == before


def test_a_day_without_papers_is_silent_and_its_late_papers_are_still_owed(
    any_installation: Installation,
) -> None:
    email = join(any_installation, "ada", "graph neural networks", size=50)
    assert compose_all_of(any_installation, DAYS[0]) == {"silent": 1}
    assert digests_of(any_installation, email)[str(DAYS[0])]["state"] == "silent"
    late = fill(any_installation, DAYS[:1])
    assert compose_all_of(any_installation, DAYS[1]) == {"queued": 1}
    papers = digests_of(any_installation, email)[str(DAYS[1])]["papers"]
    assert set(papers) == {one.id for one in late}


def test_a_silent_date_is_composed_when_its_papers_have_come(
    any_installation: Installation,
) -> None:
    join(any_installation, "ada", "graph neural networks")
    compose_all_of(any_installation, DAYS[0])
    assert compose_all_of(any_installation, DAYS[0]) == {"composed before": 1}
    fill(any_installation, DAYS[:1])
    assert compose_all_of(any_installation, DAYS[0]) == {"queued": 1}


def test_rank_shows_what_the_digest_holds_before_and_after_it_is_composed(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS[:2])
    email = join(any_installation, "ada", "speech recognition", size=6)
    compose_all_of(any_installation, DAYS[0])
    before = explain.explain(any_installation, email, DAYS[1])
    compose_all_of(any_installation, DAYS[1])
    assert explain.explain(any_installation, email, DAYS[1]) == before
    mailed = digests_of(any_installation, email)[str(DAYS[1])]["papers"]
    assert mailed == [choice["paper"] for choice in before]


def test_a_first_digest_looks_back_seven_days(any_installation: Installation) -> None:
    long_ago, within = DAYS[0] - timedelta(days=8), DAYS[0] - timedelta(days=7)
    fill(any_installation, [long_ago, within])
    email = join(any_installation, "ada", "graph neural networks", size=50)
    found = {choice["paper"] for choice in explain.explain(any_installation, email, DAYS[0])}
    assert found
    assert all(paper.startswith(f"{within:%y%m}.{within.day:02}") for paper in found)


def test_a_process_that_ranked_too_early_may_not_insert(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks")
    with any_installation.database.reading() as session:
        early = subscribers.by_email(session, email)
    assert early is not None
    compose_all_of(any_installation, DAYS[0])
    turn = compose._turn_by_hand(early, DAYS[0] + timedelta(days=1), any_installation.clock())
    assert list(compose._compose(any_installation, [turn]).values()) == ["overtaken"]
    assert list(digests_of(any_installation, email)) == [str(DAYS[0])]


def test_the_clock_composes_at_the_local_hour_and_once(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, DAYS[:1])
    join(any_installation, "ada", "graph", timezone="America/New_York", hour=7)  # 11:00 UTC
    join(any_installation, "ben", "graph", timezone="Asia/Tokyo", hour=7)  # 22:00 UTC
    assert compose_all_due(any_installation, NEVER) == {}
    clock.now = START.replace(hour=11)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    assert compose_all_due(any_installation, NEVER) == {}
    clock.turn(days=1)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1, "silent": 1}
    assert compose_all_due(any_installation, NEVER) == {}


def test_after_a_week_of_downtime_only_the_newest_digest_is_composed(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks")
    clock.turn(days=7)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    assert list(digests_of(any_installation, email)) == ["2026-04-14"]


def test_weekly_subscribers_are_left_out_on_other_days(any_installation: Installation) -> None:
    fill(any_installation, DAYS)
    join(any_installation, "ada", "graph", frequency="weekly")
    assert compose_all_of(any_installation, DAYS[1]) == {"not their day": 1}
    assert compose_all_of(any_installation, DAYS[0]) == {"queued": 1}


def test_a_digest_for_one_names_somebody_who_gets_digests(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1])
    join(any_installation, "ada", "graph")
    join(any_installation, "ben", "graph")
    assert compose_all_of(any_installation, DAYS[0], "ada@example.org") == {"queued": 1}
    with pytest.raises(UnknownSubscriber, match=r"nobody@example\.org"):
        compose_all_of(any_installation, DAYS[0], "nobody@example.org")


def test_ranking_changes_nothing(installation: Installation) -> None:
    fill(installation, DAYS[:1])
    email = join(installation, "ada", "graph")
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
    assert person is not None
    rank_block(installation, [person], DAYS[0])
    assert digests_of(installation, email) == {}
    with installation.database.reading() as session:
        assert digests.previous(session, [1], DAYS[3]) == {}


def test_many_subscribers_are_worked_through_in_blocks(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "BLOCK", 3)
    fill(any_installation, DAYS[:1])
    for number in range(8):
        join(any_installation, f"reader{number}", "graph")
    assert compose_all_of(any_installation, DAYS[0]) == {"queued": 8}


def test_muted_words_keep_papers_out(any_installation: Installation) -> None:
    invented: list[Invented] = fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph", muted=("speech recognition",), size=50)
    compose_all_of(any_installation, DAYS[0])
    papers = digests_of(any_installation, email)[str(DAYS[0])]["papers"]
    assert set(papers) == {one.id for one in invented if one.topic != "speech"}


def _early(installation: Installation, email: str) -> Subscriber:
    """A subscriber as another process read them a moment ago."""
    with installation.database.reading() as session:
        return account.named(session, email)


def test_a_schedule_changed_during_the_ranking_is_kept(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks", hour=8)
    clock.turn(days=1)
    early = _early(any_installation, email)
    join(any_installation, "ada", "graph neural networks", hour=23)
    turn = compose._turn_by_clock(early, any_installation.clock())
    assert list(compose._compose(any_installation, [turn]).values()) == ["overtaken"]
    by_hand = compose._turn_by_hand(early, DAYS[0], any_installation.clock())
    assert list(compose._compose(any_installation, [by_hand]).values()) == ["queued"]
    compose_all_due(any_installation, NEVER)
    due = _early(any_installation, email).next_due_at
    assert due is not None
    assert due.hour == 23


def test_a_silent_digest_that_is_filled_later_is_dated_when_it_is_filled(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    compose_all_of(any_installation, DAYS[0])
    clock.turn(hours=3)
    fill(any_installation, DAYS[:1])
    compose_all_of(any_installation, DAYS[0])
    with any_installation.database.reading() as session:
        ((digest, delivery),) = digests.of_subscriber(
            session, account.named(session, email).id or 0
        )
    assert digest.composed_at == delivery.created_at == clock.now


def test_papers_that_come_after_the_digest_of_their_day_are_in_the_next(
    any_installation: Installation, clock: Clock
) -> None:
    # As for every reader whose morning comes before the feed.
    email = join(any_installation, "ada", "graph neural networks", size=50)
    fill(any_installation, DAYS[:1])
    clock.turn(hours=1)
    compose_all_of(any_installation, DAYS[1])
    clock.turn(hours=1)
    late = fill(any_installation, DAYS[1:2])
    clock.turn(days=1)
    compose_all_of(any_installation, DAYS[2])
    papers = digests_of(any_installation, email)[str(DAYS[2])]["papers"]
    assert set(papers) == {one.id for one in late}


def test_a_paper_that_cannot_be_shown_costs_nobody_the_rest(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS[:1])
    with_link = replace(
        arrival(Invented("2604.99998", "graph", DAYS[0])),
        name="hf:1", title_keys=("hf:1",), url="http://[journal]/x",
    )  # fmt: skip
    with any_installation.database.writing() as session:
        put_all(session, [with_link], any_installation.clock())
    email = join(any_installation, "ada", "graph neural networks", size=50)
    assert compose_all_of(any_installation, DAYS[0]) == {"queued": 1}
    assert len(digests_of(any_installation, email)[str(DAYS[0])]["papers"]) >= 12


def test_many_composers_at_once_make_one_digest_each_and_no_error(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS[:1])
    for number in range(20):
        join(any_installation, f"reader{number}", "graph neural networks", size=5)
    explain.explain(any_installation, "reader0@example.org", DAYS[0])  # trains, once for all
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(compose_all_of, any_installation, DAYS[0]) for _ in range(4)]
        counts = [run.result() for run in runs]
    assert sum(count["queued"] for count in counts) == 20
    assert all(count["overtaken"] == 0 for count in counts)


def test_a_date_that_another_composer_overtook_is_ranked_again(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=3)
    early = _early(any_installation, email)
    compose_all_of(any_installation, DAYS[0])
    outcomes = compose._compose_by_hand(any_installation, [early], DAYS[1], rank_block)
    assert list(outcomes.values()) == ["overtaken"]
    assert compose_all_of(any_installation, DAYS[1]) == {"queued": 1}


def test_a_digest_whose_candidates_are_all_muted_says_so(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:2])
    email = join(any_installation, "ada", "graph", muted=("study",))
    assert compose_all_of(any_installation, DAYS[0]) == {"silent": 1}
    (mail,) = account.export(any_installation, email)["mails"]
    assert mail["reply"] == "None of 12 new papers passed the muted terms."
    join(any_installation, "ada", "graph", muted=())
    found = explain.explain(any_installation, email, DAYS[1], 50)
    assert all(choice["paper"].startswith("2604.07") for choice in found)


def test_odd_dates_are_no_trouble(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks")
    assert explain.explain(any_installation, email, date(1, 1, 3)) == []
    assert len(explain.explain(any_installation, email, DAYS[0], 5)) == 5


def test_papers_that_come_while_the_digest_is_ranked_are_in_the_next(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, DAYS[:1], each=1)
    email = join(any_installation, "ada", "graph neural networks", size=50)
    late: list[Invented] = []

    def slow(*arguments: Any, **options: Any) -> Any:
        rankings = rank_block(*arguments, **options)
        clock.turn(seconds=20)
        if not late:
            late.extend(fill(any_installation, DAYS[:1], each=3)[1:])
        clock.turn(seconds=20)
        return rankings

    list(compose.compose_date(any_installation, DAYS[0], rank=slow))
    compose_all_of(any_installation, DAYS[1])
    mailed = digests_of(any_installation, email)
    assert len(mailed[str(DAYS[0])]["papers"]) == 3
    assert len(mailed[str(DAYS[1])]["papers"]) == 6


def test_a_frequency_changed_while_a_digest_is_due_does_not_bring_back_an_old_date(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=2)
    clock.turn(days=1)  # Wednesday
    compose_all_due(any_installation, NEVER)
    clock.turn(days=1)
    join(any_installation, "ada", "graph neural networks", frequency="weekly")
    assert compose_all_due(any_installation, NEVER) == {"composed before": 1}
    assert list(digests_of(any_installation, email)) == ["2026-04-08"]
    assert compose_all_due(any_installation, NEVER) == {}
