"""What the model has learnt of papers serves whoever looks at them, for as long as it is true."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from invented import Clock, Invented, arrival, fill, join
from sqlalchemy import event

from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.seen import Voted, batch_of, places_in, voted_on
from paperpost.service.train import current_model, text_of, train
from paperpost.service.vote import cast_by_command
from paperpost.service.window import window_of
from paperpost.store import papers
from paperpost.store.intake import put_all
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper
from recommender.model import Model

OLD, DAY = date(2026, 4, 6), date(2026, 4, 7)


@pytest.fixture
def older(any_installation: Installation, clock: Clock) -> list[Invented]:
    """Papers that the model has learnt; later there are more of the next day."""
    found = fill(any_installation, [OLD])
    clock.turn(minutes=5)
    train(any_installation)
    clock.turn(minutes=1)
    fill(any_installation, [DAY])
    return found


def model_of(installation: Installation) -> Model:
    model = current_model(installation)
    assert model is not None
    return model


def stored(installation: Installation) -> list[Paper]:
    with installation.database.reading() as session:
        return sorted(papers.by_number(session, range(1, 40)).values(), key=number_of)


def seen(installation: Installation, known: list[Paper]) -> Voted:
    with installation.database.reading() as session:
        numbers = [number_of(paper) for paper in known]
        return voted_on(installation, session, model_of(installation), numbers)


def numbers_in(voted: Voted) -> tuple[list[str], list[list[float]], list[list[float]], list[int]]:
    batch = voted.batch
    rows = [batch.tfidf.data.tolist(), batch.tfidf.indices.tolist(), batch.tfidf.indptr.tolist()]
    ids = [paper.id for paper in batch.papers]
    return ids, rows, batch.factors.tolist(), batch.trained.tolist()


@pytest.mark.usefixtures("older")
def test_papers_are_seen_as_if_their_texts_were_read(any_installation: Installation) -> None:
    known = stored(any_installation)
    mixed = known[::3]
    found = seen(any_installation, mixed[::-1])
    texts = Voted(batch_of(any_installation, model_of(any_installation), mixed), found.names)
    assert {-1} < set(found.batch.trained.tolist())
    assert numbers_in(found) == numbers_in(texts)
    assert found.names == {number_of(paper): paper.id for paper in mixed}
    assert seen(any_installation, []).names == {}


def test_a_learnt_text_is_not_read_and_a_changed_one_is(
    any_installation: Installation, older: list[Invented], clock: Clock
) -> None:
    known = stored(any_installation)[:5]
    seen(any_installation, known)
    clock.turn(minutes=1)
    record = replace(arrival(older[0]), abstract="Nothing about graphs, but all about speech.")
    with any_installation.database.writing() as session:
        put_all(session, [record], clock())
    read: list[str] = []
    event.listen(
        any_installation.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: read.append(statement),
    )
    changed = seen(any_installation, known)
    assert [paper.abstract for paper in changed.batch.papers if paper.abstract] == [record.abstract]
    seen(any_installation, known[1:])
    assert sum("abstract" in statement for statement in read) == 1
    after = stored(any_installation)[:5]
    texts = Voted(batch_of(any_installation, model_of(any_installation), after), changed.names)
    assert numbers_in(changed) == numbers_in(texts)


def test_candidates_are_seen_as_their_texts_are_now_though_most_are_not_read_again(
    any_installation: Installation, older: list[Invented], clock: Clock
) -> None:
    clock.turn(minutes=1)
    record = replace(arrival(older[0]), abstract="Nothing about graphs, but all about speech.")
    with any_installation.database.writing() as session:
        put_all(session, [record], clock())
    model = model_of(any_installation)
    with any_installation.database.reading() as session:
        window = window_of(any_installation, session, OLD, DAY)
        places = places_in(any_installation, session, model)
        found = window.batch(session, places)
        learnt = places.in_order(session, window.numbers)
    assert np.count_nonzero(learnt >= 0) == len(older) - 1
    texts = [text_of(paper) for paper in window.candidates]
    assert numbers_in(Voted(found, {})) == numbers_in(Voted(model.batch(texts), {}))
    assert list(found.papers) == texts
    assert record.abstract in {paper.abstract for paper in found.papers}


def test_a_ranking_is_the_same_with_a_model_that_has_learnt_less(
    any_installation: Installation, older: list[Invented]
) -> None:
    email = join(any_installation, "ada", "speech")
    for paper in older[:4]:
        cast_by_command(any_installation, email, paper.id, "up")
    wanted = explain(any_installation, email, DAY)
    slot = any_installation.slot
    assert wanted
    assert slot.places is not None
    assert slot.places.places
    slot.places = replace(slot.places, places={})
    assert explain(any_installation, email, DAY) == wanted
