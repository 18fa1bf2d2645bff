"""What the page of a paper tells of where it is from, and its BibTeX."""

import re
from dataclasses import replace
from datetime import date
from html import unescape

import httpx
import pytest
from doors import DAY, Doors
from invented import Invented, arrival, join

from paperpost.service import browse, library
from paperpost.service.browse import PaperPage
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.origins import Place, Telling
from paperpost.store import subscribers
from paperpost.store.intake import put_all
from paperpost.store.records import Record
from paperpost.store.subscribers import id_of
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]

USUAL = replace(arrival(Invented("2604.00001", "graph", DAY)), source="arxiv")


def store(installation: Installation, *records: Record) -> None:
    for record in records:
        with installation.database.writing() as session:
            put_all(session, [record], installation.clock())


def bring(installation: Installation, email: str, text: str) -> None:
    """Store what only somebody's own library tells of."""
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
    assert person is not None
    library.take_in(installation, id_of(person), library.read(text.encode(), "library.bib"))


def page(installation: Installation, name: str = "2604.00001") -> PaperPage:
    found = browse.page(installation, name)
    assert found is not None
    return found


def test_a_paper_of_one_source_tells_of_it(any_installation: Installation) -> None:
    store(any_installation, USUAL)
    origins = page(any_installation).origins
    assert origins.places == (
        Place("arXiv 2604.00001", "https://arxiv.org/abs/2604.00001"),
        Place("PDF", "https://arxiv.org/pdf/2604.00001"),
    )
    assert origins.told == (Telling("arXiv", 1, DAY, replaced=False),)


@pytest.mark.parametrize(
    "url", ["https://doi.org/10.1000/a%23b", "https://doi.org/10.1000/a#b"], ids=["now", "before"]
)
def test_a_doi_with_signs_that_mean_something_in_an_address_leads_to_its_paper(
    any_installation: Installation, url: str
) -> None:
    store(any_installation, replace(USUAL, name="doi:10.1000/a#b", url=url))
    assert page(any_installation, "doi:10.1000/a#b").origins.places == (
        Place("DOI 10.1000/a#b", "https://doi.org/10.1000/a%23b"),
    )


def test_all_versions_and_sources_of_a_paper_are_told(any_installation: Installation) -> None:
    later = date(2026, 4, 20)
    store(
        any_installation,
        USUAL,
        replace(
            USUAL, source="hf-daily-papers", version=None, upvotes=87, discussed=1, upvotes_on=DAY
        ),
        replace(USUAL, version=2, announced=later, revised=later, only_if_known=True),
        replace(
            USUAL,
            name="pmid:123",
            also=("2604.00001", "doi:10.1000/b", "pmcid:PMC7"),
            source="pubmed",
            version=None,
            announced=date(2026, 5, 1),
            url="https://pubmed.ncbi.nlm.nih.gov/123/",
        ),
        replace(
            USUAL,
            source="feed:https://user:secret@blog.example/feed?key=secret",
            version=None,
            url="https://blog.example/post",
        ),
    )
    origins = page(any_installation).origins
    assert [place.label for place in origins.places] == [
        "arXiv 2604.00001",
        "DOI 10.1000/b",
        "PubMed 123",
        "PDF",
        "Discussion on Hugging Face",
        "blog.example",
    ]
    (discussion,) = [place for place in origins.places if place.note]
    assert discussion.address == "https://huggingface.co/papers/2604.00001"
    assert discussion.note == "87 upvotes, 1 comment"
    assert {(one.source, one.version, one.day, one.replaced) for one in origins.told} == {
        ("arXiv", 1, DAY, False),
        ("arXiv", 2, later, True),
        ("Hugging Face Daily Papers", None, DAY, False),
        ("blog.example", None, DAY, False),
        ("PubMed", None, date(2026, 5, 1), False),
    }
    assert "secret" not in str(origins)


def test_authors_lead_to_a_search_and_categories_to_their_day(
    installation: Installation, client: httpx.Client
) -> None:
    store(installation, replace(USUAL, authors=('A "B" & <C>',), categories=("cs.LG", "a&b")))
    addresses = [
        unescape(a) for a in re.findall(r'href="([^"]*)"', client.get("/paper/2604.00001").text)
    ]
    assert "/search?q=%22A+%22B%22+%26+%3CC%3E%22" in [a.replace("%20", "+") for a in addresses]
    assert "/day/2026-04-07?category=a%26b" in addresses


def test_a_paper_of_thousands_of_authors_has_a_small_page(
    installation: Installation, client: httpx.Client
) -> None:
    store(installation, replace(USUAL, authors=tuple(f"Person Number{n}" for n in range(3000))))
    found = client.get("/paper/2604.00001")
    assert len(found.content) < 100_000
    assert "and 2900 more" in found.text


def test_bibtex_stands_on_the_page_and_comes_as_a_file(
    installation: Installation, client: httpx.Client
) -> None:
    store(installation, replace(USUAL, title="R&D <b>now</b>"))
    shown = re.findall(r"<pre[^>]*>(.*?)</pre>", client.get("/paper/2604.00001").text, re.DOTALL)
    file = client.get("/bibtex/2604.00001")
    assert unescape(shown[0]).strip() == file.text.strip()
    assert "title = {R\\&D <b>now</b>}" in file.text
    assert file.headers["content-type"] == "text/x-bibtex; charset=utf-8"
    assert file.headers["content-disposition"] == 'attachment; filename="paper.bib"'


@pytest.mark.parametrize("name", ["2604.11111", "nothing%00here", "%FF", "2101.00001"])
def test_there_is_no_bibtex_of_what_is_on_no_page(
    installation: Installation, client: httpx.Client, papers: list[Invented], name: str
) -> None:
    bring(
        installation, join(installation, "ada"), "@misc{a, title={On Tides}, eprint={2101.00001}}"
    )
    assert client.get(f"/bibtex/{name}").status_code == 404
    assert client.get(f"/paper/{name}").status_code == 404


def huge(number: int, authors: int = 4000) -> Record:
    """A paper of everything too much, as it may stand in a store: more than any source may tell."""
    long = "Pneumono" * 37
    return replace(
        USUAL,
        name=f"2604.1{number:04}",
        title=f"{'Pneumono ' * 866}{number}",
        abstract=f"{long} " * 60,
        authors=(
            *(f"{long} {n}" for n in range(100)),
            *(f"Person {n}" for n in range(authors - 100)),
        ),
        categories=tuple(f"{long[:90]}.{n}" for n in range(100)),
        comment="commented " * 500,
    )


def test_a_page_of_everything_huge_stays_small(
    installation: Installation, client: httpx.Client
) -> None:
    store(installation, huge(0))
    found = client.get("/paper/2604.10000")
    assert len(found.content) < 100_000
    assert "and 3900 more" in found.text
    assert "and 80 more" in found.text
    assert found.text.count("commented") < 110


def test_a_day_of_huge_papers_stays_a_small_page(
    doors: Doors, installation: Installation, client: httpx.Client
) -> None:
    store(installation, *(huge(number, authors=300) for number in range(30)))
    signed_in = {"Cookie": f"{COOKIE}={doors.token(Purpose.SESSION)}"}
    for path in ("/", "/search?q=pneumono"):
        for headers in ({}, signed_in):
            found = client.get(path, headers=headers)
            assert found.status_code == 200
            assert len(found.content) < 100_000, (path, len(found.content))
            assert "and 294 more" in found.text
