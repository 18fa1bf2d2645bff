"""Papers that the snapshot does not know are found in the space all the same."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from invented import Clock, fill

from paperpost.service import lesson, space
from paperpost.service.installation import Installation
from paperpost.service.similar import similar
from paperpost.service.space import space_at_hand
from paperpost.service.train import LOOK_EVERY, train
from paperpost.store.papers import find, number_of
from paperpost.store.tables import NEVER_ANNOUNCED

DAY = date(2026, 4, 7)
LATER = date(2026, 4, 8)


def ids(installation: Installation) -> tuple[str, ...]:
    at_hand = space_at_hand(installation)
    assert at_hand is not None
    assert len(at_hand.numbers) == len(at_hand.days) == len(at_hand.places.ids)
    return at_hand.places.ids


def finish(installation: Installation) -> None:
    assert installation.slot.folding is not None
    installation.slot.folding.join()


def test_without_a_model_there_is_no_space(installation: Installation) -> None:
    fill(installation, [DAY])
    assert space_at_hand(installation) is None


def test_papers_newer_than_the_snapshot_come_up(installation: Installation) -> None:
    old = fill(installation, [DAY])
    train(installation)
    new = fill(installation, [LATER])
    assert set(ids(installation)) == {one.id for one in old + new}
    graph = next(one for one in old if one.topic == "graph")
    shown = [one.id for one in similar(installation, graph.id).papers]
    assert {one.id for one in new if one.topic == "graph"} & set(shown)


def test_it_is_looked_up_now_and_then_whether_there_are_newer_ones(
    installation: Installation, clock: Clock
) -> None:
    fill(installation, [DAY])
    train(installation)
    before = ids(installation)
    new = fill(installation, [LATER])
    assert ids(installation) == before
    clock.now += LOOK_EVERY
    assert set(ids(installation)) == {*before, *(one.id for one in new)}
    seen = space_at_hand(installation)
    clock.now += LOOK_EVERY
    assert space_at_hand(installation) is seen


def test_many_are_folded_in_beside_the_requests(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "AT_ONCE", 3)
    monkeypatch.setattr(space, "_CHUNK", 5)
    fill(installation, [DAY])
    train(installation)
    new = fill(installation, [LATER])
    ids(installation)
    finish(installation)
    assert {one.id for one in new} <= set(ids(installation))
    done = space_at_hand(installation)
    assert done is not None
    assert done.waiting == ()


def test_of_very_many_the_newest_are_folded_in(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "MOST_FOLDED", 14)
    fill(installation, [DAY])
    train(installation)
    first, second, third = (DAY + timedelta(days=n) for n in (1, 2, 3))
    newer = fill(installation, [first, second])
    assert len(ids(installation)) == 12 + 14
    assert {one.id for one in newer if one.day == second} <= set(ids(installation))
    newest = fill(installation, [third])
    clock.now += LOOK_EVERY
    at_hand = ids(installation)
    assert len(at_hand) == 12 + 14
    assert {one.id for one in newest} <= set(at_hand)
    older = {one.id for one in newer} & set(at_hand)
    assert older <= {one.id for one in newer if one.day == second}


def test_new_papers_take_the_room_of_old_ones_that_the_training_left_out(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "MOST_KNOWN", 3)
    monkeypatch.setattr(space, "MOST_FOLDED", 9)
    fill(installation, [DAY])
    train(installation)
    assert len(ids(installation)) == 3 + 9
    new = fill(installation, [LATER], each=1)
    clock.now += LOOK_EVERY
    assert len(ids(installation)) == 3 + 9
    assert {one.id for one in new} <= set(ids(installation))


def test_while_many_old_papers_are_folded_in_new_ones_come_first(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock takes long: the new model's space is shown before it is whole."""
    monkeypatch.setattr(lesson, "MOST_KNOWN", 3)
    monkeypatch.setattr(space, "AT_ONCE", 0)
    monkeypatch.setattr(space, "_CHUNK", 2)
    shown: list[tuple[str, ...]] = []
    fill(installation, [DAY])
    train(installation)
    ids(installation)
    finish(installation)
    train(installation)

    def slow() -> datetime:
        if threading.current_thread() is installation.slot.folding:
            clock.now += LOOK_EVERY
            at_hand = installation.slot.space
            assert at_hand is not None
            shown.append(at_hand.places.ids)
            if len(shown) == 3:
                new.extend(one.id for one in fill(installation, [LATER], each=1))
        return clock.now

    new: list[str] = []
    space_at_hand(replace(installation, clock=slow))
    finish(installation)
    first = next(number for number, at_hand in enumerate(shown) if set(new) & set(at_hand))
    assert len(shown[first]) < 3 + 9
    assert {*shown[0], *new} == set(ids(installation))


def test_a_new_snapshot_makes_a_new_space(installation: Installation, clock: Clock) -> None:
    fill(installation, [DAY])
    train(installation)
    fill(installation, [LATER])
    first = space_at_hand(installation)
    train(installation)
    assert space_at_hand(installation) is not None  # the older one, until the newer is there
    finish(installation)
    second = space_at_hand(installation)
    assert first is not None
    assert second is not None
    assert second.model is not first.model
    assert len(first.places.others) == 12
    assert len(second.places.others) == 0
    assert set(first.places.ids) == set(second.places.ids)


def test_what_is_stored_no_more_or_a_readers_own_has_no_place(installation: Installation) -> None:
    made = fill(installation, [DAY])
    train(installation)
    with installation.database.writing() as session:
        gone, private = (find(session, one.id) for one in made[:2])
        assert gone is not None
        assert private is not None
        session.delete(gone)
        private.announced = NEVER_ANNOUNCED
    at_hand = space_at_hand(installation)
    assert at_hand is not None
    counts = at_hand.within(date.min, date.max)
    assert counts.sum() == len(made) - 2


def test_a_space_knows_days_and_numbers(installation: Installation) -> None:
    fill(installation, [DAY])
    train(installation)
    (new, *_) = fill(installation, [LATER], each=1)
    at_hand = space_at_hand(installation)
    with installation.database.reading() as session:
        paper = find(session, new.id)
    assert at_hand is not None
    assert paper is not None
    assert at_hand.within(LATER, date.max).sum() == 3
    assert at_hand.within(date.min, DAY).sum() == 12
    place = at_hand.places.ids.index(new.id)
    assert at_hand.numbers[place] == number_of(paper)
    assert at_hand.within(date.min, date.max, [number_of(paper)]).nonzero()[0].tolist() == [place]
    assert not at_hand.within(date.min, DAY, [number_of(paper)]).any()
