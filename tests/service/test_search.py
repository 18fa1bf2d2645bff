"""Search by words, by meaning, and by both, as pages and programs call it."""

from dataclasses import replace
from datetime import date

import pytest
from invented import Invented, arrival, fill, join

from paperpost.service import search as searching
from paperpost.service.installation import Installation
from paperpost.service.search import LONGEST, Found, FoundBy, Order, follow, keywords, search
from paperpost.service.train import train
from paperpost.service.wishes import LONGEST_TERM, InvalidWish
from paperpost.store import subscribers
from paperpost.store.intake import put_all
from paperpost.store.records import Record
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind

DAY = date(2026, 4, 7)
LATER = date(2026, 4, 8)


def put(installation: Installation, *told: Record) -> None:
    with installation.database.writing() as session:
        put_all(session, told, installation.clock())


def ways(found: Found) -> dict[str, set[FoundBy]]:
    return {hit.paper.id: set(hit.found_by) for hit in found.hits}


def test_by_words_alone_as_long_as_nothing_was_learnt(any_installation: Installation) -> None:
    made = fill(any_installation, [DAY])
    found = search(any_installation, "speech recognition")
    assert ways(found) == {one.id: {FoundBy.WORDS} for one in made if one.topic == "speech"}
    assert (found.total, found.with_words, found.page, found.pages) == (4, 4, 1, 1)
    assert not found.by_meaning


def on_walking(number: int) -> Record:
    """A paper on robots that walk; only the even ones say "gait"."""
    words = ("quadruped", "terrain", "locomotion", "torque", "stride", "actuator")
    said = [words[(number + step) % len(words)] for step in range(4)]
    told = arrival(Invented(f"2604.9{number:04}", "graph", DAY))
    title = f"{' '.join(said)} {'gait' if number % 2 == 0 else 'control'}"
    return replace(told, title=title, abstract=f"{title} by {said[number % 4]}.")


def test_papers_without_the_words_are_found_by_what_they_mean(installation: Installation) -> None:
    made = fill(installation, [DAY], each=10)
    put(installation, *map(on_walking, range(30)))
    train(installation)
    found = search(installation, "gait of a quadruped")
    assert found.by_meaning
    assert found.with_words == 10
    silent = {on_walking(number).name for number in range(1, 30, 2)}
    near = {paper for paper, by in ways(found).items() if FoundBy.MEANING in by}
    assert near & silent
    assert not any(FoundBy.WORDS in ways(found)[paper] for paper in near & silent)
    assert not ways(found).keys() & {one.id for one in made}


def test_papers_newer_than_the_snapshot_are_found_by_both(installation: Installation) -> None:
    fill(installation, [DAY])
    train(installation)
    new = fill(installation, [LATER], each=1)
    graph = next(one.id for one in new if one.topic == "graph")
    assert ways(search(installation, "molecule"))[graph] == {FoundBy.WORDS, FoundBy.MEANING}


def test_where_few_have_all_words_those_with_the_rarest_follow(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    put(any_installation, replace(arrival(Invented("2604.90001", "game", DAY)), title="Zebras"))
    found = search(any_installation, "zebras recognition")
    assert found.with_words == 0
    assert ways(found)["2604.90001"] == {FoundBy.SOME_WORDS}
    assert len(found.hits) == 5
    assert search(any_installation, '"zebras recognition"').total == 0


@pytest.mark.parametrize(
    "typed",
    [
        "2604.90001",
        "arXiv:2604.90001v2",
        "https://arxiv.org/abs/2604.90001",
        "arxiv.org/pdf/2604.90001v1",
        "https://arxiv.org/abs/2604.90001v3?context=cs#top",
    ],
)
def test_an_arxiv_id_leads_to_its_paper(installation: Installation, typed: str) -> None:
    fill(installation, [DAY])
    put(installation, arrival(Invented("2604.90001", "game", DAY)))
    train(installation)
    found = search(installation, typed)
    assert ways(found) == {"2604.90001": {FoundBy.NAME}}
    assert (found.by_name, found.named, found.keywords) == (True, True, ())


def test_a_doi_leads_to_its_paper(any_installation: Installation) -> None:
    put(any_installation, replace(arrival(Invented("x", "game", DAY)), name="doi:10.1000/a(b)c"))
    for typed in ("10.1000/A(b)c", "doi:10.1000/a(b)c", "https://doi.org/10.1000/a(b)c"):
        assert search(any_installation, typed).hits[0].paper.id == "doi:10.1000/a(b)c"


def test_what_is_put_in_quotes_or_excluded_holds_for_meaning_too(
    any_installation: Installation,
) -> None:
    made = fill(any_installation, [DAY])
    train(any_installation)
    graph = {one.id for one in made if one.topic == "graph"}
    number = next(iter(sorted(graph)))
    title = f"study {number.replace('.', ' ')}"
    assert set(ways(search(any_installation, f'graph "{title}"'))) == {number}
    assert set(ways(search(any_installation, f'graph -"{title}"'))) == graph - {number}
    assert search(any_installation, "-graph").total == 0


def test_a_category_and_days_hold_for_both(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    other = replace(arrival(Invented("2604.90001", "speech", LATER)), categories=("eess.AS",))
    put(any_installation, other)
    train(any_installation)
    for found in (
        search(any_installation, "speech", category="eess"),
        search(any_installation, "speech", since=LATER),
    ):
        assert ways(found) == {"2604.90001": {FoundBy.WORDS, FoundBy.MEANING}}
    assert search(any_installation, "speech", category="eess", until=DAY).total == 0
    assert "2604.90001" not in ways(search(any_installation, "speech", until=DAY))


def test_the_newest_come_first_when_asked_for(any_installation: Installation) -> None:
    fill(any_installation, [DAY, LATER, date(2026, 4, 6)])
    found = search(any_installation, "speech", order=Order.NEWEST)
    told = [hit.paper.announced for hit in found.hits]
    assert told == sorted(told, reverse=True)
    assert found.total == 12


def test_pages_hold_all_that_was_found_once(installation: Installation) -> None:
    made = fill(installation, [DAY], each=25)
    pages = [search(installation, "speech", page=page) for page in (1, 2, 3)]
    assert [len(page.hits) for page in pages] == [20, 5, 0]
    assert {page.pages for page in pages} == {2}
    shown = [hit.paper.id for page in pages for hit in page.hits]
    assert sorted(shown) == sorted(one.id for one in made if one.topic == "speech")


def test_counts_are_honest_where_more_have_the_words_than_are_listed(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_BY_WORDS", 3)
    fill(installation, [DAY])
    found = search(installation, "speech")
    assert (found.total, found.with_words) == (3, 4)


def test_nothing_is_found_by_nothing(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    for typed in ("", "   ", "\0", "\0\n\x1b", "zxqv", "-", '"'):
        assert search(any_installation, typed, category="\0").total == 0


def test_a_long_text_is_cut(installation: Installation) -> None:
    fill(installation, [DAY])
    found = search(installation, "speech " * 1_000)
    assert len(found.text) <= LONGEST
    assert found.with_words == 4


def test_what_was_searched_for_becomes_a_keyword(any_installation: Installation) -> None:
    join(any_installation, "ada", "geese")
    with any_installation.database.reading() as session:
        person = subscribers.by_email(session, "ada@example.org")
    assert person is not None
    number = id_of(person)
    typed = 'Graph learning -speech "message passing" netw*, swans'
    expected = ("message passing", "Graph learning", "swans")
    assert search(any_installation, typed).keywords == expected
    assert follow(any_installation, number, typed) == expected
    assert follow(any_installation, number, typed) == ()
    with any_installation.database.reading() as session:
        own = subscribers.interests(session, [number])[number]
    assert own == {InterestKind.KEYWORD: ["geese", *expected]}


def test_what_is_too_long_to_be_followed_is_found_all_the_same(installation: Installation) -> None:
    fill(installation, [DAY])
    typed = "speech recognition turns an audio recording of a speaker into words " * 2
    assert len(typed) > LONGEST_TERM
    found = search(installation, typed)
    assert found.with_words == 4
    assert found.keywords == ()
    with pytest.raises(InvalidWish, match="at most 100 characters"):
        keywords(typed)
