"""Becoming a subscriber, also when several do at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from invented import Clock, fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, subscribe
from paperpost.service.installation import Installation
from paperpost.service.wishes import Wishes

DAY = date(2026, 4, 7)
WISHES = Wishes(keywords=("graph neural networks",))


def test_one_form_posted_many_times_at_once_is_one_subscriber_and_one_mail(
    any_installation: Installation,
) -> None:
    with ThreadPoolExecutor(4) as pool:
        posts = [
            pool.submit(subscribe.by_form, any_installation, "ada@example.org", WISHES)
            for _ in range(4)
        ]
        for post in posts:
            post.result()
    exported = account.export(any_installation, "ada@example.org")
    assert exported["state"] == "pending"
    assert len(exported["mails"]) == 1


def test_a_link_asked_for_many_times_at_once_is_one_mail(any_installation: Installation) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(subscribe.mail_access_link, any_installation, email) for _ in range(8)]
        assert sum(one.result() for one in asked) == 1


def test_what_is_asked_for_changes_only_with_a_mail_that_says_so(
    any_installation: Installation, clock: Clock
) -> None:
    def keywords_after(asked: str) -> list[str]:
        wanted = Wishes(keywords=(asked,), hour=len(asked))
        subscribe.by_form(any_installation, "ada@example.org", wanted)
        kept = account.export(any_installation, "ada@example.org")
        assert kept["hour"] == len(kept["interests"]["keywords"][0])
        return list(kept["interests"]["keywords"])

    assert keywords_after("graphs") == ["graphs"]
    clock.turn(minutes=4)
    assert keywords_after("casino games") == ["graphs"]
    clock.turn(minutes=1)
    assert keywords_after("speech") == ["speech"]
    for typed in ("one", "two", "three"):
        clock.turn(hours=1)
        assert keywords_after(typed) == [typed]
    clock.turn(hours=1)
    assert keywords_after("casino games") == ["three"]


def test_lists_and_composers_do_not_lock_each_other_up(
    any_installation: Installation, tmp_path: Path
) -> None:
    fill(any_installation, [DAY])
    names = [f"reader{number}" for number in range(20)]
    for name in names:
        join(any_installation, name, "graph neural networks")
    lists = []
    for hour in (7, 9):
        lists.append(tmp_path / f"{hour}.csv")
        known = [f"{name}@example.org,{hour}" for name in reversed(names)]
        new = [f"new{hour}-{number}@example.org,{hour}" for number in range(10)]
        lists[-1].write_text("\n".join(["email,hour", *known, *new]) + "\n", encoding="utf-8")
    with ThreadPoolExecutor(3) as pool:
        imports = [
            pool.submit(subscribe.from_file, any_installation, path, confirmed=True)
            for path in lists
        ]
        composed = pool.submit(compose_all_of, any_installation, DAY)
        assert [one.result().added for one in imports] == [10, 10]
        assert composed.result()["queued"] >= 20


def test_a_stranger_cannot_change_what_somebody_who_left_had_asked_for(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph neural networks")
    with any_installation.database.writing() as session:
        person = account.named(session, email)
        person.state = "unsubscribed"
        session.add(person)
    subscribe.by_form(any_installation, email, Wishes(keywords=("casino",)))
    exported = account.export(any_installation, email)
    assert exported["interests"]["keywords"] == ["graph neural networks"]
    assert [mail["kind"] for mail in exported["mails"]] == ["confirmation"]
