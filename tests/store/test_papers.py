"""One work is one row, whatever it comes as."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from invented import START, Invented, arrival

from paperpost.store import papers
from paperpost.store.database import Database
from paperpost.store.intake import put_all
from paperpost.store.records import Record
from paperpost.store.tables import Paper

DAY = date(2026, 4, 7)
ONE = arrival(Invented("2604.00001", "graph", DAY))
(TITLE,) = ONE.title_keys


def put(database: Database, *arrivals: Record) -> dict[str, int]:
    with database.writing() as session:
        changes = put_all(session, list(arrivals), START)
    return {str(change): number for change, number in changes.items()}


def only(database: Database) -> Paper:
    with database.reading() as session:
        (paper,) = papers.announced(session, date.min, date.max)
    return paper


def test_the_same_paper_again_changes_nothing(database: Database) -> None:
    assert put(database, ONE) == {"added": 1}
    before = only(database)
    assert put(database, ONE, ONE) == {"skipped": 2}
    assert only(database) == before


def test_a_paper_twice_in_one_batch_is_one_row(database: Database) -> None:
    assert put(database, ONE, ONE) == {"added": 1, "skipped": 1}


def test_a_newer_version_replaces_the_text_and_an_older_one_does_not(database: Database) -> None:
    put(database, ONE)
    assert put(database, replace(ONE, version=3, title="Third")) == {"updated": 1}
    assert put(database, replace(ONE, version=2, title="Second")) == {"skipped": 1}
    assert (only(database).title, only(database).version) == ("Third", 3)


def test_the_announcement_day_only_moves_back(database: Database) -> None:
    put(database, ONE)
    put(database, replace(ONE, announced=date(2026, 4, 9), version=2))
    assert only(database).announced == DAY
    put(database, replace(ONE, announced=date(2026, 4, 1), version=1))
    assert only(database).announced == date(2026, 4, 1)


def test_a_paper_known_by_title_gets_its_id_when_that_is_told(database: Database) -> None:
    by_title = replace(ONE, name=TITLE, url=None, authors=())
    put(database, by_title)
    assert only(database).id.startswith("hf:")
    assert put(database, ONE) == {"updated": 1}
    paper = only(database)
    assert (paper.id, paper.url, paper.authors) == (ONE.name, ONE.url, list(ONE.authors))
    with database.reading() as session:
        assert papers.find(session, TITLE) == papers.find(session, ONE.name)


def test_a_page_that_knows_only_the_title_does_not_replace_the_text(database: Database) -> None:
    put(database, ONE)
    page = replace(ONE, name=TITLE, abstract="cut short", version=None)
    assert put(database, page) == {"skipped": 1}
    assert only(database).abstract == ONE.abstract


def test_two_arxiv_ids_with_one_title_stay_two_papers(database: Database) -> None:
    twin = replace(ONE, name="2604.00002")
    assert put(database, ONE, twin) == {"added": 2}
    assert put(database, twin, ONE) == {"skipped": 2}


def test_a_replacement_of_an_unknown_paper_is_left_out_until_it_is_known(
    database: Database,
) -> None:
    replacement = replace(ONE, only_if_known=True, version=2)
    assert put(database, replacement) == {"skipped": 1}
    with database.reading() as session:
        assert papers.count(session) == 0
    put(database, ONE)
    assert only(database).version == 2
    assert put(database, replacement) == {"skipped": 1}
    assert put(database, replace(replacement, version=3)) == {"updated": 1}


def test_empty_fields_never_replace_what_is_known(database: Database) -> None:
    put(database, ONE)
    put(database, replace(ONE, version=2, abstract="", authors=(), comment="8 pages"))
    paper = only(database)
    assert (paper.abstract, paper.authors) == (ONE.abstract, list(ONE.authors))
    assert paper.comment == "8 pages"


def test_a_preprint_and_its_doi_are_one_paper_whichever_comes_first(database: Database) -> None:
    journal = replace(
        ONE, name="doi:10.1234/abc", title_keys=("hf:other",), url="https://doi.org/1"
    )
    preprint = replace(ONE, also=("doi:10.1234/abc",))
    put(database, journal)
    assert put(database, preprint) == {"updated": 1}
    assert only(database).id == ONE.name
    assert put(database, journal) in ({"skipped": 1}, {"updated": 1})
    assert only(database).id == ONE.name


def test_two_arxiv_ids_that_share_a_doi_stay_two_papers(database: Database) -> None:
    one = replace(ONE, also=("doi:10.1234/abc",))
    twin = replace(one, name="2604.00002", title_keys=("hf:twin",))
    assert put(database, twin, one) == {"added": 2}
    with database.reading() as session:
        found = papers.find(session, "doi:10.1234/abc")
    assert found is not None
    assert found.id == one.name


def test_a_journals_record_does_not_take_the_preprints_page_away(database: Database) -> None:
    unversioned = replace(ONE, version=None, also=("doi:10.1234/abc",))
    journal = replace(
        ONE, name="doi:10.1234/abc", title_keys=("hf:other",), title="Other", version=None,
        url="https://doi.org/10.1234/abc", comment="In print",
    )  # fmt: skip
    put(database, unversioned, journal)
    paper = only(database)
    assert (paper.id, paper.title, paper.url) == (ONE.name, ONE.title, ONE.url)
    assert paper.comment == "In print"


def upvoted(database: Database, least: int = 3) -> list[tuple[int, datetime]]:
    with database.reading() as session:
        found = papers.upvoted(session, DAY, DAY, least)
    return [(count, since) for _, count, since in found]


def test_the_greatest_count_of_upvotes_and_the_first_day_are_kept_in_any_order(
    database: Database,
) -> None:
    early, late = DAY, DAY + timedelta(days=2)
    lists = [
        replace(ONE, announced=late, upvotes=12),
        replace(ONE, announced=early, upvotes=7),
        replace(ONE, announced=late, upvotes=9),
    ]
    put(database, ONE)
    assert upvoted(database) == []
    for one in lists:
        put(database, one)
    assert upvoted(database) == [(12, datetime(2026, 4, 7, tzinfo=UTC))]
    assert put(database, *lists, ONE) == {"skipped": 4}


def test_upvotes_stay_with_a_paper_that_only_one_source_counts(database: Database) -> None:
    put(database, replace(ONE, upvotes=0))
    assert only(database).upvotes == 0
    put(database, replace(ONE, version=2, title="Second", upvotes=None))
    put(database, replace(ONE, announced=DAY + timedelta(days=1), upvotes=3))
    assert upvoted(database) == [(3, datetime(2026, 4, 7, tzinfo=UTC))]
    assert upvoted(database, least=4) == []


def test_papers_are_found_by_any_of_their_names_and_each_once(database: Database) -> None:
    other = arrival(Invented("2604.00002", "game", DAY))
    put(database, ONE, other)
    with database.reading() as session:
        found = papers.named(session, [other.name, TITLE, ONE.name, "2604.00003"])
        assert {paper.id for paper in found} == {ONE.name, other.name}
        assert len(found) == 2
        assert papers.named(session, []) == []


def test_a_public_paper_is_found_by_any_name_that_can_be_sent(database: Database) -> None:
    put(database, ONE)
    with database.reading() as session:
        found = papers.find_public(session, "2604.00001")
        assert found is not None
        for name in ("", "2604.00001\0", "\0", "2604.00001\n", "\ud800", "a" * 100_000):
            assert papers.find_public(session, name) is None
