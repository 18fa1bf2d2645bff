"""What trends, and the digest of those of whom nothing is known."""

from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from invented import Clock, Invented, arrival, fill, join, with_settings

from paperpost.engine.runs import compose_all_of
from paperpost.service import vote
from paperpost.service.deliver import send
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.lists import trending
from paperpost.service.periods import Span
from paperpost.store.intake import put_all

DAY = date(2026, 4, 7)


def give(
    installation: Installation,
    invented: Invented,
    upvotes: int,
    on: date = DAY,
    discussed: int | None = None,
) -> None:
    """The paper stands on Hugging Face's list of that day."""
    told = replace(arrival(invented), announced=on, upvotes=upvotes, discussed=discussed)
    with installation.database.writing() as session:
        put_all(session, [told], installation.clock())


def vote_up(installation: Installation, paper: Invented, count: int) -> None:
    """So many subscribers vote it up."""
    for number in range(count):
        email = join(installation, f"voter{number}", "speech")
        vote.cast_by_command(installation, email, paper.id, "up")


def shown(
    installation: Installation, window: Span = Span.WEEK
) -> list[tuple[str, tuple[str, ...]]]:
    view = trending(installation, window)
    assert view is not None
    return [(one.paper.id, one.counts) for one in view.papers]


def test_votes_and_upvotes_trend_and_nothing_else_does(any_installation: Installation) -> None:
    invented = fill(any_installation, [DAY])
    vote_up(any_installation, invented[5], 4)
    give(any_installation, invented[7], 127)
    give(any_installation, invented[8], 2)
    vote.cast_by_command(any_installation, "voter0@example.org", invented[9].id, "up")
    assert shown(any_installation) == [
        (invented[7].id, ("127 upvotes on Hugging Face",)),
        (invented[5].id, ("4 readers voted this up",)),
    ]
    give(any_installation, invented[5], 60)
    assert shown(any_installation)[0] == (
        invented[5].id,
        ("4 readers voted this up", "60 upvotes on Hugging Face"),
    )


@pytest.mark.parametrize(
    ("discussed", "told"),
    [
        (0, "60 upvotes on Hugging Face"),
        (1, "60 upvotes, 1 comment on Hugging Face"),
        (14, "60 upvotes, 14 comments on Hugging Face"),
    ],
)
def test_comments_are_told_beside_upvotes(
    any_installation: Installation, discussed: int, told: str
) -> None:
    paper = fill(any_installation, [DAY])[3]
    give(any_installation, paper, 60, discussed=discussed)
    assert shown(any_installation) == [(paper.id, (told,))]
    email = join(any_installation, "nobody", size=1)
    assert f"Why: {told}\n" in mailed(any_installation, email)[0]


def test_an_operator_may_leave_out_what_others_upvoted(post: Installation) -> None:
    give(post, Invented("2604.07001", "graph", DAY), 400)
    alone = with_settings(post, upvotes=False)
    assert shown(alone) == [("2604.07102", ("5 readers voted this up",))]
    for name, keywords in (("nobody", []), ("ada", ["speech recognition"])):
        reasons = [choice["reasons"] for choice in ranked(alone, join(alone, name, *keywords))]
        assert "Hugging Face" not in str(reasons)
    assert "Hugging Face" in str(ranked(post, "nobody@example.org"))


def test_a_window_holds_the_papers_of_its_days(any_installation: Installation) -> None:
    days = [DAY, DAY - timedelta(days=6), DAY - timedelta(days=7), DAY - timedelta(days=30)]
    for day in days:
        give(any_installation, fill(any_installation, [day], each=1)[0], 50, on=day)
    found = [len(shown(any_installation, window)) for window in Span]
    assert found == [1, 2, 3]


def test_what_is_older_trends_less(any_installation: Installation, clock: Clock) -> None:
    before = DAY - timedelta(days=3)
    old, new = (fill(any_installation, [day], each=1)[0] for day in (before, DAY))
    give(any_installation, old, 40, on=before)
    give(any_installation, new, 39)
    assert [paper for paper, _ in shown(any_installation)] == [new.id, old.id]


def test_held_and_withdrawn_votes_do_not_trend(any_installation: Installation) -> None:
    invented = fill(any_installation, [DAY])
    vote_up(any_installation, invented[0], 3)
    assert len(shown(any_installation)) == 1
    vote.cast_by_command(any_installation, "voter1@example.org", invented[0].id, "none")
    assert shown(any_installation) == []


def test_days_long_past_are_ranked_as_if_they_had_just_ended(
    any_installation: Installation, clock: Clock
) -> None:
    invented = fill(any_installation, [DAY])
    for number, upvotes in enumerate((5, 90, 30)):
        give(any_installation, invented[number], upvotes)
    email = join(any_installation, "nobody", size=3)
    clock.turn(days=900)
    best = [choice["paper"] for choice in explain(any_installation, email, DAY)]
    assert best == [invented[1].id, invented[2].id, invented[0].id]
    assert [paper for paper, _ in shown(any_installation)] == best


def test_no_papers_at_all_is_no_view(any_installation: Installation) -> None:
    assert trending(any_installation, Span.WEEK) is None


@pytest.fixture
def post(any_installation: Installation) -> Installation:
    """An installation with twelve papers of a day, of which two trend."""
    invented = fill(any_installation, [DAY])
    give(any_installation, invented[10], 87)
    vote_up(any_installation, invented[6], 5)
    return any_installation


def mailed(installation: Installation, email: str) -> tuple[str, str]:
    """Text and HTML of the digest of DAY, as it is mailed."""
    compose_all_of(installation, DAY, only=email)
    send(installation)
    (path,) = installation.settings.mail_folder.glob(f"*{email}*.eml")
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, page = (body.get_content() for body in bodies if body is not None)
    return text, page


def ranked(installation: Installation, email: str) -> list[dict[str, Any]]:
    return explain(installation, email, DAY)


def test_who_named_nothing_is_mailed_what_trends_and_told_how_to_name_interests(
    post: Installation,
) -> None:
    email = join(post, "nobody", size=4)
    text, page = mailed(post, email)
    assert text.index("\nTrending\n--------\n") < text.index("Why: 87 upvotes on Hugging Face")
    assert text.index("Why: 87 upvotes") < text.index("Why: 5 readers voted this up")
    assert text.index("Why: 5 readers") < text.index("\nAlso new\n--------\n")
    assert text.count("Why: one of the newest papers") == 2
    assert "nothing is known of your interests" in text
    assert "you have named no interests" in text
    address = text.split("Preferences: ")[1].split()[0]
    assert page.count(f'href="{address}"') == 3
    assert all(words in page for words in (">Trending<", ">Also new<", "add your interests"))


def test_where_nothing_trends_the_newest_are_mailed_and_said_to_be(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY - timedelta(days=1), DAY])
    email = join(any_installation, "nobody", size=12)
    text, page = mailed(any_installation, email)
    assert "The newest papers: nothing trends" in text
    assert "The newest papers: nothing trends" in page
    assert "\nTrending" not in text
    assert text.count("Why: one of the newest papers") == 12
    assert text.count("7 April 2026\n") == 13  # each paper's line and the heading


def test_muted_terms_alone_are_no_interest_and_still_mute(post: Installation) -> None:
    email = join(post, "muted", muted=["auctions"], size=12)
    reasons = [choice["reasons"] for choice in ranked(post, email)]
    assert reasons[0] == ["5 readers voted this up"]
    assert len(reasons) == 8
    assert ["87 upvotes on Hugging Face"] not in reasons


@pytest.mark.parametrize("known_by", ["a keyword", "a vote"])
def test_who_is_known_is_mailed_no_trending_section(post: Installation, known_by: str) -> None:
    email = join(post, "ada", *(["graph neural networks"] if known_by == "a keyword" else []))
    if known_by == "a vote":
        vote.cast_by_command(post, email, "2604.07000", "up")
    best = ranked(post, email)[0]
    assert best["title"].startswith("Graph")
    text, _ = mailed(post, email)
    assert "\nTrending\n" not in text
    assert "Ranked for you from" in text


def test_a_keyword_outweighs_any_trend_and_the_trend_is_told_as_a_fact(post: Installation) -> None:
    give(post, Invented("2604.07000", "graph", DAY), 400)
    email = join(post, "ada", "speech recognition", size=12)
    found = ranked(post, email)
    assert all(choice["title"].startswith("Speech") for choice in found[:4])
    told = [reason for choice in found for reason in choice["reasons"]]
    assert "popular with other readers" not in told
    assert "400 upvotes on Hugging Face" in told


def test_a_trending_digest_stays_what_it_was_when_it_was_composed(post: Installation) -> None:
    email = join(post, "nobody", size=4)
    compose_all_of(post, DAY, only=email)
    give(post, Invented("2604.07000", "graph", DAY), 400)
    vote.cast_by_command(post, email, "2604.07001", "up")
    text, _ = mailed(post, email)
    assert "Why: 87 upvotes on Hugging Face" in text
    assert "400 upvotes" not in text
    assert "\nTrending\n" in text
