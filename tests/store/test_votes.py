"""The newest vote that counts holds."""

from datetime import date, timedelta

import pytest
from invented import START, Clock, fill, join

from paperpost.service.installation import Installation
from paperpost.store import papers, subscribers, votes
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.votes import Standing

HOLD = timedelta(minutes=10)


@pytest.fixture
def pair(any_installation: Installation) -> tuple[int, int]:
    """A subscriber and a paper."""
    fill(any_installation, [date(2026, 4, 7)])
    email = join(any_installation, "ada", "graph")
    with any_installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        paper = papers.find(session, "2604.07000")
    assert person is not None
    assert paper is not None
    return id_of(person), number_of(paper)


def cast(
    installation: Installation, pair: tuple[int, int], value: int, hold: timedelta = timedelta()
) -> Standing:
    now = installation.clock()
    with installation.database.writing() as session:
        return votes.cast(session, *pair, value, origin="link", now=now, counts_at=now + hold)


def counted(installation: Installation) -> list[int]:
    with installation.database.reading() as session:
        holding = votes.counted(session, installation.clock())
    return [vote.value for own in holding.values() for vote in own.values()]


def test_a_vote_counts_at_once_without_a_hold(
    any_installation: Installation, pair: tuple[int, int]
) -> None:
    assert cast(any_installation, pair, 1) == Standing(1, 1, held=False, counts_at=None)
    assert counted(any_installation) == [1]


def test_a_held_vote_counts_when_its_time_has_come(
    any_installation: Installation, pair: tuple[int, int], clock: Clock
) -> None:
    standing = cast(any_installation, pair, 1, HOLD)
    assert standing == Standing(1, 0, held=True, counts_at=START + HOLD)
    assert counted(any_installation) == []
    clock.turn(minutes=10)
    assert counted(any_installation) == [1]


def test_the_last_word_holds(any_installation: Installation, pair: tuple[int, int]) -> None:
    for value in (1, -1, 1, -1):
        cast(any_installation, pair, value)
    assert counted(any_installation) == [-1]
    cast(any_installation, pair, 0)
    assert counted(any_installation) == []


def test_saying_the_same_again_writes_nothing(
    any_installation: Installation, pair: tuple[int, int]
) -> None:
    cast(any_installation, pair, 1)
    cast(any_installation, pair, 1)
    with any_installation.database.reading() as session:
        assert votes.count(session, any_installation.clock()) == 1


def test_a_held_vote_that_is_taken_back_never_counts(
    any_installation: Installation, pair: tuple[int, int], clock: Clock
) -> None:
    cast(any_installation, pair, 1, HOLD)
    clock.turn(minutes=1)
    assert cast(any_installation, pair, 0, HOLD).value == 0
    clock.turn(hours=1)
    assert counted(any_installation) == []


def test_a_counted_vote_stands_while_its_change_is_held(
    any_installation: Installation, pair: tuple[int, int], clock: Clock
) -> None:
    cast(any_installation, pair, 1)
    standing = cast(any_installation, pair, -1, HOLD)
    assert (standing.value, standing.counted) == (-1, 1)
    assert counted(any_installation) == [1]
    clock.turn(minutes=10)
    assert counted(any_installation) == [-1]


def test_a_held_vote_said_again_by_command_counts_at_once(
    any_installation: Installation, pair: tuple[int, int]
) -> None:
    cast(any_installation, pair, 1, HOLD)
    assert cast(any_installation, pair, 1).held is False
    assert counted(any_installation) == [1]


def test_a_vote_taken_back_is_no_opinion_until_it_is_cast_again(
    any_installation: Installation, pair: tuple[int, int]
) -> None:
    said = []
    for value in (1, 0, -1):
        cast(any_installation, pair, value)
        with any_installation.database.reading() as session:
            found = votes.opinions(session, any_installation.clock(), (), [pair[0]])
        said.append(found[pair[0]].values)
    assert said == [{pair[1]: 1}, {}, {pair[1]: -1}]


def test_the_tally_is_ups_and_downs(any_installation: Installation, pair: tuple[int, int]) -> None:
    cast(any_installation, pair, 1)
    with any_installation.database.reading() as session:
        assert votes.tally(session, [pair[1]], any_installation.clock()) == {pair[1]: (1, 0)}
    cast(any_installation, pair, -1)
    with any_installation.database.reading() as session:
        assert votes.tally(session, [pair[1]], any_installation.clock()) == {pair[1]: (0, 1)}


DAY = date(2026, 4, 7)


def by_time(installation: Installation, width: timedelta = timedelta(hours=1)) -> list[object]:
    with installation.database.reading() as session:
        found = votes.by_time(session, DAY, DAY, installation.clock(), width)
    return [(one.begin.hour, one.ups, one.downs) for one in found]


def test_votes_are_counted_by_the_time_at_which_they_were_cast(
    any_installation: Installation, pair: tuple[int, int], clock: Clock
) -> None:
    _, paper = pair
    for name, value, minutes in (("ben", 1, 10), ("cleo", -1, 10), ("dora", 1, 60)):
        email = join(any_installation, name, "graph")
        with any_installation.database.reading() as session:
            person = subscribers.by_email(session, email)
        assert person is not None
        clock.turn(minutes=minutes)
        cast(any_installation, (id_of(person), paper), value)
    assert sorted(map(str, by_time(any_installation))) == ["(10, 1, 0)", "(9, 1, 1)"]
    assert by_time(any_installation, timedelta(days=1)) == [(0, 2, 1)]


def test_only_the_vote_that_holds_is_counted_at_its_time(
    any_installation: Installation, pair: tuple[int, int], clock: Clock
) -> None:
    cast(any_installation, pair, 1)
    clock.turn(hours=2)
    cast(any_installation, pair, -1, HOLD)
    assert by_time(any_installation) == [(9, 1, 0)]
    clock.turn(hours=1)
    assert by_time(any_installation) == [(11, 0, 1)]
    cast(any_installation, pair, 0)
    assert by_time(any_installation) == []


def test_votes_on_papers_of_other_days_are_not_counted(
    any_installation: Installation, pair: tuple[int, int]
) -> None:
    cast(any_installation, pair, 1)
    other = DAY + timedelta(days=1)
    with any_installation.database.reading() as session:
        now = any_installation.clock()
        assert votes.by_time(session, other, other, now, timedelta(hours=1)) == []
