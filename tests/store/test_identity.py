"""Which records are of one paper, whatever they are called and however their authors are spelt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import AUTHORS, DAY, TITLES, worlds

from paperpost.store.author_names import author_key
from paperpost.store.identity import works
from paperpost.store.records import Record, as_json, columns, from_json, is_arxiv, known

ONE = Record(
    name="2604.00001",
    title="A title that tells",
    announced=DAY,
    source="arxiv",
    authors=("Emmy Noether",),
    title_keys=(TITLES[0],),
)
JOURNAL = replace(ONE, name="doi:10.1234/a", source="journal")


def named(*records: Record) -> set[frozenset[str]]:
    return {frozenset(record.name for record in work) for work in works(records)}


def together(*records: Record) -> bool:
    return len(works(records)) == 1


@pytest.mark.parametrize("author", ["Noether, E.", "Noether E", "E. Noether", "Emmy Noëther"])
def test_a_preprint_and_its_journal_version_are_one_paper_by_title_and_author(
    author: str,
) -> None:
    assert together(ONE, replace(JOURNAL, authors=("Alan Turing", author)))


def test_one_title_of_different_authors_is_two_papers() -> None:
    assert not together(ONE, replace(JOURNAL, authors=("Alan Turing",)))


def test_another_title_of_the_same_authors_is_another_paper() -> None:
    assert not together(ONE, replace(JOURNAL, title_keys=(TITLES[1],)))


def test_without_a_title_that_tells_the_authors_are_not_enough() -> None:
    assert not together(replace(ONE, title_keys=()), replace(JOURNAL, title_keys=()))


def test_where_no_authors_are_told_the_title_is_enough() -> None:
    assert together(ONE, replace(JOURNAL, authors=()))
    assert together(ONE, replace(JOURNAL, name=TITLES[0], authors=()))


def test_two_that_have_but_a_title_in_common_are_two() -> None:
    assert not together(ONE, replace(JOURNAL, name=TITLES[0], authors=("Alan Turing",)))


def test_what_has_no_authors_does_not_tie_others_together() -> None:
    other = replace(JOURNAL, authors=("Alan Turing",))
    third = replace(JOURNAL, name="doi:10.1234/b", authors=("Sofia Kovalevskaya",))
    vague = replace(JOURNAL, name=TITLES[0], authors=())
    assert named(other, third, vague) == {
        frozenset((other.name, vague.name)),
        frozenset((third.name,)),
    }


def test_identifiers_tie_records_over_others_between_them() -> None:
    chain = [
        replace(JOURNAL, name=f"doi:10.1/{n}", also=(f"doi:10.1/{n + 1}",), title_keys=())
        for n in range(20)
    ]
    assert together(*chain)
    assert together(*chain[::2], *chain[1::2])


def test_a_doi_that_two_arxiv_papers_give_is_the_smaller_ones() -> None:
    one, other = (replace(ONE, name=f"2604.0000{n}", also=(JOURNAL.name,)) for n in (1, 2))
    assert named(other, JOURNAL) == {frozenset((other.name, JOURNAL.name))}
    assert named(other, JOURNAL, one) == {
        frozenset((one.name, JOURNAL.name)),
        frozenset((other.name,)),
    }


def test_an_arxiv_id_beside_another_name_is_as_good() -> None:
    told = replace(JOURNAL, also=("2604.00001", "2604.00002"), title_keys=())
    assert together(ONE, told)
    assert columns([told])["id"] == "2604.00001"


def test_a_preprint_that_tells_of_its_journal_version_keeps_its_own_name() -> None:
    preprint = replace(JOURNAL, name="doi:10.1101/x", also=("doi:10.1000/x",), version=2)
    journal = replace(JOURNAL, name="doi:10.1000/x")
    assert preprint.name == "doi:10.1101/x"
    assert together(preprint, journal)
    assert columns([journal, preprint])["id"] == columns([preprint])["id"] == preprint.name


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_records_makes_no_difference(records: list[Record], chance: object) -> None:
    shuffled = list(records)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    told, again = (
        sorted((columns(work) for work in works(known(some))), key=str)
        for some in (records, shuffled)
    )
    assert told == again


@given(worlds())
def test_no_paper_has_two_arxiv_ids_and_no_id_is_that_of_two_papers(records: list[Record]) -> None:
    found = works(known(records))
    for work in found:
        assert len({record.name for record in work if is_arxiv(record.name)}) <= 1
    ids = [columns(work)["id"] for work in found]
    assert len(ids) == len(set(ids))


@given(worlds(most=1))
def test_a_record_is_the_same_after_a_while_in_the_store(records: list[Record]) -> None:
    for record in records:
        assert from_json(record.name, as_json(record)) == record


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("doe j", ["Jane Doe", "Doe, Jane A.", "J. A. Doe", "Doe JA", "JANE DOE", "Doe, J."]),
        ("berg j", ["Jane van den Berg", "van den Berg, J.", "Berg, J. van den"]),
        ("garcia l", ["Luis García", "Garcia, L", "López-García, L."]),
        ("kaiser l", ["Łukasz Kaiser", "Kaiser, Lukasz"]),
        ("obrien c", ["Conor O'Brien", "O’Brien, C."]),  # noqa: RUF001
        ("king m", ["Martin Luther King, Jr", "King, M. L., Jr.", "King ML"]),
        ("smith j", ["Smith J.A.", "Smith J.-A.", "Smith J. A.", "SMITH J.", "Jane A. Smith"]),
        ("smith j", ["J. Smith", "Smith J", "JANE A. SMITH", "Smith, J.A."]),
        ("berg j", ["van der Berg, J.", "van der Berg JA"]),
        ("xu w", ["WANG XU", "Wang Xu", "W. Xu", "XU, WANG"]),
        ("tolkien j", ["J R R Tolkien", "Tolkien J R R", "TOLKIEN J.R.R."]),
        ("s j", ["J. S."]),
        ("明 李", ["李 明"]),
        ("иванов и", ["Иванов И.И.", "И. И. Иванов"]),
        ("atlas c", ["Collaboration ATLAS"]),
        ("plato", ["Plato", "Plato,"]),
        ("", ["", "42", ", ,", "—"]),
    ],
)
def test_an_author_is_the_same_in_every_spelling(key: str, spellings: list[str]) -> None:
    assert {author_key(name) for name in spellings} == {key}


@given(st.text())
def test_any_text_may_be_an_author(name: str) -> None:
    assert author_key(name) == author_key(name).strip()


def test_authors_of_this_world_are_told_apart() -> None:
    assert len(set(map(author_key, AUTHORS))) == len(AUTHORS) - 1
