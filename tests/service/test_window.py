"""The candidates of a window are read once for many subscribers, and again when they changed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from invented import Clock, Invented, arrival, fill, join

from paperpost.service import trending, window
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.service.window import Window, window_of
from paperpost.store.digests import Previous
from paperpost.store.intake import put_all

DAYS = [date(2026, 4, 6) + timedelta(days=n) for n in range(7)]


def seen(installation: Installation, first: date = DAYS[0], on: date = DAYS[0]) -> Window:
    with installation.database.reading() as session:
        return window_of(installation, session, first, on)


def test_a_window_is_kept_while_its_papers_are_the_same(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:2])
    first = seen(any_installation)
    fill(any_installation, [DAYS[5]])  # later than the window
    assert seen(any_installation) is first
    assert seen(any_installation, DAYS[0], DAYS[1]) is not first


def test_a_paper_that_came_in_is_a_candidate_at_once(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1], each=1)
    email = join(any_installation, "ada", "graph neural networks")
    before = len(explain(any_installation, email, DAYS[0], 50))
    fill(any_installation, DAYS[:1], each=2)
    assert len(explain(any_installation, email, DAYS[0], 50)) == 2 * before


def test_a_changed_title_is_shown_at_once(any_installation: Installation, clock: Clock) -> None:
    (one, *_) = fill(any_installation, DAYS[:1], each=1)
    email = join(any_installation, "ada", "graph neural networks")
    assert "Other words" not in str(explain(any_installation, email, DAYS[0]))
    clock.turn(seconds=1)
    changed = replace(arrival(one), title="Other words", version=2)
    with any_installation.database.writing() as session:
        put_all(session, [changed], any_installation.clock())
    assert "Other words" in str(explain(any_installation, email, DAYS[0]))


def test_a_new_model_sees_the_candidates_anew(any_installation: Installation) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks")
    before = explain(any_installation, email, DAYS[0], 50)
    fill(any_installation, DAYS[3:])
    train(any_installation)
    after = explain(any_installation, email, DAYS[0], 50)
    assert {choice["paper"] for choice in after} == {choice["paper"] for choice in before}
    assert [choice["score"] for choice in after] != [choice["score"] for choice in before]


def test_no_more_than_a_few_windows_are_kept_and_none_that_is_large(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(any_installation, DAYS, each=1)
    newest = [seen(any_installation, day, day) for day in DAYS][-window.MOST_KEPT :]
    assert list(any_installation.slot.windows) == newest[::-1]
    monkeypatch.setattr(window, "MOST_CANDIDATES", len(newest[0].candidates))
    seen(any_installation, DAYS[0], DAYS[-1])
    assert list(any_installation.slot.windows) == newest[::-1]


def test_what_trends_in_a_run_is_what_did_at_its_moment_and_on_pages_a_minute_before(
    any_installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trending, "MANY_VOTES", 1)
    (paper, *_) = fill(any_installation, DAYS[:1])
    voters = [join(any_installation, f"voter{number}", "speech") for number in range(6)]
    window = seen(any_installation)

    def readers(for_page: bool = False) -> int:
        now = any_installation.clock()
        with any_installation.database.reading() as session:
            found = window.board(session, now, elsewhere=True, for_page=for_page)
        return sum(trend.readers for trend in found.trends.values())

    for voter in voters[:3]:
        cast_by_command(any_installation, voter, paper.id, "up")
    assert readers() == 3
    clock.turn(seconds=5)
    for voter in voters[3:]:
        cast_by_command(any_installation, voter, paper.id, "up")
    assert (readers(for_page=True), readers()) == (3, 6)


def test_late_papers_of_the_day_before_are_new_to_those_who_had_that_day(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS[:2], each=1)
    late = Invented("2604.99999", "graph", DAYS[0])
    before = Previous(DAYS[0], max(seen(any_installation).columns), any_installation.clock())
    with any_installation.database.writing() as session:
        put_all(session, [arrival(late)], any_installation.clock())
    both = seen(any_installation, DAYS[0], DAYS[1])
    is_new = both.new_since(before)
    new = {paper.id for paper, fresh in zip(both.candidates, is_new, strict=True) if fresh}
    of_today = {paper.id for paper in seen(any_installation, DAYS[1], DAYS[1]).candidates}
    assert new == of_today | {late.id}
