"""Papers beside their readers' evidence, many at once: the same as one by one, written plainly."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from two_topics import model, papers

from recommender.batch import Batch
from recommender.closeness import Compared, compared
from recommender.matrices import Floats, Integers, SparseRows, entries
from recommender.paper_terms import PaperTerms
from recommender.profile import Interests, Profiles, Reader, Vote
from recommender.telling import distinct, telling

READERS = [
    Reader("both", Interests(("helix", "gait")), (Vote("paper/0", 1), Vote("paper/1", -1))),
    Reader("nothing"),
    Reader("many", votes=tuple(Vote(f"paper/{number}", 1) for number in range(40))),
    Reader("forgetful", Interests(("gait",), forgotten=("robot",)), (Vote("paper/1", 1),)),
    Reader("dislikes", votes=(Vote("paper/2", -1),)),
]
MANY = papers(50, seed=3, prefix="many")  # more than are laid out at once
LISTS = [[4, 3, 9], [0, 1], list(range(50))[::-1], [7, 3, 1, 5], []]


def profiles_and_batch() -> tuple[Profiles, Batch]:
    return model().profiles(READERS, model().batch(papers(80))), model().batch(MANY)


def dense(rows: SparseRows) -> Floats:
    return np.asarray(rows @ np.eye(rows.shape[1]), dtype=np.float32)


def evidence_of(profiles: Profiles, reader: int) -> tuple[Integers, Floats, Floats]:
    """The items that add to a profile, their TF-IDF and their factors."""
    items, weights = entries(profiles.vectors.weights, reader)
    items = items[weights > 0]
    words, factors = profiles.evidence.of(items, profiles.forgotten.get(reader))
    return items, dense(words), factors


def terms_of(found: Compared, rank: int) -> list[tuple[int, float]]:
    shared = int(found.shared[rank])
    places, strengths = found.places[rank, :shared], found.strengths[rank, :shared]
    return list(zip(places.tolist(), strengths.tolist(), strict=True))


def test_cosines_are_the_mean_of_those_in_words_and_in_factors() -> None:
    profiles, batch = profiles_and_batch()
    for reader, found in enumerate(compared(profiles, batch, LISTS)):
        items, words, factors = evidence_of(profiles, reader)
        listed = LISTS[reader]
        in_words = words @ dense(batch.tfidf)[listed].T
        expected = (in_words + factors @ batch.factors[listed].T) / 2
        assert found.items.tolist() == items.tolist()
        assert found.cosines == pytest.approx(expected, abs=1e-6)


def test_terms_come_by_what_they_add_those_of_liked_papers_first() -> None:
    profiles, batch = profiles_and_batch()
    tfidf = dense(batch.tfidf)
    for reader, found in enumerate(compared(profiles, batch, LISTS)):
        items, words, _ = evidence_of(profiles, reader)
        liked = words[items < len(profiles.evidence.library)].sum(axis=0) > 0
        profile = dense(profiles.whole.tfidf)[reader]
        for rank, paper in enumerate(LISTS[reader]):
            row = entries(batch.tfidf, paper)[0]
            columns = row[batch.telling_terms(paper).places]
            products = profile[columns] * tfidf[paper, columns]
            adding = [place for place in range(len(columns)) if products[place] > 0]
            adding.sort(key=lambda place: (not liked[columns[place]], -products[place], place))
            told = terms_of(found, rank)
            assert [place for place, _ in told] == adding
            assert [strength for _, strength in told] == products[adding].tolist()
            assert found.liked[rank] == liked[columns[adding]].sum()


def test_the_telling_terms_of_a_paper_are_those_that_tell_of_it_as_it_spells_them() -> None:
    batch = model().batch(MANY)
    for paper in range(len(batch)):
        columns = entries(batch.tfidf, paper)[0].tolist()
        found = batch.telling_terms(paper)
        told = [columns[place] for place in found.places]
        assert told == telling(batch, paper, columns)
        assert found.names == batch.as_written(paper, told)


def test_distinct_terms_are_those_found_by_comparing_each_with_each() -> None:
    words = ("x", "y", "z")
    phrases = [*words, *(" ".join(pair) for pair in product(words, words)), "x-y", "y-z x"]
    batch = replace(model().batch(MANY), terms=tuple(phrases))
    plain = tuple(f" {phrase.replace('-', ' ')} " for phrase in phrases)
    terms = PaperTerms(np.arange(len(plain), dtype=np.int32), tuple(phrases), plain)
    rng = np.random.default_rng(1)
    for turn in range(300):
        order = rng.permutation(len(plain)).tolist()
        known = [phrases[order[0]]] if turn % 2 else []
        most = int(rng.integers(1, 4))
        found = terms.distinct(order, [plain[order[0]]] if known else [], most)
        assert found == distinct(batch, order, known, most)
