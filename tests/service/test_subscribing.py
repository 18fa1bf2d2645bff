"""Becoming a subscriber, also when several do at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from invented import Clock, fill, join

from paperpost.engine.embedded import compose_all_of
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
