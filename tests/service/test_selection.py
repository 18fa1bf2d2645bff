"""What a subscriber wants mailed at all: the threshold, and the paper outside their usual."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from invented import fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, explain, subscribe, wishes
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.status import status
from paperpost.service.wishes import InvalidWish
from paperpost.store import digests
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Digest

DAY = date(2026, 4, 7)


def set_threshold(installation: Installation, email: str, threshold: float) -> None:
    with installation.database.writing() as session:
        person = account.named(session, email)
        person.threshold = threshold
        session.add(person)


def digest_of(installation: Installation, email: str, day: date = DAY) -> Digest:
    with installation.database.reading() as session:
        found = digests.of_date(session, id_of(account.named(session, email)), day)
    assert found is not None
    return found


def test_a_digest_keeps_how_probable_each_paper_is(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph neural networks", size=5)
    ranked = explain.explain(any_installation, email, DAY)
    compose_all_of(any_installation, DAY)
    kept = [item["probability"] for item in digest_of(any_installation, email).items]
    assert kept == [choice["probability"] for choice in ranked]
    assert all(0 <= probability <= 1 for probability in kept)
    assert account.export(any_installation, email)["probabilities"] == {str(DAY): kept}


def test_papers_below_the_threshold_are_not_mailed(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph neural networks", size=6)
    before = explain.explain(any_installation, email, DAY)
    threshold = before[2]["probability"]
    expected = [choice for choice in before if choice["probability"] >= threshold]
    assert 3 <= len(expected) < 6
    set_threshold(any_installation, email, threshold)
    assert explain.explain(any_installation, email, DAY) == expected
    compose_all_of(any_installation, DAY)
    mailed = account.export(any_installation, email)["digests"][0]["papers"]
    assert mailed == [choice["paper"] for choice in expected]


def test_the_threshold_does_not_silence_somebody_of_whom_nothing_is_known(
    installation: Installation,
) -> None:
    fill(installation, [DAY])
    email = join(installation, "ada", size=5)
    set_threshold(installation, email, 0.99)
    assert len(explain.explain(installation, email, DAY)) == 5


def test_the_size_stays_the_most_that_a_threshold_lets_through(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph neural networks", size=2)
    set_threshold(any_installation, email, 0.0)
    compose_all_of(any_installation, DAY)
    assert len(digest_of(any_installation, email).items) == 2


def test_a_number_that_is_asked_for_is_ranked_whatever_the_threshold(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "cold fusion", size=2, threshold=99)
    assert explain.explain(any_installation, email, DAY) == []
    assert len(explain.explain(any_installation, email, DAY, 7)) == 7


def test_a_day_without_a_paper_above_the_threshold_is_silent_and_says_why(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "cold fusion", threshold=99)
    join(any_installation, "ben", "graph", muted=("study",))
    assert compose_all_of(any_installation, DAY) == {"silent": 2}
    reason = "None of 12 new papers reached your threshold of 99 %."
    assert [mail["reply"] for mail in account.export(any_installation, email)["mails"]] == [reason]
    assert status(any_installation)["silent"] == [
        {
            "date": str(DAY),
            "reason": "None of 12 new papers passed the muted terms.",
            "subscribers": 1,
        },
        {"date": str(DAY), "reason": reason, "subscribers": 1},
    ]
    fill(any_installation, [DAY + timedelta(days=1)])
    set_threshold(any_installation, email, 0.0)
    assert compose_all_of(any_installation, DAY + timedelta(days=1)) == {"queued": 1, "silent": 1}


@pytest.mark.parametrize(
    ("text", "percent"), [("65", 65), ("7 %", 7), ("99%", 99), ("", 0), ("none", 0), ("0", 0)]
)
def test_a_threshold_is_asked_for_in_per_cent(text: str, percent: int) -> None:
    wanted = wishes.checked({"threshold": text})
    assert wanted.threshold == percent
    assert wanted.columns() == {"threshold": percent / 100 or None}
    assert wishes.percent(percent / 100) == percent


@pytest.mark.parametrize("text", ["100", "-3", "0.5", "٣", "half", "1" * 400])
def test_a_threshold_that_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(InvalidWish, match="threshold must be a number from 1 to 99"):
        wishes.checked({"threshold": text})


def test_a_list_sets_and_takes_back_what_is_mailed(
    any_installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"

    def take_in(*lines: str) -> tuple[int, int, int]:
        path.write_text("\n".join(["email,threshold,explore", *lines]), encoding="utf-8")
        done = subscribe.from_file(any_installation, path, confirmed=True)
        return done.added, done.updated, len(done.rejected)

    def selection(name: str) -> tuple[int | None, bool]:
        exported = account.export(any_installation, f"{name}@example.org")
        return exported["threshold"], exported["explore"]

    assert take_in("ada@example.org,40,no", "ben@example.org,,", "cleo@example.org,,maybe") == (
        2,
        0,
        1,
    )
    assert (selection("ada"), selection("ben")) == ((40, False), (None, True))
    assert take_in("ada@example.org,,", "ben@example.org,60,Yes") == (0, 1, 0)
    assert (selection("ada"), selection("ben")) == ((40, False), (60, True))
    assert take_in("ada@example.org,none,yes") == (0, 1, 0)
    assert selection("ada") == (None, True)


def test_a_paper_outside_the_usual_is_marked_in_the_mail(installation: Installation) -> None:
    fill(installation, [DAY])
    email = join(installation, "ada", "graph neural networks", size=3)
    compose_all_of(installation, DAY)
    with installation.database.writing() as session:
        digest = session.merge(digest_of(installation, email))
        digest.items = [item | {"explored": rank == 2} for rank, item in enumerate(digest.items)]
    send(installation)
    (file,) = installation.settings.mail_folder.glob("*.eml")
    last = file.read_text(encoding="utf-8").split("\n3. ")[1].split("\n-- ")[0]
    assert "Outside your usual" in last
    assert file.read_text(encoding="utf-8").count("Outside your usual") == 2  # text and HTML
