"""The index of words: whatever becomes of a paper, and whatever is typed, on both databases."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import START
from sqlalchemy import text
from sqlmodel import Session, select

from paperpost.store import word_index
from paperpost.store.database import Database
from paperpost.store.intake import put_all
from paperpost.store.papers import find, number_of
from paperpost.store.records import Record
from paperpost.store.tables import NEVER_ANNOUNCED, Paper
from paperpost.store.word_index import RANKED, best, count, loosely, matching, newest
from paperpost.store.words import EVERYWHERE, MOST_WORDS, Within, read_query

DAY = date(2026, 4, 7)
GEESE = Record(
    name="2604.00001",
    title="Self-supervised geese",
    abstract="We let Schrödinger networks watch birds.",
    authors=("Zoë Müller", "Ada Hughes"),
    categories=("cs.CL", "q-bio.NC"),
    announced=DAY,
    source="test",
)
SWANS = Record(
    name="2604.00002",
    title="Swans in the state of the art",
    abstract="Birds, and GPT-4o: geese are left out here.",
    authors=("Ben Okri",),
    categories=("math.OC",),
    announced=date(2026, 4, 1),
    source="test",
)


@pytest.fixture(autouse=True)
def _papers(database: Database) -> None:
    put(database, GEESE, SWANS)


def put(database: Database, *told: Record) -> None:
    with database.writing() as session:
        put_all(session, told, START)


def found(database: Database, typed: str, within: Within = EVERYWHERE) -> list[str]:
    with database.reading() as session:
        query = read_query(typed)
        numbers = best(session, query, within, limit=10)
        assert len(numbers) == count(session, query, within)
        assert sorted(numbers) == sorted(newest(session, query, within, limit=10))
        assert set(numbers) <= matching(session, query, numbers)
        return [session.exec(select(Paper.id).where(Paper.number == n)).one() for n in numbers]


def test_words_are_found_however_they_are_written(database: Database) -> None:
    for typed in (
        *("self supervised", "self-supervised", '"self supervised"', "SUPERVISED", "supervis*"),
        *("network", "networks", "schrodinger", "Schrödinger", "müller", "muller"),
        *("Zoë", "Ada Hughes", "hughes geese", "geese -swans", 'geese -"state of"'),
    ):
        assert found(database, typed) == [GEESE.name], typed


def test_a_word_of_the_title_is_worth_more(database: Database) -> None:
    assert found(database, "geese") == [GEESE.name, SWANS.name]
    assert found(database, "swans") == [SWANS.name]


def test_all_words_have_to_stand_there_and_phrases_as_they_are(database: Database) -> None:
    for typed in (
        *('"state of the art"', '"of the art"', "the state of the art", "gpt 4o", "GPT-4o"),
        *('"gpt', "swans geese birds okri"),
    ):
        assert found(database, typed) == [SWANS.name], typed
    for typed in (
        *('"art state"', '"the state art"', "swans müller", "-swans", "", "* - \"\" ''", "zebra"),
        *("goose*geese", "g*ese"),
    ):
        assert found(database, typed) == [], typed


def test_nothing_typed_is_syntax(database: Database) -> None:
    for hostile in (
        *("title : geese", "geese OR swans", "NEAR(geese swans)", "geese AND", '"', '""', "geese)"),
        *(
            "'; DROP TABLE paper; --",
            "geese:*",
            "!geese",
            "geese & | !",
            "<-> geese",
            "a\\'b",
            "\\",
        ),
        *("{title}:geese", "^geese", "geese + swans", "%s %(x)s :name ?", "(" * 300, "-" * 300),
        *("\u0301\u0301", "ﬁ½²", "語言モデル", "🙂", "\u202egeese", "category:cs.cl", "²" * 90),
    ):
        found(database, hostile)
    assert found(database, "geese") == [GEESE.name, SWANS.name]


def test_any_text_at_all_is_only_searched_for(database: Database) -> None:
    with database.reading() as session:

        @given(st.text(max_size=80).filter(lambda typed: "\0" not in typed))
        def search(typed: str) -> None:
            query = read_query(typed)
            assert count(session, query) >= len(best(session, query, limit=1))
            matching(session, loosely(session, query), [1, 2])

        search()


def test_very_many_words_are_cut(database: Database) -> None:
    query = read_query("geese " + " ".join(f"word{n}" for n in range(200)))
    assert sum(len(phrase.words) for phrase in query.wanted) == MOST_WORDS
    assert len(read_query("geese " * 200).wanted) == 1
    long = read_query('"' + "geese " * 200 + '"')
    assert [len(phrase.words) for phrase in long.wanted] == [MOST_WORDS]
    assert found(database, "geese " * 200) == [GEESE.name, SWANS.name]


def test_words_that_all_papers_have_are_left_out_unless_there_are_no_others() -> None:
    assert [one.words for one in read_query("what is in the geese").wanted] == [("geese",)]
    assert [one.words for one in read_query("to be").wanted] == [("to",), ("be",)]


def test_what_was_typed_is_kept_as_terms() -> None:
    assert read_query('Graph of -speech "deep Geese" netw* nets').terms == (
        "deep Geese",
        "Graph of , nets",
    )


def test_a_category_or_its_archive(database: Database) -> None:
    for category in ("cs.CL", "CS.cl", "cs", "q-bio.NC", "q-bio", "cs' || '", '"'):
        assert found(database, "supervised geese", Within(category)) == [GEESE.name], category
    for category in ("cs.AI", "math.OC", "physics"):
        assert found(database, "supervised geese", Within(category)) == [], category


def test_days(database: Database) -> None:
    assert found(database, "geese", Within(since=DAY)) == [GEESE.name]
    assert found(database, "geese", Within(until=date(2026, 4, 6))) == [SWANS.name]
    assert found(database, "geese", Within("math", DAY)) == []


def test_the_newest_come_first_when_asked_for(database: Database) -> None:
    later = replace(SWANS, name="2604.00003", announced=date(2026, 4, 8), title="Geese again")
    put(database, later)
    with database.reading() as session:
        numbers = newest(session, read_query("geese"), limit=2)
        expected = [find(session, name) for name in (later.name, GEESE.name)]
        assert numbers == [number_of(paper) for paper in expected if paper]


def test_what_changes_is_found_by_what_it_is_now(database: Database) -> None:
    with database.writing() as session:
        paper = session.exec(select(Paper).where(Paper.id == GEESE.name)).one()
        paper.title, paper.authors = "Ducks", ["Carla Diaz"]
    assert found(database, "supervised") == []
    assert found(database, "müller") == []
    assert found(database, "ducks diaz watch") == [GEESE.name]


def test_what_goes_is_found_no_more(database: Database) -> None:
    with database.writing() as session:
        session.delete(session.exec(select(Paper).where(Paper.id == GEESE.name)).one())
    assert found(database, "supervised") == []
    assert found(database, "geese") == [SWANS.name]


def test_what_only_a_readers_own_library_tells_of_is_never_found(database: Database) -> None:
    own = _copy(database, GEESE.name)
    own.number, own.id, own.title = 900, "2604.00009", "Private ducks"
    own.announced = NEVER_ANNOUNCED
    with database.writing() as session:
        session.add(own)
    assert found(database, "private ducks") == []
    with database.writing() as session:
        session.merge(own).announced = DAY
    assert found(database, "private ducks") == ["2604.00009"]
    with database.writing() as session:
        session.merge(own).announced = NEVER_ANNOUNCED
    assert found(database, "private ducks") == []
    with database.writing() as session:
        session.delete(session.exec(select(Paper).where(Paper.number == 900)).one())
    _is_whole(database)


def _copy(database: Database, name: str) -> Paper:
    with database.reading() as session:
        return Paper(**session.exec(select(Paper).where(Paper.id == name)).one().model_dump())


def _is_whole(database: Database) -> None:
    if database.is_sqlite:  # raises if the index is broken
        with database.writing() as session:
            session.execute(
                text("INSERT INTO paper_words (paper_words) VALUES ('integrity-check')")
            )


def test_papers_that_are_merged_are_found_once(database: Database) -> None:
    put(database, replace(SWANS, name="doi:10.1000/swans", title="Swans elsewhere"))
    assert len(found(database, "swans")) == 2
    both = replace(SWANS, also=("doi:10.1000/swans",))
    put(database, both)
    assert len(found(database, "swans")) == 1
    _is_whole(database)


def test_the_migration_takes_in_what_is_there(database: Database) -> None:
    database.downgrade("0004")
    database.upgrade()
    assert found(database, "müller geese") == [GEESE.name]
    put(database, replace(GEESE, name="2604.00004", title="Ducks after all"))
    assert found(database, "ducks, after all") == ["2604.00004"]


def test_of_very_common_words_the_newest_are_ranked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_index, "RANKED", 1)
    with database.reading() as session:
        query = read_query("geese")
        (number,) = best(session, query, limit=10)
        assert number == max(newest(session, query, limit=10))
        assert count(session, query) == 2
    assert RANKED > 1_000


def test_a_loose_search_is_for_the_rarest_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rarest(session: Session) -> list[tuple[str, ...]]:
        query = loosely(session, read_query("geese supervised birds zebra"))
        assert query.any_of
        return [phrase.words for phrase in query.wanted]

    with database.reading() as session:
        assert rarest(session) == [("supervised",), ("geese",), ("birds",)]
        monkeypatch.setattr(word_index, "LOOSELY", 1)
        assert rarest(session) == [("supervised",)]
        monkeypatch.setattr(word_index, "LOOSELY", 0)
        nothing = loosely(session, read_query("geese birds"))
        assert nothing.wanted == ()
        assert best(session, nothing, limit=5) == []
