import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost.sources.identifiers import any_identifier, bare_doi, page_of, paper_identifier

# Drawing the first text may take a second, and machines are shared.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("spelling", "bare", "version"),
    [
        ("2604.00001", "2604.00001", None),
        ("0704.0001v12", "0704.0001", 12),
        ("arXiv:2604.00001v2", "2604.00001", 2),
        ("oai:arXiv.org:2604.00001v1", "2604.00001", 1),
        ("http://arxiv.org/abs/2604.00001v2", "2604.00001", 2),
        ("https://www.arxiv.org/pdf/2604.00001v2.pdf", "2604.00001", 2),
        ("https://doi.org/10.48550/arXiv.2604.00001", "2604.00001", None),
        ("math/0309136", "math/0309136", None),
        ("math.GT/0309136v2", "math/0309136", 2),
        ("hep-th/9901001", "hep-th/9901001", None),
        ("doi:10.1000/ABC.5", "doi:10.1000/abc.5", None),
        ("https://doi.org/10.1000/ABC", "doi:10.1000/abc", None),
        ("doi:10.1101/2026.04.01.123456v3", "doi:10.1101/2026.04.01.123456", None),
        ("https://doi.org/10.64898/2026.04.01.123456v1", "doi:10.64898/2026.04.01.123456", None),
        ("pmid:123456", "pmid:123456", None),
        ("https://pubmed.ncbi.nlm.nih.gov/123456/", "pmid:123456", None),
        ("hf:0123456789abcdef", "hf:0123456789abcdef", None),
    ],
)
def test_every_spelling_of_an_id_has_one_bare_form(
    spelling: str, bare: str, version: int | None
) -> None:
    assert paper_identifier(spelling) == (bare, version)
    assert paper_identifier(bare) == (bare, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2604.001",
        "2604.000001",
        "2604.00001v0",
        "\u0662604.00001",
        "math/030913",
        "10.1000/abc",
        "doi:",
        "doi:10.1000/",
        "doi:10.1000/a\ud800b",
        "pmid:0",
        "hf:xyz",
        "../../etc/passwd",
        # Browsers take such parts out of every address, so that no link leads there.
        "doi:10.1000/../x",
        "doi:10.1000/x/..",
        "doi:10.1000/x/./y",
        "https://doi.org/10.1000/%2e%2e/x",
        "x" * 999,
    ],
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert paper_identifier(text) is None


@patient
@given(st.text())
def test_an_id_read_once_reads_the_same_again(text: str) -> None:
    if found := paper_identifier(text):
        assert paper_identifier(found.id) == (found.id, None)


def test_a_paper_with_an_id_has_a_page_and_one_known_by_title_has_none() -> None:
    assert page_of("math/0309136") == "https://arxiv.org/abs/math/0309136"
    assert page_of("doi:10.1000/abc") == "https://doi.org/10.1000/abc"
    assert page_of("pmid:12") == "https://pubmed.ncbi.nlm.nih.gov/12/"
    assert page_of("hf:0123456789abcdef") is None


SIGNS = "10.1002/(sici)1097(1998)17:15/16<1661::aid-3>3.0.co;2-2#a?b%c&d"


def test_signs_in_a_doi_that_mean_something_in_an_address_are_quoted_and_read_back() -> None:
    address = page_of(f"doi:{SIGNS}")
    assert address == (
        "https://doi.org/10.1002/(sici)1097(1998)17:15/16%3C1661::aid-3%3E3.0.co;2-2"
        "%23a%3Fb%25c%26d"
    )
    assert paper_identifier(address) == (f"doi:{SIGNS}", None)
    assert bare_doi("10.1000/a%23b") == "10.1000/a%23b"


def test_a_doi_is_read_bare_or_dressed() -> None:
    spellings = ("10.1000/AB", "doi:10.1000/ab", "https://doi.org/10.1000/aB")
    assert {bare_doi(text) for text in spellings} == {"10.1000/ab"}
    assert bare_doi("no doi") is None


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("PMC1234567", "pmcid:PMC1234567"),
        ("pmcid: pmc1234567", "pmcid:PMC1234567"),
        ("https://pmc.ncbi.nlm.nih.gov/articles/PMC1234567/", "pmcid:PMC1234567"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC1234567", "pmcid:PMC1234567"),
        ("doi:10.48550/arXiv.2604.00001", "2604.00001"),
        ("PMC", None),
        ("PMC0", None),
    ],
)
def test_what_may_stand_beside_an_id_has_one_bare_form_too(text: str, bare: str | None) -> None:
    assert any_identifier(text) == bare
    assert bare is None or any_identifier(bare) == bare
