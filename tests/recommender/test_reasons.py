import re

import numpy as np
import pytest
from two_topics import model, papers, today

from recommender.explain import Reason, sentence
from recommender.model import Model
from recommender.phrases import normal_phrase
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, rank
from recommender.text import Paper, terms

LIKES = (Vote("paper/0", 1), Vote("paper/2", 1), Vote("paper/1", -1))
EVERYTHING = Interests(("helix", "protein folding"), ("Author Number3",), ("CS.ro",))


def ranked(reader: Reader, candidates: tuple[Paper, ...] = today()) -> list[Ranked]:
    profiles = model().profiles([reader], model().batch(papers(80)))
    return rank(profiles, model().batch(candidates), limit=100)[0]


def reasons(reader: Reader, kind: str) -> list[tuple[Paper, Reason]]:
    return [
        (today()[one.place], reason)
        for one in ranked(reader)
        for reason in one.reasons
        if reason.kind == kind
    ]


def test_every_paper_has_a_reason_and_none_more_than_three() -> None:
    for reader in (Reader("a", EVERYTHING, LIKES), Reader("b", votes=LIKES), Reader("c")):
        assert all(1 <= len(one.reasons) <= 3 for one in ranked(reader))


def test_a_followed_author_is_named_as_the_paper_names_them() -> None:
    found = reasons(Reader("ada", Interests(authors=("number3, AUTHOR",))), "author")
    assert [(paper.id, sentence(reason)) for paper, reason in found] == [
        ("new/3", "by Author Number3, whom you follow")
    ]


def test_a_followed_category_is_one_of_the_paper() -> None:
    found = reasons(Reader("ada", Interests(categories=("CS.ro",))), "category")
    assert len(found) == 10
    assert all(reason.names[0] in paper.categories for paper, reason in found)
    assert sentence(found[0][1]) == "in cs.RO, which you follow"


def test_a_keyword_that_matches_stands_in_the_paper() -> None:
    found = reasons(Reader("ada", EVERYTHING), "keyword")
    exact = [(paper, reason) for paper, reason in found if reason.degree == "found"]
    assert exact
    for paper, reason in exact:
        assert normal_phrase(reason.names[0]) in normal_phrase(paper.title) + normal_phrase(
            paper.abstract
        )


def test_a_keyword_that_does_not_stand_in_the_paper_is_only_called_close() -> None:
    found = reasons(Reader("ada", EVERYTHING), "keyword")
    for paper, reason in found:
        if reason.degree != "found":
            assert normal_phrase(reason.names[0]) not in normal_phrase(paper.abstract)
            assert reason.strength > 0


def test_shared_terms_stand_in_the_paper_and_in_a_liked_one_and_add_to_the_score() -> None:
    ada = Reader("ada", votes=LIKES)
    batch = model().batch(today())
    profiles = model().profiles([ada], model().batch(papers(80)))
    profile = profiles.whole.tfidf @ np.eye(len(batch.terms))
    liked = {term for paper in (papers(80)[0], papers(80)[2]) for term in terms(paper.text)}
    found = reasons(ada, "terms")
    assert found
    for paper, reason in found:
        for name in reason.names:
            (column,) = [batch.terms.index(term) for term in terms(name)[-1:]]
            assert name in paper.text
            assert batch.terms[column] in liked
            assert profile[0, column] > 0


def test_shared_terms_do_not_repeat_each_other_or_the_keyword() -> None:
    for _, reason in reasons(Reader("ada", EVERYTHING, LIKES), "terms"):
        phrases = [normal_phrase(name) for name in reason.names]
        for phrase in phrases:
            assert sum(phrase in other for other in phrases) == 1
            assert phrase != " helix "


def test_the_liked_paper_named_is_the_nearest_of_those_liked() -> None:
    ada = Reader("ada", votes=LIKES)
    twin = Paper("twin", "A twin", papers(80)[2].abstract)
    (one,) = [one for one in ranked(ada, (*today(), twin)) if one.paper_id == "twin"]
    (reason,) = [reason for reason in one.reasons if reason.kind == "liked"]
    assert reason.paper_id == "paper/2"
    assert sentence(reason) == f"close to “{papers(80)[2].title}”, which you liked"


def test_a_paper_is_not_called_close_to_itself() -> None:
    ada = Reader("ada", votes=LIKES)
    (itself,) = [one for one in ranked(ada, papers(80)) if one.paper_id == "paper/2"]
    assert all(reason.paper_id != "paper/2" for reason in itself.reasons)


def test_a_paper_voted_down_is_never_called_liked() -> None:
    for _, reason in reasons(Reader("ada", EVERYTHING, LIKES), "liked"):
        assert reason.paper_id in ("paper/0", "paper/2")


def test_a_reader_who_only_votes_down_is_told_so() -> None:
    ada = Reader("ada", votes=(Vote("paper/1", -1),))
    assert sentence(ranked(ada)[0].reasons[0]) == "unlike what you voted down"


def test_a_reader_of_whom_nothing_is_known_is_told_so() -> None:
    assert ranked(Reader("ben"))[0].reasons == (Reason("new"),)


def test_popular_papers_are_called_popular_to_a_reader_of_whom_nothing_is_known() -> None:
    profiles = model().profiles([Reader("ben")], model().batch([]))
    votes = np.zeros(20)
    votes[4] = 3
    best = rank(profiles, model().batch(today()), limit=1, popularity=votes)[0][0]
    assert best.place == 4
    assert best.reasons == (Reason("popular"),)


def test_sentences_hold_no_paper_id_and_no_line_break() -> None:
    ada = Reader("ada", Interests(("helix\nturn", "protein  folding"), ("Author Number3",)), LIKES)
    for one in ranked(ada):
        for reason in one.reasons:
            assert not re.search(r"(paper|new)/\d|\n", sentence(reason))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason("keyword", ("x y",)), "matches “x y”"),
        (Reason("keyword", ("x",), degree="close"), "close to your keyword “x”"),
        (Reason("keyword", ("x",), degree="nearest"), "of your interests, nearest to “x”"),
        (Reason("terms", ("x", "y")), "shares “x”, “y” with what you like"),
        (Reason("terms", ("x",), shared_with="keywords"), "shares “x” with your keywords"),
        (Reason("liked", ("T",), degree="nearest"), "of what you liked, nearest to “T”"),
        (
            Reason("liked", ("word " * 30,), degree="close"),
            f"close to “{('word ' * 16).strip()}…”, which you liked",
        ),
    ],
)
def test_each_reason_reads_as_a_sentence(reason: Reason, expected: str) -> None:
    assert sentence(reason) == expected


def test_no_reason_names_what_papers_in_general_say() -> None:
    texts = ("enzyme kinetics", "speech dialects", "auction equilibria", "lattice codes")
    fitted = Model.fit(
        [Paper(topic, f"On {topic}", f"Results suggest that {topic} matter.") for topic in texts],
        [],
    )
    liked = fitted.batch([Paper("liked", "On enzyme kinetics", "Results suggest enzyme kinetics.")])
    today = fitted.batch(
        [
            Paper("new", "Enzyme kinetics again", "Results suggest that enzyme kinetics matter."),
            Paper("other", "Lattice codes again", "Lattice codes matter."),
        ]
    )
    reader = Reader("ada", votes=(Vote("liked", 1),))
    ((best, *_),) = rank(fitted.profiles([reader], liked), today, limit=2)
    names = {name.lower() for reason in best.reasons for name in reason.names}
    assert best.paper_id == "new"
    assert any("enzyme" in name for name in names)
    assert not any("result" in name or "suggest" in name for name in names)


@pytest.mark.parametrize(
    "reader",
    [
        Reader("all", EVERYTHING, LIKES),
        Reader("votes", votes=LIKES),
        Reader("two interests", votes=tuple(Vote(f"paper/{n}", 1) for n in range(16))),
    ],
    ids=lambda reader: reader.key,
)
def test_each_reason_stands_on_a_part_of_the_score_that_it_explains(reader: Reader) -> None:
    matched = ("words", "reader", "centroid")
    parts = {"author": ["author"], "category": ["category"], "popular": ["popularity"]}
    for one in ranked(reader):
        for reason in one.reasons:
            if reason.kind == "new":  # says that nothing else is to be said
                assert one.reasons == (reason,)
                continue
            found = reason.kind == "keyword" and reason.degree == "found"
            needed = ["author", "keyword"] if found else parts.get(reason.kind, matched)
            assert any(one.parts.get(name, 0) > 0 for name in needed)


def test_the_terms_named_are_those_that_added_most_to_the_match_of_words() -> None:
    ada = Reader("ada", votes=LIKES)
    batch = model().batch(today())
    profile = model().profiles([ada], model().batch(papers(80))).whole.tfidf @ np.eye(
        len(batch.terms)
    )
    for one in ranked(ada):
        products = (batch.tfidf[[one.place]] @ np.eye(len(batch.terms)))[0] * profile[0]
        for reason in one.reasons:
            if reason.kind == "terms":
                first = max(
                    (column for column, term in enumerate(batch.terms) if is_telling(one, term)),
                    key=lambda column: products[column],
                )
                assert reason.strength >= products[first] - 1e-6


def is_telling(one: Ranked, term: str) -> bool:
    """Whether a reason may name the term: a phrase, or a word of the title."""
    title = normal_phrase(today()[one.place].title)
    return " " in term or f" {term} " in title
