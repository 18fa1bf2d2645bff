import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.phrases import PhraseIndex, normal_name, normal_phrase
from recommender.text import Paper

PAPER = Paper(
    "1",
    "Self-supervised Graph Neural Networks",
    "Migration of birds. We study GPT-4 in C++.",
    authors=("Ada Lovelace", "René Descartes"),
    categories=("cs.LG", "cs.CL"),
)
INDEX = PhraseIndex([PAPER])


@pytest.mark.parametrize(
    "phrase",
    ["graph neural network", "GRAPH NEURAL", "self supervised", "gpt-4", "GPT 4", "c++"],
)
def test_a_phrase_is_found_in_any_case_number_and_hyphenation(phrase: str) -> None:
    assert INDEX.with_phrase(phrase) == [0]


@pytest.mark.parametrize(
    "phrase", ["rat", "graph networks", "networks migration", "c", "", "  ", "!?", "gpt-5"]
)
def test_a_phrase_is_found_only_word_by_word_and_within_title_or_abstract(phrase: str) -> None:
    assert INDEX.with_phrase(phrase) == []


@pytest.mark.parametrize(
    "name", ["ada lovelace", "Lovelace, Ada", "  Ada   LOVELACE ", "Rene Descartes"]
)
def test_an_author_is_found_whatever_accents_capitals_and_order(name: str) -> None:
    assert INDEX.by_author(name) == [0]


@pytest.mark.parametrize("name", ["Lovelace", "Ada", "Ada King Lovelace", "", ","])
def test_part_of_a_name_is_not_an_author(name: str) -> None:
    assert INDEX.by_author(name) == []


def test_a_category_is_found_whether_first_or_later() -> None:
    assert INDEX.in_category("CS.cl") == [0]
    assert INDEX.in_category("cs") == []


def test_the_index_of_a_part_has_the_places_of_its_papers_alone() -> None:
    others = [Paper(str(number), f"Graph neural work {number}") for number in range(4)]
    index = PhraseIndex([*others, PAPER]).part(np.array([1, 3, 4]))
    assert index.where("graph neural").tolist() == [0, 1, 2]
    assert index.holders("GPT-4") == {2}
    assert index.with_phrase("work 0") == []
    assert index.by_author("Lovelace, Ada") == index.in_category("CS.cl") == [2]
    assert index.muted_by("cs.lg") == [2]


def test_a_muted_term_is_a_phrase_an_author_or_a_category() -> None:
    for term in ("graph neural", "Ada Lovelace", "cs.LG"):
        assert 0 in INDEX.muted_by(term)
    assert INDEX.muted_by("robotics") == []


@given(st.text(min_size=1), st.text())
def test_a_paper_holds_its_own_title_as_a_phrase(title: str, abstract: str) -> None:
    index = PhraseIndex([Paper("1", title, abstract)])
    assert index.with_phrase(title) == ([0] if normal_phrase(title) else [])


@given(st.text())
def test_a_name_is_normalised_once_and_for_all(name: str) -> None:
    if "," not in name:
        assert normal_name(normal_name(name)) == normal_name(name)
