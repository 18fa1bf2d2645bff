import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from recommender import text
from recommender.matrices import entries, sparse_rows
from recommender.text import fold, learn_terms, learn_weights, phrases, terms


def test_acronyms_numbers_with_letters_and_hyphenated_words_stay_whole() -> None:
    found = terms("GPT-4 and 3D LLMs: self-supervised, in C++.")
    assert {"gpt-4", "3d", "llm", "self-supervised", "c++"} <= set(found)


def test_two_words_make_a_term_only_when_they_are_neighbours() -> None:
    found = terms("Graph neural networks of the state. Art in Paris")
    assert {"graph neural", "neural network"} <= set(found)
    assert not {"network state", "state art", "art paris"} & set(found)


def test_bare_numbers_links_and_latex_commands_are_no_terms() -> None:
    found = terms(r"In 2024 \textbf{Schr\"odinger} saw $\alpha$ at https://example.org/cat 95.3")
    assert found == ["schrodinger", "saw", "schrodinger saw"]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("networks", "network"),
        ("studies", "study"),
        ("losses", "loss"),
        ("boxes", "box"),
        ("bias", "bias"),
        ("analysis", "analysis"),
        ("corpus", "corpus"),
        ("class", "class"),
        ("gas", "gas"),
        ("llms", "llm"),
    ],
)
def test_plurals_are_folded_onto_singulars(plural: str, singular: str) -> None:
    assert fold(plural) == singular


@given(st.text())
def test_any_text_gives_terms_that_stand_in_it(text: str) -> None:
    for written, term in phrases(text):
        assert written
        assert term == term.strip() != ""


@given(st.text(st.sampled_from("aAsS1-.,+#_ \n\\"), max_size=60) | st.text())
def test_the_quick_way_to_the_terms_finds_those_of_the_phrases(text: str) -> None:
    assert terms(text) == [term for _, term in phrases(text)]


def test_three_papers_have_a_vocabulary() -> None:
    known, counts = learn_terms(["one protein", "two robots", "three cells"])
    assert "protein" in known
    assert counts.shape == (3, len(known))


def test_a_term_of_a_single_paper_is_dropped_from_a_large_corpus() -> None:
    texts = [f"protein folding unique{number}" for number in range(200)]
    assert learn_terms(texts)[0] == ("folding", "protein", "protein folding")


@pytest.mark.parametrize("texts", [[], [""], ["the of and"], ["", "1 2 3"]])
def test_texts_without_words_have_no_terms(texts: list[str]) -> None:
    known, counts = learn_terms(texts)
    assert known == ()
    assert counts.shape == (len(texts), 0)


def test_a_corpus_whose_terms_are_all_too_rare_has_none() -> None:
    assert learn_terms([f"unique{number}" for number in range(150)])[0] == ()


def test_the_vocabulary_keeps_the_most_frequent_terms() -> None:
    assert learn_terms(["cell cell gene", "cell gene", "cell"], limit=1)[0] == ("cell",)


def test_weights_are_those_of_scikit_learn() -> None:
    counts = sparse_rows(np.array([[3, 0, 1], [0, 2, 1], [1, 1, 1]]))
    ours = learn_weights(("a", "b", "c"), counts).weigh(counts)
    theirs = TfidfTransformer(sublinear_tf=True).fit_transform(
        np.array([[3, 0, 1], [0, 2, 1], [1, 1, 1]])
    )
    assert np.allclose(ours @ np.eye(3), theirs.toarray(), atol=1e-6)


def test_a_paper_of_unknown_words_has_a_row_of_zeros() -> None:
    known, counts = learn_terms(["protein folding", "protein binding"])
    rows = learn_weights(known, counts)
    tfidf = rows.weigh(rows.count(["entirely different", "protein"]))
    assert entries(tfidf, 0)[0].size == 0
    assert np.isclose(np.linalg.norm(entries(tfidf, 1)[1]), 1)


def test_terms_are_learnt_from_the_first_texts_and_counted_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text, "MOST_TEXTS", 2)
    monkeypatch.setattr(text, "_TEXTS_AT_ONCE", 2)
    texts = ["cat dog", "dog", "dog dog bird", "bird", "cat"]
    known, counts = learn_terms(texts)
    assert known == ("cat", "cat dog", "dog")
    assert counts.shape == (5, 3)
    assert (counts @ np.eye(3)).tolist() == [[1, 1, 1], [0, 0, 1], [0, 0, 2], [0, 0, 0], [1, 0, 0]]
