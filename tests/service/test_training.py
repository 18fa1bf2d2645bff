"""When it is time to train, and what a training learns from."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from invented import Clock, fill, join

from paperpost.service.installation import Installation
from paperpost.service.lesson import learn
from paperpost.service.train import enough_has_changed, text_of, train
from paperpost.service.vote import cast_by_command
from paperpost.store import lessons, papers, votes
from paperpost.store.lessons import Words
from paperpost.store.tables import Vote
from recommender import sample
from recommender.matrices import from_entries
from recommender.sample import fit_part, papers_to_fit, readers_to_fit

DAY, LATER = date(2026, 4, 6), date(2026, 4, 7)


@pytest.fixture
def voted(any_installation: Installation) -> list[str]:
    """Papers of two days, the ids of the older ones first, and three readers' votes on them."""
    made = [one.id for one in fill(any_installation, [DAY, LATER])]
    for name, liked in (("ada", made[:3]), ("ben", made[2:7]), ("eve", made[11:13])):
        email = join(any_installation, name, "graph neural networks")
        for paper_id in liked:
            cast_by_command(any_installation, email, paper_id, "up")
    return made


def vote_again(
    installation: Installation,
    times: int,
    *,
    held: timedelta = timedelta(),
    voided: str | None = None,
) -> None:
    now = installation.clock()
    with installation.database.writing() as session:
        for _ in range(times):
            session.add(
                Vote(
                    subscriber_id=1,
                    paper_number=1,
                    value=1,
                    origin="test",
                    cast_at=now,
                    counts_at=now + held,
                    voided=voided,
                )
            )


def test_enough_new_votes_are_a_reason_to_train(
    any_installation: Installation, voted: list[str], clock: Clock
) -> None:
    assert enough_has_changed(any_installation)
    train(any_installation)
    clock.turn(minutes=1)
    vote_again(any_installation, 20)
    vote_again(any_installation, 5, voided="a program's")
    assert not enough_has_changed(any_installation)
    vote_again(any_installation, 1)
    assert enough_has_changed(any_installation)


def test_after_a_day_anything_new_is_and_what_was_held_then_is_new(
    any_installation: Installation, voted: list[str], clock: Clock
) -> None:
    vote_again(any_installation, 1, held=timedelta(minutes=10))
    vote_again(any_installation, 1)
    train(any_installation)
    clock.turn(days=1)
    assert enough_has_changed(any_installation)
    train(any_installation)
    clock.turn(days=1)
    assert not enough_has_changed(any_installation)
    fill(any_installation, [date(2026, 4, 8)])
    assert enough_has_changed(any_installation)


def test_votes_are_counted_no_further_than_is_asked(
    any_installation: Installation, voted: list[str]
) -> None:
    with any_installation.database.reading() as session:
        now = any_installation.clock()
        assert votes.count_later(session, now, 0, most=100) == votes.count(session, now) == 10
        assert votes.count_later(session, now, 0, most=4) == 4
        assert votes.count_later(session, now, 8, most=4) == 2


def test_what_ships_is_what_is_measured(
    any_installation: Installation, voted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training on a part gives the model that evaluate and bench get from the same part."""
    monkeypatch.setattr(sample, "MOST_PAPERS", 12)
    monkeypatch.setattr(sample, "MOST_READERS", 2)
    monkeypatch.setattr(sample, "PART", 5)
    learnt = learn(any_installation)
    assert learnt is not None
    ours = learnt.model
    with any_installation.database.reading() as session:
        stored = sorted(papers.days(session), key=lambda row: row[2], reverse=True)
        found = papers.by_number(session, [number for number, _, _ in stored])
        held = votes.counted(session, any_installation.clock())
    texts = [text_of(found[number]) for number, _, _ in stored]
    places = {number: place for place, (number, _, _) in enumerate(stored)}
    rows = [{places[n]: float(vote.value) for n, vote in held[who].items()} for who in sorted(held)]
    matrix = from_entries(rows, len(texts))
    drawn = papers_to_fit(np.bincount(matrix.indices, minlength=len(texts)).astype(np.int32), 12)
    cast = np.diff(matrix[:, drawn].indptr)
    theirs = fit_part(
        ours.vocabulary.count([text.text for text in texts]),
        texts,
        ours.vocabulary.terms,
        matrix,
        rows=readers_to_fit(np.array(sorted(held), dtype=np.int32), cast, 2),
        places=drawn,
    )
    assert ours.paper_ids == theirs.paper_ids
    assert len(ours.paper_ids) == 24
    np.testing.assert_allclose(ours.space.paper_factors, theirs.space.paper_factors, atol=1e-5)
    np.testing.assert_array_equal(ours.neighbours.votes, theirs.neighbours.votes)
    for own, other in (
        (ours.neighbours.steps, theirs.neighbours.steps),
        (ours.tfidf, theirs.tfidf),
    ):
        np.testing.assert_array_equal(own.indptr, other.indptr)
        np.testing.assert_array_equal(own.indices, other.indices)
        np.testing.assert_allclose(own.data, other.data, rtol=1e-6)
    assert ours.neighbours.votes.sum() == 10


def test_a_paper_that_comes_again_while_they_are_read_is_learnt_once(
    any_installation: Installation, voted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a merger between two parts: the second has the id of a paper of the first."""
    monkeypatch.setattr(sample, "MOST_PAPERS", 12)
    monkeypatch.setattr(sample, "PART", 5)
    read = lessons.words

    def merged(session: object, numbers: Sequence[int]) -> Iterator[Words]:
        for one in read(session, numbers):  # type: ignore[arg-type]
            yield one._replace(id=voted[-1]) if one.id == voted[0] else one

    monkeypatch.setattr(lessons, "words", merged)
    learnt = learn(any_installation)
    assert learnt is not None
    assert sorted(learnt.model.paper_ids) == sorted(voted[1:])


def test_how_crowded_it_is_around_the_papers_of_the_last_days_is_worked_out(
    any_installation: Installation, voted: list[str]
) -> None:
    newer = {one.id for one in fill(any_installation, [DAY + timedelta(days=8)])}
    newest = {one.id for one in fill(any_installation, [DAY + timedelta(days=9)])}
    learnt = learn(any_installation)
    assert learnt is not None
    known = learnt.model.background.known_crowding
    told = {
        one for one, own in zip(learnt.model.paper_ids, known, strict=True) if not np.isnan(own)
    }
    assert told == newer | newest
    assert told.isdisjoint(voted)
