"""Answers that are kept for a while, and made anew behind whoever asks."""

from datetime import timedelta
from queue import Queue
from threading import Event

import pytest
from invented import Clock

from paperpost.errors import PaperpostError
from paperpost.service.kept import MOST, Kept, Recent

MINUTE = timedelta(minutes=1)


def kept(*, cheap: bool = False) -> Kept[str, int]:
    return Kept(MINUTE, lambda _: cheap)


def never() -> int:
    pytest.fail("there was an answer already")


def test_what_took_long_is_given_again_for_a_while() -> None:
    clock, answers = Clock(), kept()
    assert answers.get("a", clock(), lambda: 1) == 1
    clock.turn(seconds=59)
    assert answers.get("a", clock(), never) == 1
    assert answers.get("b", clock(), lambda: 2) == 2


def test_what_takes_no_time_is_made_each_time() -> None:
    clock, answers = Clock(), kept(cheap=True)
    assert [answers.get("a", clock(), lambda n=n: n) for n in (1, 2)] == [1, 2]  # type: ignore[misc]


def test_an_old_answer_is_given_at_once_and_made_anew_by_one_alone() -> None:
    clock, answers, may_end, made = Clock(), kept(), Event(), Queue[int]()
    answers.get("a", clock(), lambda: 1)
    clock.turn(minutes=2)

    def slowly() -> int:
        may_end.wait(10)
        made.put(2)
        return 2

    assert [answers.get("a", clock(), slowly) for _ in range(3)] == [1, 1, 1]
    may_end.set()
    made.get(timeout=10)
    answers.close()
    assert made.empty()
    assert answers.get("a", clock(), never) == 2


def test_a_failure_behind_the_page_leaves_the_old_answer_and_is_tried_again() -> None:
    clock, answers = Clock(), kept()
    answers.get("a", clock(), lambda: 1)
    clock.turn(minutes=2)

    def fails() -> int:
        raise PaperpostError("the database is gone")

    assert answers.get("a", clock(), fails) == 1
    answers.close()
    assert answers.get("a", clock(), lambda: 3) == 1
    answers.close()
    assert answers.get("a", clock(), never) == 3


def test_what_was_not_asked_for_is_forgotten() -> None:
    clock, answers = Clock(), kept()
    for number in range(MOST):
        answers.get(str(number), clock(), lambda: 1)
    answers.get("0", clock(), never)
    answers.get("one more", clock(), lambda: 1)
    assert answers.get("0", clock(), never) == 1
    assert answers.get("1", clock(), lambda: 2) == 2


def test_what_was_used_longest_ago_is_dropped() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep({"a": 1, "b": 2})
    assert recent.find(["a", "z"]) == {"a": 1}
    recent.keep({"c": 3})
    assert recent.find("abc") == {"a": 1, "c": 3}
