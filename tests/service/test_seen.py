"""Papers that were voted on are counted once, and seen as if they were counted each time."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from invented import Clock, Invented, arrival, fill, join

from paperpost.service import block, explain, library
from paperpost.service.explain import explain_at_hand
from paperpost.service.installation import Installation
from paperpost.service.seen import batch_of
from paperpost.service.train import current_model, text_of, train
from paperpost.service.vote import cast_by_command
from paperpost.store import papers, subscribers
from paperpost.store.intake import put_all
from paperpost.store.subscribers import id_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper
from recommender.batch import Batch
from recommender.matrices import SparseRows
from recommender.model import Model

OLD, DAY = date(2026, 4, 6), date(2026, 4, 7)


@pytest.fixture
def older(installation: Installation) -> list[Invented]:
    """Papers of a day that the model was trained on; there are more of the next day."""
    found = fill(installation, [OLD])
    train(installation)
    fill(installation, [DAY])
    return found


def stored(installation: Installation) -> list[Paper]:
    with installation.database.reading() as session:
        found = papers.by_number(session, range(1, 40))
    return [found[number] for number in sorted(found)]


def model_of(installation: Installation) -> Model:
    model = current_model(installation)
    assert model is not None
    return model


def rows(matrix: SparseRows) -> list[list[float]]:
    return [part.tolist() for part in (matrix.data, matrix.indices, matrix.indptr)]


def same(one: Batch, other: Batch) -> bool:
    return (
        one.papers == other.papers
        and rows(one.tfidf) == rows(other.tfidf)
        and np.array_equal(one.factors, other.factors)
        and one.trained.tolist() == other.trained.tolist()
        and one.space == other.space
    )


@pytest.mark.usefixtures("older")
def test_papers_are_seen_as_the_model_sees_them_together(installation: Installation) -> None:
    model, known = model_of(installation), stored(installation)
    assert {-1} < set(model.batch([text_of(one) for one in known]).trained.tolist())
    for some in (known[:5], known[3:9], known[::-1], []):
        wanted = model.batch([text_of(paper) for paper in some])
        assert same(batch_of(installation, model, some), wanted)
        assert same(batch_of(installation, model, some), wanted)


def test_a_paper_that_changed_is_counted_again(
    installation: Installation, older: list[Invented], clock: Clock
) -> None:
    model = model_of(installation)
    (before, *_) = stored(installation)
    batch_of(installation, model, [before])
    clock.turn(minutes=1)
    record = replace(arrival(older[0]), abstract="Nothing about graphs, but all about speech.")
    with installation.database.writing() as session:
        put_all(session, [record], clock())
    (after, *_) = stored(installation)
    assert after.abstract.startswith("Nothing")
    assert same(batch_of(installation, model, [after]), model.batch([text_of(after)]))


@pytest.mark.usefixtures("older")
def test_what_a_library_alone_tells_of_is_not_kept(installation: Installation) -> None:
    join(installation, "ada", "speech")
    with installation.database.reading() as session:
        ada = subscribers.by_email(session, "ada@example.org")
    assert ada is not None
    work = b"@article{a, title = {Graph networks that nobody has told of}}"
    library.take_in(installation, id_of(ada), library.read(work, "mine.bib"))
    model, known = model_of(installation), stored(installation)
    (private,) = [paper for paper in known if paper.announced == NEVER_ANNOUNCED]
    batch_of(installation, model, known)
    keys = [(model.key, paper.id, paper.changed_at) for paper in known]
    kept = {paper_id for _, paper_id, _ in installation.slot.seen.find(keys)}
    assert kept == {paper.id for paper in known} - {private.id}


def test_a_page_shows_the_ranking_that_is_mailed(
    installation: Installation, older: list[Invented]
) -> None:
    email = join(installation, "ada", "speech")
    for paper in older[:3]:
        cast_by_command(installation, email, paper.id, "up")
    wanted = explain.explain(installation, email, DAY)
    assert wanted
    assert explain_at_hand(installation, email, DAY) == wanted
    assert explain_at_hand(installation, email, DAY) == wanted


def test_the_newest_thousand_votes_are_the_profile(
    installation: Installation, older: list[Invented], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = join(installation, "ada"), join(installation, "ben")
    for paper in older[:6]:
        cast_by_command(installation, ada, paper.id, "up")
    for paper in older[4:6]:
        cast_by_command(installation, ben, paper.id, "up")

    def scores(email: str) -> list[tuple[str, float]]:
        found = explain.explain(installation, email, DAY, 20)
        return [(one["paper"], one["score"]) for one in found]

    assert scores(ada) != scores(ben)
    monkeypatch.setattr(block, "MOST_VOTES", 2)
    assert scores(ada) == scores(ben)
