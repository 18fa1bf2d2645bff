"""One work told twice is listed once; two works that look alike are two."""

import gzip
import json
import os
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from two_topics import model, papers

from recommender.duplicates import Comparison, copies, fold, groups, headings_of
from recommender.matrices import Booleans
from recommender.profile import Interests, Reader
from recommender.rank import Ranked, rank
from recommender.text import Paper

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PAPERPOST_DATA", ROOT.parent / "shared" / "data")) / "arxiv"

PREPRINT = Paper(
    "2604.00001",
    "FoldNet: Predicting How Proteins Fold From Sparse Contacts",
    "Proteins fold in milliseconds while simulations take months. We present a network that reads "
    "a few measured contacts and predicts the whole structure. On two benchmarks it halves the "
    "error of the best earlier method and needs a tenth of its time.",
    ("Ada Lovelace", "Emmy Noether"),
)
JOURNAL = replace(
    PREPRINT,
    id="doi:10.1000/fold",
    title="Predicting how proteins fold from sparse contacts",
    abstract=PREPRINT.abstract.replace("We present", "Here we present").replace("halves", "cuts"),
    authors=("A. Lovelace", "E. Noether"),
)
OTHER_ABSTRACT = (
    "Robots stumble where the ground is soft. This paper trains a walker on invented mud and shows "
    "that it crosses real sand, snow and gravel without having seen any of them before."
)


def compared(papers: list[Paper], known: list[Paper]) -> dict[int, list[int]]:
    """As a comparison finds it, which is told the abstracts it asks for."""
    bare = [replace(paper, abstract="") for paper in known]
    return Comparison(papers).copies(bare, lambda asked: [known[place].abstract for place in asked])


def are_one(one: Paper, other: Paper) -> bool:
    assert groups([one, other]) in ((), ((0, 1),))
    assert bool(copies([one], [other])) == bool(groups([one, other]))
    assert compared([one], [other]) == copies([one], [other])
    if copies([one], [other]):
        assert Comparison([one]).suspects(headings_of([other])).tolist() == [0]
    return bool(groups([one, other]))


def test_a_preprint_and_its_journal_version_are_one_work() -> None:
    assert are_one(PREPRINT, JOURNAL)


def test_an_abstract_posted_again_under_another_title_is_one_work() -> None:
    assert are_one(PREPRINT, replace(PREPRINT, id="2605.1", title="Contacts are all one needs"))


def test_one_title_by_one_author_is_one_work_whatever_the_abstract_says() -> None:
    rewritten = replace(PREPRINT, id="2605.1", abstract=OTHER_ABSTRACT)
    assert are_one(PREPRINT, rewritten)
    assert are_one(PREPRINT, replace(rewritten, abstract=""))


def test_one_title_by_unknown_authors_needs_an_abstract_like_it() -> None:
    nameless = replace(JOURNAL, title=PREPRINT.title, authors=())
    assert are_one(PREPRINT, nameless)
    assert not are_one(PREPRINT, replace(nameless, abstract=OTHER_ABSTRACT))


def test_other_authors_make_another_work() -> None:
    assert not are_one(PREPRINT, replace(PREPRINT, id="2605.1", authors=("Sofia Kovalevskaya",)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("On the Folding of Proteins, Part I", "On the Folding of Proteins, Part II"),
        ("LLaMA 2: Open Foundation Models", "LLaMA 3: Open Foundation Models"),
        ("Qwen v1.5 Technical Report", "Qwen v1.6 Technical Report"),
        ("The First Challenge on Mud Walking", "The Second Challenge on Mud Walking"),
        ("Findings of the Shared Task 2025", "Findings of the Shared Task 2026"),
    ],
)
def test_another_number_in_the_title_makes_another_work(one: str, other: str) -> None:
    again = replace(PREPRINT, id="2605.1", title=other)
    assert not are_one(replace(PREPRINT, title=one), again)
    assert are_one(replace(PREPRINT, title=one), replace(again, title=one))


def test_titles_alike_do_not_make_one_work_of_two_abstracts() -> None:
    sibling = replace(PREPRINT, id="2605.1", abstract=OTHER_ABSTRACT)
    title = PREPRINT.title.replace("Sparse Contacts", "Sparse Noisy Contacts")
    assert not are_one(PREPRINT, replace(sibling, title=title))


@pytest.mark.parametrize(
    ("title", "abstract"),
    [("Editorial", ""), ("A note", "This paper has been withdrawn by the author."), ("", "")],
)
def test_what_says_nothing_is_no_copy(title: str, abstract: str) -> None:
    short = replace(PREPRINT, title=title, abstract=abstract)
    assert not are_one(short, replace(short, id="2605.1"))


def test_copies_of_copies_are_one_group() -> None:
    third = replace(JOURNAL, id="pmid:1", title="Contacts are all one needs")
    unrelated = papers(6)
    assert groups([PREPRINT, *unrelated, JOURNAL, third]) == ((0, 7, 8),)
    assert groups([]) == groups(unrelated) == ()


def test_a_paper_is_no_copy_of_itself() -> None:
    assert copies([PREPRINT, JOURNAL], [PREPRINT]) == {1: [0]}


def test_folding_keeps_the_best_copy_of_each_reader_and_the_first_of_equals() -> None:
    gone = -np.inf
    totals = np.array([[1.0, 5, 2], [3, 1, 3], [gone, 1, 2], [gone, 1, gone]])
    kept = [[gone, 5, 2], [3, 1, gone], [gone, 1, 2], [gone, 1, gone]]
    assert fold(totals, [(0, 2)]).tolist()[1:] == kept[1:]
    assert fold(totals, [(0, 2)]).tolist()[0] == [gone, 5, 2]
    assert fold(totals, [(0, 1, 2)]).tolist()[0] == [gone, 5, gone]


def listed(limit: int = 100, allowed: Booleans | None = None) -> list[Ranked]:
    """What a reader gets of a preprint, ten papers on its topic, and its journal version."""
    ada = Reader("ada", Interests(keywords=("protein structure",)))
    batch = model().batch([PREPRINT, *papers(20, seed=3, prefix="new")[::2], JOURNAL])
    profiles = model().profiles([ada], model().batch([]))
    return rank(profiles, batch, limit=limit, allowed=allowed)[0]


def test_a_work_is_listed_once_and_names_its_copy() -> None:
    found = {one.place: one.also for one in listed()}
    assert len(found) == 11
    assert {found.get(0), found.get(11)} == {None, (11,) if 0 in found else (0,)}
    assert not any(also for index, also in found.items() if index not in (0, 11))


def test_folding_does_not_shorten_a_list() -> None:
    assert len(listed(limit=11)) == 11


def test_a_copy_that_is_no_candidate_folds_nothing_and_is_not_named() -> None:
    allowed = np.ones((1, 12), dtype=np.bool_)
    allowed[0, 0] = False
    found = {one.place: one.also for one in listed(allowed=allowed)}
    assert found[11] == ()


@lru_cache
def of_arxiv() -> tuple[Paper, ...]:
    found: dict[str, Paper] = {}
    for day in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(day, "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                authors = tuple(record["authors"])
                paper = Paper(record["id"], record["title"], record["abstract"], authors)
                found.setdefault(paper.id, paper)
    return tuple(found.values())


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the real arXiv papers (PAPERPOST_DATA)")
def test_on_two_months_of_arxiv_exactly_the_reposted_papers_are_found() -> None:
    everything = of_arxiv()
    found = {frozenset(everything[copy].id for copy in group) for group in groups(everything)}
    reposted = {("2604.05547", "2605.20190"), ("2605.04720", "2605.06802")}
    assert found == {frozenset(pair) for pair in reposted}


def test_no_abstract_is_asked_for_where_titles_and_authors_tell_papers_apart() -> None:
    others = [
        replace(PREPRINT, id="2605.1", authors=("Somebody Else",)),
        replace(PREPRINT, id="2605.2", title=f"{PREPRINT.title} 2"),
        PREPRINT,
        replace(PREPRINT, id="2605.3", title="Contacts are all one needs"),
    ]
    asked: list[int] = []

    def abstracts_of(places: Sequence[int]) -> list[str]:
        asked.extend(places)
        return [others[place].abstract for place in places]

    assert Comparison([PREPRINT]).copies(others, abstracts_of) == {0: [3]}
    assert asked == [3]


def test_who_shares_neither_an_author_nor_enough_is_no_suspect() -> None:
    known = [
        replace(PREPRINT, id="2605.1", authors=("Somebody Else",)),
        replace(PREPRINT, id="2605.2", title="Walking on mud", authors=("Ada Lovelace",)),
        replace(PREPRINT, id="2605.3", authors=()),
        JOURNAL,
    ]
    assert Comparison([PREPRINT]).suspects(headings_of(known)).tolist() == [2, 3]
    unsigned = replace(PREPRINT, authors=())
    assert Comparison([unsigned]).suspects(headings_of(known)).tolist() == [0, 2, 3]
    assert Comparison([]).suspects(headings_of(known)).tolist() == []
    assert Comparison([PREPRINT]).suspects(headings_of([])).tolist() == []


def test_headings_are_the_same_whether_they_come_at_once_or_in_parts() -> None:
    all_at_once = headings_of([PREPRINT, JOURNAL, *papers(5)])
    in_parts = headings_of([PREPRINT]).with_more(headings_of([JOURNAL, *papers(5)]))
    assert in_parts.papers == all_at_once.papers == 7
    assert in_parts.keys.tolist() == all_at_once.keys.tolist()
    assert in_parts.holders.tolist() == all_at_once.holders.tolist()


def test_suspects_of_a_large_collaboration_take_little_memory() -> None:
    many = tuple(f"Ada Lovelace-{number}" for number in range(3_000))
    known = [Paper(f"old/{n}", "One more search", authors=many[n : n + 20]) for n in range(2_000)]
    comparison = Comparison([Paper("new", "One more search", authors=many)])
    headings = headings_of(known)
    tracemalloc.start()
    try:
        assert len(comparison.suspects(headings)) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
