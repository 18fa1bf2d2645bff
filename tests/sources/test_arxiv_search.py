"""arXiv's search API: papers by their ids, and by their author."""

from collections.abc import Iterator
from datetime import date

import pytest
import traps
from arxiv_archive import Work
from arxiv_on_stage import FRIDAY, THURSDAY, TUESDAY, WEDNESDAY, ArxivOnStage, arxiv_on_stage
from loopback_source import Told

from paperpost.sources.arxiv_search import papers_by, papers_of
from paperpost.sources.errors import FeedError, RequestFailed, UnreadableFile
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.people import may_be_same


@pytest.fixture
def arxiv() -> Iterator[ArxivOnStage]:
    with arxiv_on_stage(THURSDAY) as stage:
        yield stage


def looked_up(arxiv: ArxivOnStage, *ids: str) -> list[FoundPaper | Rejected]:
    return list(papers_of(arxiv.client, ids, arxiv.archive.today))


def names(papers: list[FoundPaper | Rejected]) -> list[str | None]:
    return [paper.id for paper in papers if isinstance(paper, FoundPaper)]


def test_papers_are_had_by_ids_in_any_spelling_each_once_and_in_their_newest_version(
    arxiv: ArxivOnStage,
) -> None:
    arxiv.announce(TUESDAY, 1, 2, categories="cs.LG cs.AI")
    arxiv.archive.replace("2604.00001", WEDNESDAY, title="Study 1, again")
    spellings = ("arXiv:2604.00002", "https://arxiv.org/abs/2604.00001v1", "2604.00001v2")
    second, first = looked_up(arxiv, *spellings)
    assert isinstance(first, FoundPaper)
    assert isinstance(second, FoundPaper)
    assert (first.id, first.title, first.version) == ("2604.00001", "Study 1, again", 2)
    assert (second.id, second.categories) == ("2604.00002", ("cs.LG", "cs.AI"))
    # Submitted on the day before its announcement: an old paper, and never news.
    assert (first.announced, first.kind, first.revised) == (date(2026, 4, 13), "new", None)
    assert len(arxiv.web.asked) == 1


def test_what_arxiv_does_not_have_is_told_with_its_place(arxiv: ArxivOnStage) -> None:
    arxiv.announce(TUESDAY, 1)
    known, *rejected = sorted(
        looked_up(arxiv, "2604.99999", "2604.00001", "doi:10.1000/xyz", "what?"),
        key=lambda one: one.record if isinstance(one, Rejected) else 0,
    )
    assert isinstance(known, FoundPaper)
    assert rejected == [
        Rejected(1, "arXiv has no paper 2604.99999"),
        Rejected(3, "'doi:10.1000/xyz' is no arXiv id"),
        Rejected(4, "'what?' is no arXiv id"),
    ]


def test_many_ids_are_asked_in_slices(arxiv: ArxivOnStage) -> None:
    ids = arxiv.announce(TUESDAY, *range(1, 251))
    assert names(looked_up(arxiv, *ids)) == ids
    assert [question.query["max_results"] for question in arxiv.web.asked] == ["100", "100", "50"]


def test_an_id_that_arxiv_does_not_like_does_not_spoil_the_others(arxiv: ArxivOnStage) -> None:
    (known,) = arxiv.announce(TUESDAY, 1)
    said = b"incorrect id format for 2613.00001"
    error = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Error</title>
      <id>http://arxiv.org/api/errors#x</id><summary>%s</summary></entry></feed>"""
    for status in (200, 400):
        arxiv.web.spring(traps.answers(status, error % said), on="2613.00001")
        rejected, paper = looked_up(arxiv, "2613.00001", known)
        assert rejected == Rejected(1, f"arXiv says: {said.decode()}")
        assert isinstance(paper, FoundPaper)
    arxiv.web.spring(traps.answers(400, error % b"the server is tired"))
    with pytest.raises(FeedError, match="the server is tired"):
        looked_up(arxiv, known)


def test_empty_and_half_pages_are_asked_for_again(arxiv: ArxivOnStage) -> None:
    (known,) = arxiv.announce(TUESDAY, 1)
    arxiv.search.empty_answers = 2
    assert names(looked_up(arxiv, known)) == [known]
    arxiv.web.spring(traps.half_a_page)
    assert names(looked_up(arxiv, known)) == [known]
    arxiv.web.spring(traps.half_a_page, times=3)
    with pytest.raises(UnreadableFile):
        looked_up(arxiv, known)


def test_of_a_page_that_stays_half_the_rest_is_not_said_to_be_unknown(arxiv: ArxivOnStage) -> None:
    ids = arxiv.announce(TUESDAY, 1, 2, 3, 4)
    arxiv.search.half_answers = 2
    assert names(looked_up(arxiv, *ids)) == ids
    arxiv.search.half_answers = 3
    arxiv.web.forget()
    found = looked_up(arxiv, *ids)
    assert names(found) == ids[:2]
    assert len(found) == 2
    assert len(arxiv.web.asked) == 3
    arxiv.search.empty_answers = 3
    assert looked_up(arxiv, *ids) == []


def test_only_what_is_missing_twice_is_not_arxivs(arxiv: ArxivOnStage) -> None:
    one, two = arxiv.announce(TUESDAY, 1, 2)

    def without_the_second(told: Told) -> Told:
        """And it does not even count it."""
        body = told.body[: told.body.index(b"  <entry>", told.body.index(b"</entry>"))]
        counted = body.replace(b"totalResults>2<", b"totalResults>1<")
        return Told(200, counted + b"</feed>", told.headers)

    arxiv.web.spring(without_the_second)
    assert names(looked_up(arxiv, one, two)) == [one, two]
    assert [question.query["id_list"] for question in arxiv.web.asked] == [f"{one},{two}", two]


def test_an_author_whose_page_comes_half_is_asked_for_again(arxiv: ArxivOnStage) -> None:
    arxiv.announce(TUESDAY, 1, 2, 3)
    arxiv.search.half_answers = 2
    assert len(papers_by(arxiv.client, "Ada Lovelace", THURSDAY)) == 3
    arxiv.web.forget()
    assert papers_by(arxiv.client, "Grace Hopper", THURSDAY) == []
    assert len(arxiv.web.asked) == 1


@pytest.mark.parametrize(
    ("trap", "error"),
    [(traps.login_page, UnreadableFile), (traps.answers(404, b"gone"), RequestFailed)],
)
def test_other_answers_are_errors(
    arxiv: ArxivOnStage, trap: traps.Trap, error: type[Exception]
) -> None:
    arxiv.web.spring(trap, times=4)
    with pytest.raises(error):
        looked_up(arxiv, "2604.00001")


def by(*authors: str, number: int, day: date = TUESDAY) -> Work:
    return Work(f"2604.{number:05}", f"Study {number}", (day,), authors=authors)


def test_an_authors_papers_are_the_newest_first_and_nobody_elses(arxiv: ArxivOnStage) -> None:
    arxiv.archive.today = FRIDAY
    arxiv.archive.add(
        by("Ada Lovelace", number=1),
        by("Alan Turing", "Ada K. Lovelace", number=2, day=FRIDAY),
        by("Ada Byron Lovelace Turing", number=3),  # has the words, and is somebody else
        by("Alan Turing", number=4),
    )
    for name in ("Ada Lovelace", "Lovelace, Ada"):
        papers = papers_by(arxiv.client, name, FRIDAY)
        assert [paper.id for paper in papers] == ["2604.00002", "2604.00001"]
    asked = arxiv.web.asked[-1].query
    assert asked["search_query"] == 'au:"Ada Lovelace"'
    assert (asked["sortBy"], asked["sortOrder"]) == ("submittedDate", "descending")


def test_a_name_is_searched_with_its_accents_and_without(arxiv: ArxivOnStage) -> None:
    arxiv.archive.add(by("Łukasz Müller", number=1), by("Lukasz Muller", number=2))
    papers = papers_by(arxiv.client, "Łukasz Müller", THURSDAY)
    assert {paper.id for paper in papers} == {"2604.00001", "2604.00002"}


def test_of_very_many_papers_three_hundred_are_enough(arxiv: ArxivOnStage) -> None:
    arxiv.announce(TUESDAY, *range(1, 352))
    assert len(papers_by(arxiv.client, "Ada Lovelace", THURSDAY)) == 300
    assert [question.query["start"] for question in arxiv.web.asked] == ["0", "100", "200"]


def test_a_name_cannot_say_more_than_a_name(arxiv: ArxivOnStage) -> None:
    arxiv.announce(TUESDAY, 1)
    assert papers_by(arxiv.client, '" "', THURSDAY) == []
    assert arxiv.web.asked == []
    papers_by(arxiv.client, 'x" OR all:"', THURSDAY)
    assert arxiv.web.asked[-1].query["search_query"] == 'au:"x OR all:"'


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Ada Lovelace", "A. Lovelace", True),
        ("Ada Lovelace", "Ada K Lovelace", True),
        ("Ada Lovelace", "Lovelace, Ada", True),
        ("Jean-Luc Picard", "J.-L. Picard", True),
        ("Łukasz Müller", "LUKASZ MULLER", True),
        ("Sammy Davis", "Sammy Davis, Jr.", True),
        ("Lovelace", "Ada Lovelace", True),
        ("Ada Lovelace", "Alan Lovelace", False),
        ("Ada Lovelace", "Ada Turing", False),
        ("Ada Lovelace", "B. Lovelace", False),
        ("Ada Lovelace", "", False),
    ],
)
def test_two_spellings_may_be_one_person(name: str, other: str, same: bool) -> None:
    assert may_be_same(name, other) is same
    assert may_be_same(other, name) is same
