"""Any order and any batches make the same rows, and whatever points to a row still does after it
was merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import START, Invented, arrival
from sqlmodel import Session, col, select
from told import worlds

from paperpost.store import fragments, merging, papers, subscribers, vote_posts, votes
from paperpost.store.database import Database
from paperpost.store.intake import put_all
from paperpost.store.papers import number_of
from paperpost.store.records import MOST_RECORDS, Record
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Fragment,
    Paper,
    PaperAlias,
    PaperRecord,
    Subscriber,
    VotePost,
    WaitingRecord,
)

DAY = date(2026, 4, 7)
JOURNAL = replace(
    arrival(Invented("2604.00001", "graph", DAY)),
    name="doi:10.1234/abc",
    source="journal",
    version=None,
    title_keys=("hf:journal",),
    url="https://doi.org/10.1234/abc",
)
PREPRINT = arrival(Invented("2604.00001", "graph", DAY + timedelta(days=1)))
# What tells that the two are one.
BRIDGE = replace(PREPRINT, version=2, also=(JOURNAL.name,))


# In which order papers came in.
OF_THE_CLOCK = {"number", "added_at", "changed_at", "revised_at", "stood_from"}


class _Undone(Exception):
    pass


def rows(session: Session) -> list[Any]:
    """Everything about papers but numbers and the times of the clock."""
    numbers = {number_of(paper): paper.id for paper in session.exec(select(Paper))}
    stored = [
        paper.model_dump(exclude=OF_THE_CLOCK)
        for paper in session.exec(select(Paper).order_by(col(Paper.id)))
    ]
    aliases = [(row.alias, numbers[row.paper_number]) for row in session.exec(select(PaperAlias))]
    kept = [
        (numbers[row.paper_number], row.name, str(sorted(row.said.items())))
        for row in session.exec(select(PaperRecord))
    ]
    waiting = [
        (row.name, str(sorted(row.said.items()))) for row in session.exec(select(WaitingRecord))
    ]
    return [stored, sorted(aliases), sorted(kept), sorted(waiting)]


def rows_after(database: Database, batches: Sequence[Sequence[Record]]) -> list[Any]:
    """The rows that these batches make in an empty store, which stays empty."""
    found: list[Any] = []
    try:
        with database.writing() as session:
            for batch in batches:
                put_all(session, batch, START)
                session.flush()
                session.expunge_all()
            found = rows(session)
            raise _Undone
    except _Undone:
        return found


@given(
    records=worlds(),
    order=st.randoms(use_true_random=False),
    cuts=st.lists(st.integers(0, 8), max_size=3),
)
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_order_and_any_batches_make_the_same_rows(
    sqlite_url: str, records: list[Record], order: Any, cuts: list[int]
) -> None:
    database = Database(sqlite_url)
    shuffled = list(records)
    order.shuffle(shuffled)
    places = [0, *sorted(cuts), len(shuffled)]
    batches = [shuffled[a:b] for a, b in pairwise(places)]
    together = rows_after(database, [records])
    assert rows_after(database, batches) == together
    assert rows_after(database, [*batches, shuffled]) == together
    database.close()


def put(database: Database, *records: Record) -> dict[str, int]:
    with database.writing() as session:
        changes = put_all(session, records, START)
    return {str(change): number for change, number in changes.items()}


def numbers(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {paper.id: number_of(paper) for paper in session.exec(select(Paper))}


def reader(database: Database) -> int:
    with database.writing() as session:
        subscribers.add(
            session, Subscriber(email="ada@example.org", state="active", joined_at=START)
        )
    with database.reading() as session:
        person = subscribers.by_email(session, "ada@example.org")
    assert person is not None
    return id_of(person)


def vote(database: Database, subscriber_id: int, paper: int, value: int, minutes: int) -> None:
    at = START + timedelta(minutes=minutes)
    with database.writing() as session:
        paper = number_of(papers.by_number(session, [paper])[paper])
        votes.cast(session, subscriber_id, paper, value, origin="link", now=at, counts_at=at)
        vote_posts.add(
            session,
            VotePost(
                subscriber_id=subscriber_id, paper_number=paper, link_value=value, value=value,
                issued_at=START, posted_at=at,
            ),
        )  # fmt: skip


def test_two_papers_that_turn_out_to_be_one_keep_the_lower_number_and_the_best_of_both(
    database: Database,
) -> None:
    assert put(database, JOURNAL, PREPRINT) == {"added": 2}
    before = numbers(database)
    assert put(database, BRIDGE) == {"updated": 1}
    assert numbers(database) == {PREPRINT.name: before[JOURNAL.name]}
    with database.reading() as session:
        found = papers.by_number(session, before.values())
        assert papers.find(session, JOURNAL.name) == found[before[JOURNAL.name]]
    assert {number: paper.id for number, paper in found.items()} == dict.fromkeys(
        before.values(), PREPRINT.name
    )
    (paper,) = {id(paper): paper for paper in found.values()}.values()
    assert (paper.announced, paper.version, paper.source) == (DAY, 2, "test")
    assert paper.url == PREPRINT.url
    assert put(database, JOURNAL, PREPRINT, BRIDGE) == {"skipped": 3}


def test_votes_on_both_are_kept_and_the_newest_counts(database: Database) -> None:
    put(database, JOURNAL, PREPRINT)
    ada, before = reader(database), numbers(database)
    vote(database, ada, before[PREPRINT.name], 1, minutes=1)
    vote(database, ada, before[JOURNAL.name], -1, minutes=2)
    put(database, BRIDGE)
    (number,) = numbers(database).values()
    later = START + timedelta(hours=1)
    with database.reading() as session:
        assert [act.value for act in votes.acts(session, ada)] == [1, -1]
        assert {post.paper_number for post in vote_posts.of_subscriber(session, ada)} == {number}
        assert votes.standing(session, ada, number, later).value == -1
    vote(database, ada, before[PREPRINT.name], 1, minutes=3)  # by the link of an old mail
    with database.reading() as session:
        assert votes.standing(session, ada, number, later).value == 1


def test_frozen_texts_of_both_are_kept_even_where_they_are_the_same(database: Database) -> None:
    put(database, JOURNAL, PREPRINT)
    before = numbers(database)
    frozen = [
        Fragment(paper_number=number, checksum="same", title="", url="", html="", text=name)
        for name, number in sorted(before.items())
    ]
    with database.writing() as session:
        kept = fragments.keep(session, frozen)
    put(database, BRIDGE)
    with database.reading() as session:
        found = fragments.by_number(session, kept.values())
        assert fragments.shown(session, before.values()) == set(numbers(database).values())
    assert sorted(fragment.text for fragment in found.values()) == sorted(before)


def test_a_number_given_up_leads_on_however_often_papers_are_merged(database: Database) -> None:
    third = replace(JOURNAL, name="pmid:7", title_keys=("hf:third",))
    put(database, third)
    put(database, JOURNAL)
    put(database, PREPRINT)
    before = numbers(database)
    put(database, BRIDGE)
    with database.reading() as session:
        first = merging.newest(session)
    put(database, replace(third, also=(JOURNAL.name,)))
    (last,) = numbers(database).values()
    assert last == before["pmid:7"]
    with database.writing() as session:
        assert merging.hold(session, [*before.values(), 999]) == dict.fromkeys(
            before.values(), last
        )
        given_up = set(before.values()) - {last}
        assert merging.successors(session, before.values()) == dict.fromkeys(given_up, last)
        assert merging.hold_all(session, before.values(), merging.newest(session))
        assert not merging.hold_all(session, [last], first)
        assert not merging.hold_all(session, given_up, 0)
        assert merging.hold_all(session, [999], 0)


def test_a_record_moves_to_the_arxiv_paper_it_belongs_to_once_that_is_told(
    database: Database,
) -> None:
    second = replace(PREPRINT, name="2604.00002", title_keys=("hf:second",), also=(JOURNAL.name,))
    put(database, JOURNAL, second)
    (number,) = numbers(database).values()
    assert put(database, replace(PREPRINT, also=(JOURNAL.name,))) == {"added": 1}
    now = numbers(database)
    assert now["2604.00002"] == number
    with database.reading() as session:
        first = papers.find(session, JOURNAL.name)
        assert first is not None
        assert (first.id, first.announced) == (PREPRINT.name, DAY)
        other = papers.find(session, "2604.00002")
        assert other is not None
        assert other.announced == second.announced


def test_a_newer_version_tells_when_it_was_revised_and_an_old_one_that_is_told_late_does_not(
    database: Database,
) -> None:
    later = DAY + timedelta(days=9)
    replacement = replace(PREPRINT, version=3, announced=later, revised=later, only_if_known=True)
    put(database, PREPRINT, replacement)
    late = replace(replacement, version=2, revised=later + timedelta(days=1))
    assert put(database, late) == {"skipped": 1}
    again = replace(replacement, announced=later + timedelta(days=1), revised=later)
    assert put(database, again) == {"skipped": 1}
    with database.reading() as session:
        paper = papers.find(session, PREPRINT.name)
    assert paper is not None
    assert (paper.revised, paper.announced, paper.version) == (later, PREPRINT.announced, 3)


def test_what_was_told_in_the_same_words_on_two_days_is_one_record(database: Database) -> None:
    put(database, PREPRINT, replace(PREPRINT, announced=DAY))
    with database.reading() as session:
        assert session.exec(select(PaperRecord)).all() == []
    assert put(database, PREPRINT) == {"skipped": 1}


def test_a_source_that_corrects_itself_has_the_last_word_and_takes_nothing_back(
    database: Database,
) -> None:
    put(database, replace(PREPRINT, upvotes=9, also=(JOURNAL.name,)))
    corrected = replace(PREPRINT, title="Spelt right", abstract="", upvotes=4)
    assert put(database, corrected) == {"updated": 1}
    with database.reading() as session:
        paper = papers.find(session, JOURNAL.name)
    assert paper is not None
    assert (paper.title, paper.upvotes) == ("Spelt right", 9)
    assert paper.abstract == PREPRINT.abstract


def test_a_paper_keeps_a_bounded_number_of_records(database: Database) -> None:
    told = [
        replace(JOURNAL, announced=DAY + timedelta(days=n), abstract=f"Told {n} times before.")
        for n in range(MOST_RECORDS + 40)
    ]
    put(database, *told[:30])
    put(database, *told[30:])
    with database.reading() as session:
        assert len(session.exec(select(PaperRecord)).all()) == MOST_RECORDS
        (paper,) = session.exec(select(Paper))
    assert (paper.announced, paper.abstract) == (DAY, told[-1].abstract)
    assert put(database, *told[:30]) == {"skipped": 30}


def test_what_was_told_is_counted_by_what_came_of_it(database: Database) -> None:
    second = replace(PREPRINT, version=2, abstract="Second thoughts.")
    assert put(database, PREPRINT, PREPRINT, second) == {"added": 1, "skipped": 1, "updated": 1}
    third = replace(second, version=3)
    assert put(database, second, third, third) == {"skipped": 2, "updated": 1}
    assert put(database, PREPRINT, second, third) == {"skipped": 3}


def replacement(day: date) -> Record:
    return replace(
        PREPRINT, version=2, abstract="Revised.", announced=day, revised=day, only_if_known=True
    )


def test_a_replacement_that_comes_before_its_paper_waits_for_it(database: Database) -> None:
    later = DAY + timedelta(days=9)
    assert put(database, replacement(later)) == {"skipped": 1}
    assert put(database, replacement(later)) == {"skipped": 1}
    assert numbers(database) == {}
    assert put(database, PREPRINT) == {"added": 1}
    with database.reading() as session:
        paper = papers.find(session, PREPRINT.name)
        assert session.exec(select(WaitingRecord)).all() == []
    assert paper is not None
    assert (paper.abstract, paper.version, paper.revised) == ("Revised.", 2, later)
    assert (paper.announced, paper.revised_at) == (PREPRINT.announced, START)
    assert put(database, replacement(later)) == {"skipped": 1}


def test_a_replacement_does_not_wait_for_ever(database: Database) -> None:
    for name, days in ((PREPRINT.name, 0), ("2604.00002", 40)):
        with database.writing() as session:
            put_all(session, [replace(replacement(DAY), name=name)], START + timedelta(days=days))
    with database.reading() as session:
        assert [one.name for one in session.exec(select(WaitingRecord))] == ["2604.00002"]
