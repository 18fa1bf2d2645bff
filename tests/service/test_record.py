"""How well it did, from digests and votes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from invented import Clock, fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, vote
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.record import WEEKS, record, recorded
from paperpost.store import merging, papers
from paperpost.store.digest_history import Listed
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of

TODAY = date(2026, 4, 9)  # a Thursday


def digest(day: date, *items: dict[str, Any]) -> Listed:
    return Listed(day, datetime(2026, 4, 1, tzinfo=UTC), "<x@y>", list(items))


def item(number: int, **more: object) -> dict[str, Any]:
    return {"paper": number, **more}


def test_weeks_are_iso_weeks_and_the_last_ones_up_to_today() -> None:
    found = recorded([], {}, TODAY)
    assert len(found.weeks) == WEEKS
    assert (found.weeks[-1].monday, found.weeks[-1].name) == (date(2026, 4, 6), "2026-W15")
    assert found.weeks[0].monday == date(2026, 4, 6) - timedelta(weeks=WEEKS - 1)
    assert [week.name for week in found.weeks[10:12]] == ["2025-W52", "2026-W01"]


def test_papers_count_in_the_week_of_their_digest() -> None:
    mailed = [
        digest(date(2026, 4, 5), *(item(n) for n in range(5))),
        digest(date(2026, 4, 6), item(5), item(6)),
        digest(date(2026, 4, 9), item(7), item(8)),
        digest(date(2025, 1, 1), item(9)),
    ]
    found = recorded(mailed, {0: 1, 1: -1, 5: 1, 8: 1, 9: 1, 77: 1}, TODAY)
    last, before = found.weeks[-1].tally, found.weeks[-2].tally
    assert (last.mailed, last.liked, last.disliked) == (4, 2, 0)
    assert (before.mailed, before.liked, before.disliked) == (5, 1, 1)
    assert (found.total.mailed, found.total.liked) == (9, 3)


def test_a_share_of_fewer_than_five_is_not_told() -> None:
    four = recorded([digest(TODAY, *map(item, range(4)))], {0: 1}, TODAY).total
    five = recorded([digest(TODAY, *map(item, range(5)))], {0: 1}, TODAY).total
    assert four.share_of_mailed is None
    assert five.share_of_mailed == pytest.approx(0.2)
    assert five.share_of_rated is None


def test_what_was_expected_is_compared_with_the_same_papers() -> None:
    items = [item(n, probability=0.25) for n in range(8)]
    found = recorded([digest(TODAY, *items, item(8), item(9))], {0: 1, 1: 1, 9: 1}, TODAY).total
    assert found.share_expected == pytest.approx(0.25)
    assert found.share_of_foretold == pytest.approx(0.25)
    assert found.share_of_mailed == pytest.approx(0.3)


def test_what_lay_outside_the_usual_is_told_apart() -> None:
    items = [item(1, explored=True), item(2, explored=False), item(3)]
    found = recorded([digest(TODAY, *items)], {1: 1, 2: 1}, TODAY).explored
    assert (found.mailed, found.liked) == (1, 1)


def test_only_what_went_out_counts_and_votes_as_they_hold_now(
    any_installation: Installation, clock: Clock
) -> None:
    here = any_installation
    fill(here, [clock().date(), clock().date() + timedelta(days=1)])
    email = join(here, "ada", "graph neural networks", size=6)
    with here.database.reading() as session:
        number = id_of(account.named(session, email))
    compose_all_of(here, clock().date())
    assert record(here, number).total.mailed == 0
    send(here)
    mailed = account.export(here, email)["digests"][0]["papers"]
    for paper, value in ((0, "up"), (1, "up"), (1, "none"), (2, "down")):
        vote.cast_by_command(here, email, mailed[paper], value)
    clock.turn(days=1)
    compose_all_of(here, clock().date())
    found = record(here, number).total
    assert (found.mailed, found.liked, found.disliked, found.foretold) == (6, 1, 1, 6)
    assert 0 < found.expected < 6


def test_a_vote_on_a_paper_that_was_merged_since_counts(installation: Installation) -> None:
    here = installation
    fill(here, [here.clock().date()])
    email = join(here, "ada", "graph neural networks", size=6)
    compose_all_of(here, here.clock().date())
    send(here)
    first, second = account.export(here, email)["digests"][0]["papers"][:2]
    with here.database.writing() as session:
        number = id_of(account.named(session, email))
        old, new = (papers.find(session, paper) for paper in (first, second))
        assert old is not None
        assert new is not None
        merging.merge(session, {number_of(old): number_of(new)})
    vote.cast_by_command(here, email, second, "up")
    assert record(here, number).total.liked == 2
