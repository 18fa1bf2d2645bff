from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost.sources.found import (
    FoundPaper,
    InvalidRecord,
    checked,
    identity,
    is_telling,
    normalise_title,
    title_key,
)

# Drawing the first text may take a second, and machines are shared.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TODAY = date(2026, 4, 10)
GOOD: Mapping[str, object] = {
    "id": "2604.00001v2",
    "announced": "2026-04-01",
    "title": "Invented paper",
    "abstract": "About it.",
    "authors": ["Ada Lovelace"],
    "categories": ["cs.AI"],
}


def paper(**fields: object) -> FoundPaper:
    return checked({**GOOD, **fields}, source="import", today=TODAY)


def reason(**fields: object) -> str:
    with pytest.raises(InvalidRecord) as caught:
        paper(**fields)
    return str(caught.value)


def test_a_good_record_becomes_a_paper() -> None:
    assert paper(comment=None) == FoundPaper(
        id="2604.00001",
        title="Invented paper",
        abstract="About it.",
        announced=date(2026, 4, 1),
        authors=("Ada Lovelace",),
        categories=("cs.AI",),
        comment=None,
        version=2,
        doi=None,
        url="https://arxiv.org/abs/2604.00001",
        source="import",
        kind="new",
    )


def test_what_is_wrong_is_said_in_a_sentence() -> None:
    assert reason(announced="2026-13-01") == "announced is not a date: '2026-13-01'"
    assert reason(announced="20260401") == "announced is not a date: '20260401'"
    assert reason(announced=5) == "announced is not a date: 5"
    assert reason(announced=None) == "announced is missing"
    assert reason(announced="2026-04-19") == "announced is in the future: '2026-04-19'"
    assert reason(announced="1990-12-31") == "announced is before 1991: '1990-12-31'"
    assert reason(title=" \x00<p></p> ") == "title is missing or empty"
    assert reason(title=["a"]) == "title is not text: ['a']"
    assert reason(id="nonsense") == "id is no arXiv id, doi: or pmid: 'nonsense'"
    assert reason(id=2604.1) == "id is not text: 2604.1"
    assert reason(authors=["Ada", 5]) == "authors is not a list of strings: ['Ada', 5]"
    assert reason(categories={"a": 1}).startswith("categories is not a list of strings")
    assert reason(abstract=["a"]).startswith("abstract is not text")


def test_a_foreign_value_in_a_reason_is_short_and_printable() -> None:
    told = reason(id="\x1b]0;" + "x" * 5_000)
    assert told.isprintable()
    assert len(told) < 130


def test_the_next_days_announcements_are_no_future() -> None:
    assert paper(announced="2026-04-18").announced == date(2026, 4, 18)


def test_what_is_too_long_is_cut_and_not_lost() -> None:
    long = paper(title="t" * 10_000, abstract="a" * 50_000, authors=["n" * 999] * 9_000)
    assert (len(long.title), long.title[-1], len(long.abstract)) == (1_000, "…", 20_000)
    assert (len(long.authors), len(long.authors[0])) == (5_000, 300)


def test_authors_and_categories_may_be_one_string() -> None:
    both = paper(authors="Ada Lovelace; Alan Turing", categories="cs.AI cs.CL")
    assert both.authors == ("Ada Lovelace", "Alan Turing")
    assert both.categories == ("cs.AI", "cs.CL")


def test_a_link_from_outside_is_kept_only_if_it_is_a_web_address() -> None:
    assert paper(id=None, url="javascript:alert(1)").url is None
    assert paper(id=None, url="https://example.org/a b").url is None
    assert paper(id=None, url="https://example.org/a").url == "https://example.org/a"
    assert paper(url="https://evil.example/").url == "https://arxiv.org/abs/2604.00001"


def test_a_doi_is_known_from_the_id_or_told_beside_it() -> None:
    assert paper(id="doi:10.1000/ABC").doi == "10.1000/abc"
    assert paper(doi="10.1000/ABC").doi == "10.1000/abc"
    assert paper(doi="soon").doi is None


@pytest.mark.parametrize(
    ("told", "also"),
    [
        (
            ["https://doi.org/10.1016/J.X", "pmid:7", "doi:10.1016/j.x"],
            ("doi:10.1016/j.x", "pmid:7"),
        ),
        (["2604.00001v3", "doi:NA", "", 7, None], ()),
        ("doi:10.1016/j.x", ()),
        (None, ()),
        ([f"pmid:{number}" for number in range(1, 99)], tuple(f"pmid:{n}" for n in range(1, 21))),
    ],
)
def test_other_identifiers_are_told_once_and_what_is_none_is_left_out(
    told: object, also: tuple[str, ...]
) -> None:
    assert paper(also=told).also == also


def test_the_day_of_a_revision_is_a_day() -> None:
    assert paper(revised="2026-04-09").revised == date(2026, 4, 9)
    assert paper().revised is None
    assert reason(revised="soon") == "revised is not a date: 'soon'"
    assert reason(revised="2027-01-01") == "revised is in the future: '2027-01-01'"


def test_a_paper_without_an_id_is_known_by_its_title() -> None:
    nameless = paper(id=None)
    assert identity(nameless) == title_key("Invented paper")
    assert identity(nameless).startswith("hf:")
    assert paper(id=identity(nameless)).id == identity(nameless)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Attention Is All You Need", "attention is  all you need."),
        (r"\textbf{Deep} nets: a $\pi$-calculus", "Deep Nets -- A pi-Calculus"),
        ("Schr\u00f6dinger\u2019s cat", "Schr\\\"odinger's cat"),
        ("\ufb01ne-tuning", "Fine Tuning"),
    ],
)
def test_two_spellings_of_a_title_are_one(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Learning C++", "Learning C"), ("???", "!!!"), ("की", "का")]
)
def test_two_titles_stay_two(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


@patient
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_normalised_title_is_its_own_normal_form(title: str) -> None:
    assert normalise_title(normalise_title(title)) == normalise_title(title)


@patient
@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "doi", "url", "kind"]),
        st.none() | st.text() | st.integers() | st.lists(st.text(max_size=9), max_size=3),
    )
)
def test_any_record_is_a_paper_or_rejected(record: dict[str, object]) -> None:
    try:
        found = checked({**GOOD, **record}, source="import", today=TODAY)
    except InvalidRecord:
        return
    assert found.title
    assert identity(found)


@pytest.mark.parametrize(
    "title",
    [
        "Mamba", "Attention, please", "Editorial: on the use of methods", "Guest Editorial of May",
        "Correction to: A study of graphs", "Author Correction: a study of graphs",
        "Erratum: a study of graphs", "Corrigendum for a study of graphs", "In this issue of ours",
        "Retraction: a study of graphs", "Reply to Smith and others", "Letters to the editor, May",
        "Comment on “A study of graphs”", "", "a b c d",
    ],
)  # fmt: skip
def test_a_title_that_many_papers_have_does_not_tell_which_it_is(title: str) -> None:
    assert not is_telling(title)


@pytest.mark.parametrize(
    "title",
    [
        "Attention Is All You Need", "Error Correction to the Limit", "Response Time of Graphs",
        "Retraction Maps on Manifolds", "Memory Intelligence Agent", "Deep-Learning Methods",
    ],
)  # fmt: skip
def test_a_title_of_its_own_tells_a_paper(title: str) -> None:
    assert is_telling(title)


@pytest.mark.parametrize("version", [0, -1, True, 10**30, "2", 2.0, None])
def test_a_version_that_is_no_version_is_left_out(version: object) -> None:
    told = dict(GOOD, id="2604.00001", version=version)
    assert checked(told, source="test", today=TODAY).version is None
