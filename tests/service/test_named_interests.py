"""Several interests kept apart: how they are stored, and what they make of a digest."""

from collections import Counter
from datetime import date

import pytest
from invented import fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, explain, interests, likes, subscribe, vote
from paperpost.service.installation import Installation
from paperpost.service.interests import Change, percents, rest_share
from paperpost.service.wishes import InvalidWish, checked
from paperpost.store import digests, subscribers
from paperpost.store.named_interests import Named
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Subscriber

DAY = date(2026, 4, 7)
KEYWORD, AUTHOR = InterestKind.KEYWORD, InterestKind.AUTHOR


def person(installation: Installation, email: str) -> Subscriber:
    with installation.database.reading() as session:
        return account.named(session, email)


def number_of(installation: Installation, email: str) -> int:
    return id_of(person(installation, email))


def keywords(installation: Installation, number: int) -> dict[str, list[str]]:
    own = interests.interests(installation, number)
    found = {one.name: list(one.terms.get(KEYWORD, ())) for one in own.named}
    return found | {"": list(own.general.get(KEYWORD, ()))}


def topics(found: list[dict[str, object]]) -> Counter[str]:
    return Counter(str(one["title"]).split(maxsplit=1)[0].lower() for one in found)


def test_a_named_interest_takes_its_terms_from_the_general_ones(
    any_installation: Installation,
) -> None:
    ada = number_of(any_installation, join(any_installation, "ada", "graphs", "speech"))
    number = interests.add(
        any_installation, ada, " The\x00  sis ", 40, {KEYWORD: ["speech", "prosody"]}
    )
    assert keywords(any_installation, ada) == {
        "The sis": ["speech", "prosody"],
        "": ["graphs"],
    }
    own = interests.interests(any_installation, ada)
    assert own.percents == (40, 60)
    interests.move(any_installation, ada, KEYWORD, "graphs", number)
    assert keywords(any_installation, ada) == {"The sis": ["graphs", "speech", "prosody"], "": []}
    assert interests.interests(any_installation, ada).percents == (100, 0)
    interests.move(any_installation, ada, KEYWORD, "prosody", None)
    assert keywords(any_installation, ada)[""] == ["prosody"]


def test_a_removed_interest_leaves_its_terms_behind(any_installation: Installation) -> None:
    ada = number_of(any_installation, join(any_installation, "ada", "graphs"))
    number = interests.add(any_installation, ada, "Thesis", 40, {KEYWORD: ["speech"]})
    assert interests.remove(any_installation, ada, number).name == "Thesis"
    assert keywords(any_installation, ada) == {"": ["graphs", "speech"]}
    with pytest.raises(InvalidWish, match="no longer there"):
        interests.remove(any_installation, ada, number)


def test_changes_are_made_all_or_none(any_installation: Installation) -> None:
    ada = number_of(any_installation, join(any_installation, "ada", "graphs"))
    first = interests.add(any_installation, ada, "Thesis", 40, {KEYWORD: ["speech"]})
    second = interests.add(any_installation, ada, "Teaching", 10, {})
    interests.change(
        any_installation,
        ada,
        {
            first: Change(name="Doctorate", share=70, terms={KEYWORD: ["speech", "games"]}),
            second: Change(terms={KEYWORD: ["graphs"]}),
            None: Change(terms={KEYWORD: ["graphs", "oceans"]}),
        },
    )
    before = {"Doctorate": ["speech", "games"], "Teaching": ["graphs"], "": ["oceans"]}
    assert keywords(any_installation, ada) == before
    with pytest.raises(InvalidWish, match="already"):
        interests.change(
            any_installation,
            ada,
            {first: Change(terms={KEYWORD: []}), second: Change(name="doctorate")},
        )
    assert keywords(any_installation, ada) == before


@pytest.mark.parametrize(
    ("name", "share", "why"),
    [
        ("", 10, "needs a name"),
        (" \x00 ", 10, "needs a name"),
        ("x" * 61, 10, "at most 60 characters"),
        ("THESIS", 10, "already"),
        ("Teaching", 0, "from 1 to 100"),
        ("Teaching", 101, "from 1 to 100"),
    ],
)
def test_what_cannot_be_an_interest_is_refused(
    installation: Installation, name: str, share: int, why: str
) -> None:
    ada = number_of(installation, join(installation, "ada"))
    interests.add(installation, ada, "Thesis", 40, {})
    with pytest.raises(InvalidWish, match=why):
        interests.add(installation, ada, name, share, {})
    assert len(interests.interests(installation, ada).named) == 1


def test_there_are_at_most_eight_and_fifty_terms_of_a_kind(installation: Installation) -> None:
    ada = number_of(installation, join(installation, "ada"))
    for number in range(8):
        interests.add(installation, ada, f"interest {number}", 10, {KEYWORD: [f"word {number}"]})
    with pytest.raises(InvalidWish, match="at most 8"):
        interests.add(installation, ada, "another", 10, {})
    many = [f"term {number}" for number in range(43)]
    with pytest.raises(InvalidWish, match="at most 50"):
        interests.change(installation, ada, {None: Change(terms={KEYWORD: many})})


def test_nobody_touches_the_interests_of_another(installation: Installation) -> None:
    ada = number_of(installation, join(installation, "ada", "graphs"))
    ben = number_of(installation, join(installation, "ben", "speech"))
    number = interests.add(installation, ada, "Thesis", 40, {KEYWORD: ["graphs"]})
    for attempt in (
        lambda: interests.remove(installation, ben, number),
        lambda: interests.move(installation, ben, KEYWORD, "speech", number),
        lambda: interests.move(installation, ben, KEYWORD, "graphs", None),
        lambda: interests.change(installation, ben, {number: Change(name="mine")}),
    ):
        with pytest.raises(InvalidWish):
            attempt()
    assert keywords(installation, ada) == {"Thesis": ["graphs"], "": []}


def test_plain_preferences_keep_which_interest_a_term_belongs_to(
    any_installation: Installation,
) -> None:
    email = join(any_installation, "ada", "graphs", "games")
    ada = number_of(any_installation, email)
    interests.add(any_installation, ada, "Thesis", 40, {KEYWORD: ["speech", "prosody"]})
    wanted = checked({"keywords": "oceans\nprosody\ngraphs\nspeech", "authors": "Emmy Noether"})
    account.change(any_installation, ada, wanted)
    assert keywords(any_installation, ada) == {
        "Thesis": ["prosody", "speech"],
        "": ["oceans", "graphs"],
    }
    subscribe.by_command(any_installation, email, checked({"keywords": ["speech"]}), confirmed=True)
    assert keywords(any_installation, ada) == {"Thesis": ["speech"], "": []}


def test_the_export_has_them_and_deletion_takes_them(any_installation: Installation) -> None:
    email = join(any_installation, "ada", "graphs", authors="Emmy Noether", muted="crypto")
    ada = number_of(any_installation, email)
    interests.add(any_installation, ada, "Thesis", 40, {KEYWORD: ["speech"]})
    likes.forget(any_installation, ada, ["toy"])
    assert account.export(any_installation, email)["interests"] == {
        "keywords": ["graphs", "speech"],
        "authors": ["Emmy Noether"],
        "categories": [],
        "muted": ["crypto"],
        "forgotten": ["toy"],
        "named": [
            {
                "name": "Thesis",
                "share": 40,
                "keywords": ["speech"],
                "authors": [],
                "categories": [],
            }
        ],
    }
    account.delete(any_installation, email)
    with any_installation.database.reading() as session:
        assert not subscribers.by_id(session, [ada])
    assert not interests.interests(any_installation, ada).named


def test_what_is_left_of_a_hundred_is_the_rests() -> None:
    assert rest_share([]) == 100
    assert rest_share([Named(1, "a", 30, {}), Named(2, "b", 20, {})]) == 50
    assert rest_share([Named(1, "a", 100, {}), Named(2, "b", 90, {})]) == 22
    for asked in range(90, 800):
        rest = rest_share([Named(1, "a", asked, {})])
        assert percents([asked, rest])[-1] in (10, 11)


def test_percents_always_make_a_hundred() -> None:
    assert percents([1, 1, 1]) == (34, 33, 33)
    assert percents([100, 90, 10]) == (50, 45, 5)
    assert percents([7, 0]) == (100, 0)
    assert percents([0, 0]) == (0, 0)


def test_a_digest_is_divided_and_says_for_what_each_paper_is(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY], each=12)
    email = join(any_installation, "ada", "auctions", size=10, explore="no")
    ada = number_of(any_installation, email)
    interests.add(any_installation, ada, "The <b>sis", 50, {KEYWORD: ["graph neural networks"]})
    interests.add(any_installation, ada, "Speech", 30, {KEYWORD: ["speech recognition"]})
    found = explain.explain(any_installation, email, DAY)
    assert topics(found) == {"graph": 5, "speech": 3, "game": 2}
    assert [one["interest"] for one in found[:4]] == ["The <b>sis", "Speech", "", "The <b>sis"]
    assert found[0]["reasons"][0] == "for your interest “The <b>sis”"
    assert compose_all_of(any_installation, DAY) == {"queued": 1}
    with any_installation.database.reading() as session:
        digest = digests.of_date(session, ada, DAY)
    assert digest is not None
    assert [item["interest"] for item in digest.items] == [one["interest"] for one in found]
    assert [item["reasons"] for item in digest.items] == [one["reasons"] for one in found]


def test_whoever_keeps_nothing_apart_gets_the_same_as_before(installation: Installation) -> None:
    """Also beside somebody who does, and with a single named interest."""
    days = [date(2026, 4, 5), date(2026, 4, 6)]
    liked = fill(installation, days)
    fill(installation, [DAY], each=12)
    ada = join(installation, "ada", "auctions", "graph neural networks")
    for paper in liked[::5]:
        vote.cast_by_command(installation, ada, paper.id, "up")
    before = explain.explain(installation, ada, DAY)
    ben = number_of(installation, join(installation, "ben", "auctions"))
    interests.add(installation, ben, "Thesis", 50, {KEYWORD: ["graph neural networks"]})
    number = number_of(installation, ada)
    interests.add(installation, number, "Empty", 50, {})
    assert explain.explain(installation, ada, DAY) == before
    compose_all_of(installation, DAY)
    exported = account.export(installation, ada)["digests"][0]["papers"]
    assert exported == [one["paper"] for one in before]
    everything = {KEYWORD: ["auctions", "graph neural networks"]}
    interests.add(installation, number, "All", 50, everything)
    alone = explain.explain(installation, ada, DAY)
    assert [one["paper"] for one in alone] == [one["paper"] for one in before]
    assert not any(one["interest"] for one in alone)


def test_a_vote_counts_for_the_interest_that_it_is_near(installation: Installation) -> None:
    older = fill(installation, [date(2026, 4, 6)])
    fill(installation, [DAY], each=12)
    email = join(installation, "ada", size=10, explore="no")
    ada = number_of(installation, email)
    interests.add(installation, ada, "Thesis", 50, {KEYWORD: ["graph neural networks"]})
    interests.add(installation, ada, "Speech", 50, {KEYWORD: ["speech recognition"]})
    liked = next(paper for paper in older if paper.topic == "speech")
    vote.cast_by_command(installation, email, liked.id, "up")
    found = explain.explain(installation, email, DAY)
    assert topics(found) == {"graph": 5, "speech": 5}
    close = [one["interest"] for one in found if "which you liked" in str(one["reasons"])]
    assert set(close) == {"Speech"}


def test_the_threshold_holds_for_each_paper_of_a_divided_digest(
    installation: Installation,
) -> None:
    fill(installation, [DAY], each=6)
    email = join(installation, "ada", "auctions", size=10, explore="no")
    ada = number_of(installation, email)
    wishes = {KEYWORD: ["graph neural networks", "graph study"]}  # which fit both a little less
    interests.add(installation, ada, "Thesis", 50, wishes)
    found = explain.explain(installation, email, DAY)
    least = max(one["probability"] for one in found)
    with installation.database.writing() as session:
        row = account.named(session, email)
        row.threshold = least
        session.add(row)
    passing = explain.explain(installation, email, DAY)
    assert len(passing) == 6
    assert all(one["probability"] >= least for one in passing)
    assert len(explain.explain(installation, email, DAY, 12)) == 12
    with installation.database.writing() as session:
        row.threshold = 0.99
        session.add(row)
    assert compose_all_of(installation, DAY) == {"silent": 1}
    mails = account.export(installation, email)["mails"]
    assert [mail["reply"] for mail in mails] == [
        "None of 18 new papers reached your threshold of 99 %."
    ]


def test_a_divided_digest_may_end_outside_the_usual(installation: Installation) -> None:
    fill(installation, [DAY], each=12)
    email = join(installation, "ada", size=6)
    ada = number_of(installation, email)
    interests.add(installation, ada, "Thesis", 50, {KEYWORD: ["graph neural networks"]})
    found = explain.explain(installation, email, DAY)
    assert len(found) == len({one["paper"] for one in found}) == 6
    assert [one["explored"] for one in found] == [False] * 5 + [True]
    assert found[-1]["interest"] == ""
