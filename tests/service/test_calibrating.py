"""What subscribers did with mailed papers says how probable the next ones are."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from invented import Clock, fill, join
from sqlalchemy import update
from sqlmodel import col

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, explain, library, rate
from paperpost.service.calibrate import AROUND, LOOK_BACK, TIME_TO_VOTE, calibrate
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.store import digests
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Digest, Vote
from recommender.calibration import Calibration

DAY = date(2026, 4, 7)


def mailed(installation: Installation, *names: str) -> list[str]:
    """Subscribe them, mail DAY's digest, and say which papers the last one got."""
    fill(installation, [DAY])
    for name in names:
        email = join(installation, name, "graph neural networks", size=6)
    compose_all_of(installation, DAY)
    send(installation)
    papers: list[str] = account.export(installation, email)["digests"][0]["papers"]
    return papers


def vote(installation: Installation, name: str, papers: Sequence[str], value: str = "up") -> None:
    for paper in papers:
        cast_by_command(installation, f"{name}@example.org", paper, value)


def curve(installation: Installation) -> Calibration:
    now = installation.clock()
    with installation.database.reading() as session:
        return calibrate(session, now)


def at_ten(calibration: Calibration) -> float:
    return float(calibration.probabilities(10.0))


DEFAULT = pytest.approx(at_ten(Calibration()), abs=1e-4)


def test_what_came_of_mails_changes_the_probabilities_that_the_next_training_tells(
    any_installation: Installation, clock: Clock
) -> None:
    vote(any_installation, "ada", mailed(any_installation, "ben", "ada"))
    later = DAY + timedelta(days=1)
    fill(any_installation, [later])

    def told() -> list[float]:
        assert train(any_installation) is not None
        ranked = explain.explain(any_installation, "ben@example.org", later, 6)
        return [one["probability"] for one in ranked]

    before = told()  # of the same papers and votes, but too early for a curve
    clock.now += TIME_TO_VOTE
    assert all(new > old for old, new in zip(before, told(), strict=True))


def test_what_was_mailed_to_somebody_who_votes_and_was_passed_over_lowers_the_curve(
    any_installation: Installation, clock: Clock
) -> None:
    papers = mailed(any_installation, "ada")
    clock.turn(days=3)
    assert at_ten(curve(any_installation)) == DEFAULT  # nobody voted: nothing is known
    vote(any_installation, "ada", papers[:1], "down")
    lowered = at_ten(curve(any_installation))
    assert lowered < at_ten(Calibration()) - 1e-3
    vote(any_installation, "ada", papers[:3])
    assert at_ten(curve(any_installation)) > lowered


def test_a_mail_counts_when_there_was_time_to_vote_and_until_it_is_old(
    installation: Installation, clock: Clock
) -> None:
    papers = mailed(installation, "ada")
    vote(installation, "ada", papers)
    assert at_ten(curve(installation)) == DEFAULT
    clock.now += TIME_TO_VOTE
    assert at_ten(curve(installation)) > at_ten(Calibration()) + 1e-3
    clock.now += LOOK_BACK
    assert at_ten(curve(installation)) == DEFAULT


def test_a_mail_counts_if_its_subscriber_voted_at_that_time(
    installation: Installation, clock: Clock
) -> None:
    papers = mailed(installation, "ada")
    clock.now += AROUND + timedelta(days=1)
    vote(installation, "ada", papers)
    assert at_ten(curve(installation)) == DEFAULT


def test_a_library_that_was_brought_in_does_not_say_that_mails_were_read(
    installation: Installation, clock: Clock
) -> None:
    mailed(installation, "ada")
    clock.now += TIME_TO_VOTE
    with installation.database.reading() as session:
        ada = id_of(account.named(session, "ada@example.org"))
    taken = library.take_in(installation, ada, library.read(b"@misc{a, title = {Tides}}", "mine"))
    assert taken.added_votes == 1
    assert at_ten(curve(installation)) == DEFAULT


def test_papers_rated_on_the_site_do_not_say_that_mails_were_read(
    installation: Installation, clock: Clock
) -> None:
    mailed(installation, "ada")
    (other, *_) = fill(installation, [DAY + timedelta(days=1)])
    clock.now += TIME_TO_VOTE
    with installation.database.reading() as session:
        ada = id_of(account.named(session, "ada@example.org"))
    assert rate.answer(installation, ada, {other.id: "up"}) == 1
    assert at_ten(curve(installation)) == DEFAULT


def test_a_vote_that_was_taken_back_or_never_counts_is_none(
    installation: Installation, clock: Clock
) -> None:
    papers = mailed(installation, "ada")
    clock.now += TIME_TO_VOTE
    vote(installation, "ada", papers[:1], "down")
    passed_over = curve(installation)
    vote(installation, "ada", papers[1:3])
    assert curve(installation) != passed_over
    vote(installation, "ada", papers[1:2], "none")
    with installation.database.writing() as session:
        of_two = update(Vote).where(col(Vote.value) == 1, col(Vote.paper_number) > 0)
        session.exec(of_two.values(voided="a robot's"))
    assert curve(installation) == passed_over


def test_a_digest_that_was_not_sent_says_nothing(installation: Installation, clock: Clock) -> None:
    fill(installation, [DAY])
    email = join(installation, "ada", "graph neural networks", size=6)
    compose_all_of(installation, DAY)
    clock.turn(days=3)
    vote(installation, "ada", account.export(installation, email)["digests"][0]["papers"])
    assert at_ten(curve(installation)) == DEFAULT


@pytest.mark.parametrize("change", [{"blend": 0}, {"trending": True}])
def test_scores_of_another_blend_and_of_trending_papers_say_nothing(
    installation: Installation, clock: Clock, change: dict[str, object]
) -> None:
    papers = mailed(installation, "ada")
    clock.turn(days=3)
    vote(installation, "ada", papers)
    assert at_ten(curve(installation)) != DEFAULT
    with installation.database.writing() as session:
        person = account.named(session, "ada@example.org")
        digest = digests.of_date(session, id_of(person), DAY)
        assert isinstance(digest, Digest)
        digest.items = [item | change for item in digest.items]
        session.add(digest)
    assert at_ten(curve(installation)) == DEFAULT


def test_items_of_an_older_version_are_passed_over(
    installation: Installation, clock: Clock
) -> None:
    papers = mailed(installation, "ada")
    clock.turn(days=3)
    vote(installation, "ada", papers)
    with installation.database.writing() as session:
        session.exec(update(Digest).values(items=[{"paper": 1, "fragment": 1, "score": 3.0}]))
    assert at_ten(curve(installation)) == DEFAULT
