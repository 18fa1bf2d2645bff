"""Papers as BibTeX, read back by what reads others' files."""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.service.bibtex import bibtex
from paperpost.sources.identifiers import page_of
from paperpost.sources.libraries.bibtex import read_bibtex
from paperpost.sources.libraries.entry import LibraryEntry
from paperpost.store.tables import NEVER_ANNOUNCED, Paper


def paper(**changes: object) -> Paper:
    usual: dict[str, Any] = {
        "id": "2604.00001",
        "title": "On the Tides of Large Models",
        "abstract": "",
        "authors": ["Mary Somerville", "Kurt Gödel"],
        "categories": ["cs.LG", "stat.ML"],
        "announced": date(2026, 4, 7),
        "url": "https://arxiv.org/abs/2604.00001",
        "source": "arxiv",
    }
    return Paper(**(usual | changes))


def entries(text: str) -> list[LibraryEntry]:
    found = list(read_bibtex(text))
    read = [one for one in found if isinstance(one, LibraryEntry)]
    assert read == found
    return read


def keys(text: str) -> list[str]:
    return re.findall(r"^@misc\{([^,\s]+),$", text, re.MULTILINE)


def test_a_paper_of_arxiv_is_told_as_arxiv_tells_it() -> None:
    text = bibtex([paper()])
    assert keys(text) == ["somerville2026tides"]
    for line in (
        "author = {Mary Somerville and Kurt Gödel}",
        "title = {On the Tides of Large Models}",
        "year = {2026}",
        "eprint = {2604.00001}",
        "archivePrefix = {arXiv}",
        "primaryClass = {cs.LG}",
        "url = {https://arxiv.org/abs/2604.00001}",
    ):
        assert line in text


def test_other_papers_are_told_by_their_doi_or_pubmed_id() -> None:
    text = bibtex([paper(id="doi:10.1000/a_b"), paper(id="pmid:123", url=None)])
    assert "doi = {10.1000/a_b}" in text
    assert "eprint = {123},\n\teprinttype = {pubmed}" in text
    assert "archivePrefix" not in text
    assert [one.ids for one in entries(text)] == [("2604.00001", "doi:10.1000/a_b"), ("pmid:123",)]


def test_signs_of_latex_stand_as_they_are_in_fields_that_are_taken_verbatim() -> None:
    doi = "10.1000/a#b%c_d"
    text = bibtex([paper(id=f"doi:{doi}", url=page_of(f"doi:{doi}"))])
    assert f"doi = {{{doi}}}" in text
    assert "url = {https://doi.org/10.1000/a%23b%25c_d}" in text
    assert [one.ids for one in entries(text)] == [(f"doi:{doi}",)]


def test_every_paper_has_a_key_of_its_own() -> None:
    found = keys(bibtex([paper() for _ in range(3)]))
    assert found == ["somerville2026tides", "somerville2026tides-2", "somerville2026tides-3"]


def test_a_work_that_is_known_by_its_id_alone_has_it_as_title_and_in_its_key() -> None:
    unknown: dict[str, Any] = {
        "title": "",
        "authors": [],
        "url": None,
        "announced": NEVER_ANNOUNCED,
    }
    works = [paper(id=f"library:1:{name}", **unknown) for name in ("2604.00009", "doi:10.1000/a_b")]
    text = bibtex(works)
    assert keys(text) == ["paper260400009", "paperdoi101000ab"]
    assert "title = {2604.00009}" in text
    assert r"title = {doi:10.1000/a\_b}" in text


def test_one_empty_line_stands_between_two_papers() -> None:
    assert re.findall(r"\}\n(\n*)@", bibtex([paper(), paper(), paper()])) == ["\n", "\n"]


@pytest.mark.parametrize(
    ("authors", "title", "key"),
    [
        (["Kurt Gödel"], "The $k$NN of Ångström", "godel2026knn"),
        (["Siobhan O'Neill-Smith"], "A Plan", "oneillsmith2026plan"),
        ([], "Voices", "paper2026voices"),
        (["王小波"], "黄金时代", "paper2026"),
    ],
)
def test_keys_are_plain_letters(authors: list[str], title: str, key: str) -> None:
    assert keys(bibtex([paper(authors=authors, title=title)])) == [key]


@pytest.mark.parametrize(
    ("title", "told"),
    [
        (r"On $\mathbb{F}_p$ and $x_0$ codes", r"On $\mathbb{F}_p$ and $x_0$ codes"),
        (r"\texttt{YC-Bench}: a {Bench}", r"\texttt{YC-Bench}: a {Bench}"),
        ("R&D at 80% of #1_b", r"R\&D at 80\% of \#1\_b"),
        (r"R\&D already", r"R\&D already"),
        ("From $5 up", r"From \$5 up"),
        ("An {open brace", "An open brace"),
        ("} turned {", "turned"),
        (r"An escaped \} one", r"An escaped \ one"),
        ("A last backslash\\", "A last backslash"),
        ("Two\nlines\t\x00and\u2028more", "Two lines and more"),
    ],
)
def test_latex_stays_and_what_would_break_the_field_does_not(title: str, told: str) -> None:
    assert f"title = {{{told}}},\n" in bibtex([paper(title=title)])


@pytest.mark.parametrize(
    "title",
    [
        "x},\n}\n@article{evil, title={Evil}",
        "x\n@comment{evil}",
        '" # evil # "',
        "@string{evil = {x}}",
        "%s} {%",
    ],
)
def test_a_title_never_becomes_another_entry(title: str) -> None:
    hostile = paper(title=title, authors=[title], comment=title, categories=[title])
    text = bibtex([hostile, paper(id="2604.00002", url=None)])
    assert len(keys(text)) == 2
    assert [one.ids for one in entries(text)] == [("2604.00001",), ("2604.00002",)]


@given(
    title=st.text(st.sampled_from("{}\\$@%&#_\"'=,\n a1"), max_size=30),
    author=st.text(st.sampled_from("{}\\$@%&#, \nand"), max_size=20),
)
def test_whatever_stands_in_them_the_file_can_be_read(title: str, author: str) -> None:
    text = bibtex([paper(title=title, authors=[author]), paper(id="2604.00002", url=None)])
    assert [one.ids for one in entries(text)] == [("2604.00001",), ("2604.00002",)]
    for line in re.findall(r"= \{(.*)\},?$", text, re.MULTILINE):
        assert line.count("{") == line.count("}")


@pytest.mark.parametrize("name", ["Barnes and Noble", "World Health Organization, Geneva"])
def test_a_name_that_would_be_two_is_one(name: str) -> None:
    text = bibtex([paper(authors=[name, "Ada Lovelace"])])
    assert f"author = {{{{{name}}} and Ada Lovelace}}" in text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.example/{x}", "https://a b", ""])
def test_an_address_that_is_none_is_left_out(url: str) -> None:
    assert "url" not in bibtex([paper(url=url)])
