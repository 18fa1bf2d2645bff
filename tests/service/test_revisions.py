"""A new version of an older paper: mailed to who asked for revisions, and to nobody twice."""

from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from invented import Clock, Invented, arrival, fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, preview, subscribe
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.vote import cast_by_command
from paperpost.service.wishes import Wishes
from paperpost.store.intake import put_all

DAYS = [date(2026, 4, 6) + timedelta(days=n) for n in range(4)]
OLD = Invented("2602.00001", "graph", date(2026, 2, 3))


def store(installation: Installation, *revised: date, paper: Invented = OLD) -> None:
    """Tell of a paper; then of a new version on each of these days."""
    told = [arrival(paper)]
    for version, day in enumerate(revised, start=2):
        told.append(
            replace(
                told[0], version=version, announced=day, revised=day, only_if_known=True,
                title=f"Version {version}",
            )
        )  # fmt: skip
    with installation.database.writing() as session:
        put_all(session, told, installation.clock())


def mailed(installation: Installation, email: str) -> dict[str, list[str]]:
    mails = account.export(installation, email)["digests"]
    return {digest["date"]: digest["papers"] for digest in mails}


@pytest.fixture
def two(any_installation: Installation) -> tuple[str, str]:
    """Ada, who wants revisions, and Ben, who does not."""
    fill(any_installation, DAYS[:3])
    ada = join(any_installation, "ada", "graph neural networks", size=20, revisions="yes")
    return ada, join(any_installation, "ben", "graph neural networks", size=20)


def test_a_new_version_is_mailed_to_who_wants_revisions_and_only_once(
    any_installation: Installation, two: tuple[str, str]
) -> None:
    store(any_installation, DAYS[0])
    compose_all_of(any_installation, DAYS[0])
    store(any_installation, DAYS[0], DAYS[1])
    for day in DAYS[1:3]:
        compose_all_of(any_installation, day)
    ada, ben = (mailed(any_installation, email) for email in two)
    assert [OLD.id in papers for papers in ada.values()] == [True, False, False]
    assert [set(papers) - {OLD.id} for papers in ada.values()] == [set(p) for p in ben.values()]
    assert not any(OLD.id in papers for papers in ben.values())


def test_a_new_paper_that_is_revised_soon_is_news_to_everybody(
    any_installation: Installation, two: tuple[str, str]
) -> None:
    young = Invented("2604.90001", "graph", DAYS[0])
    store(any_installation, DAYS[1], paper=young)
    compose_all_of(any_installation, DAYS[1])
    for email in two:
        assert young.id in mailed(any_installation, email)[str(DAYS[1])]
    shown = explain(any_installation, two[0], DAYS[1])
    assert not any(choice["revised"] for choice in shown)


def test_what_was_passed_over_comes_with_its_new_version(
    any_installation: Installation, two: tuple[str, str]
) -> None:
    young = Invented("2604.90001", "speech", DAYS[0])
    store(any_installation, paper=young)
    subscribe.by_command(any_installation, two[0], Wishes(size=4), confirmed=True)
    compose_all_of(any_installation, DAYS[0])
    assert young.id not in mailed(any_installation, two[0])[str(DAYS[0])]
    subscribe.by_command(any_installation, two[0], Wishes(size=20), confirmed=True)
    store(any_installation, DAYS[1], paper=young)
    (choice,) = [one for one in explain(any_installation, two[0], DAYS[1]) if one["revised"]]
    assert choice["paper"] == young.id


@pytest.mark.parametrize(("value", "wanted"), [("up", True), ("down", False)])
def test_a_paper_that_was_voted_down_does_not_come_back(
    any_installation: Installation, two: tuple[str, str], value: str, wanted: bool
) -> None:
    store(any_installation, DAYS[0])
    cast_by_command(any_installation, two[0], OLD.id, value)
    shown = {choice["paper"] for choice in explain(any_installation, two[0], DAYS[0])}
    assert (OLD.id in shown) is wanted


def test_a_muted_paper_does_not_come_back(
    any_installation: Installation, two: tuple[str, str]
) -> None:
    store(any_installation, DAYS[0])
    subscribe.by_command(any_installation, two[0], Wishes(muted=("version 2",)), confirmed=True)
    shown = {choice["paper"] for choice in explain(any_installation, two[0], DAYS[0])}
    assert shown
    assert OLD.id not in shown


def test_a_version_that_came_in_after_the_days_digest_is_for_the_next(
    any_installation: Installation, two: tuple[str, str], clock: Clock
) -> None:
    store(any_installation)
    compose_all_of(any_installation, DAYS[0])
    clock.turn(hours=3)
    store(any_installation, DAYS[0])
    clock.turn(hours=3)
    compose_all_of(any_installation, DAYS[1])
    assert OLD.id in mailed(any_installation, two[0])[str(DAYS[1])]
    clock.turn(hours=3)
    compose_all_of(any_installation, DAYS[2])
    assert OLD.id not in mailed(any_installation, two[0])[str(DAYS[2])]


def test_the_mail_says_what_was_revised(
    any_installation: Installation, two: tuple[str, str]
) -> None:
    store(any_installation, DAYS[0], DAYS[1])
    shown = preview.preview(any_installation, two[0], DAYS[1])
    assert OLD.id in shown.papers
    mail = message_from_bytes(shown.data or b"", policy=policy.default)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert part.get_content().count("Revised on 7 April 2026, version 3.") == 1


def test_a_revision_that_was_passed_over_does_not_come_back_with_an_upvote(
    any_installation: Installation, two: tuple[str, str], clock: Clock
) -> None:
    store(any_installation, DAYS[0])
    subscribe.by_command(any_installation, two[0], Wishes(muted=("version 2",)), confirmed=True)
    compose_all_of(any_installation, DAYS[0])
    subscribe.by_command(any_installation, two[0], Wishes(muted=()), confirmed=True)
    clock.turn(hours=3)
    with any_installation.database.writing() as session:
        put_all(session, [replace(arrival(OLD), upvotes=7)], any_installation.clock())
    shown = explain(any_installation, two[0], DAYS[1])
    assert shown
    assert not any(choice["revised"] for choice in shown)


@pytest.mark.parametrize(("days", "comes"), [(180, True), (181, False)])
def test_a_new_version_of_what_is_half_a_year_old_is_not_mailed(
    any_installation: Installation, two: tuple[str, str], days: int, comes: bool
) -> None:
    old = Invented("2509.00001", "graph", DAYS[0] - timedelta(days=days))
    store(any_installation, DAYS[0], paper=old)
    shown = {choice["paper"] for choice in explain(any_installation, two[0], DAYS[0])}
    assert (old.id in shown) is comes
