"""What interests would bring, shown to somebody who is no subscriber yet."""

from collections.abc import Iterator
from datetime import date

import pytest
from invented import Clock, fill, join
from stores import Stores

from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.live_preview import LivePreview, preview
from paperpost.service.ranking import rank_block
from paperpost.service.train import train
from paperpost.service.wishes import Wishes, checked
from paperpost.settings import load_settings
from paperpost.store.database import Database
from paperpost.store.papers import find
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind

DAY = date(2026, 4, 7)

INTERESTS = [
    {"keywords": "graph neural networks"},
    {"keywords": "speech; auctions", "muted": "study 2604 07100"},
    {"authors": "Noether, Emmy", "categories": "cs.LG", "muted": "game"},
    {"keywords": "foobarology"},
    {},
]


@pytest.fixture(scope="module")
def reading_room(
    stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation with thirty papers of one day and a model, which these tests share."""
    home = tmp_path_factory.mktemp("home")
    settings = load_settings(
        home=home, database_url=stores.make(home), secret_key=("a key for tests only",)
    )
    opened = Installation(settings, Database(settings.store_url), Clock())
    fill(opened, [DAY], each=10)
    train(opened)
    yield opened
    opened.close()


def test_a_preview_is_what_a_new_subscriber_would_get(reading_room: Installation) -> None:
    for number, fields in enumerate(INTERESTS):
        shown = preview(reading_room, checked(fields), limit=10)
        email = join(reading_room, f"reader{number}", **{"keywords": "", **fields})
        with reading_room.database.reading() as session:
            newcomer = named(session, email)
        digest = rank_block(reading_room, [newcomer], DAY)[id_of(newcomer)]
        assert [(one.id, one.probability, one.reasons) for one in shown.papers] == [
            (choice.paper.id, choice.probability, choice.reasons) for choice in digest.choices
        ]
        assert len(shown.papers) == 10


def test_each_interest_is_counted_in_the_papers_of_the_day(reading_room: Installation) -> None:
    fields = {"keywords": "graphs, foobarology", "authors": "Noether, Emmy; Kurt Gödel"}
    shown = preview(reading_room, checked({**fields, "categories": "CS.lg", "muted": "auction"}))
    found = {(one.kind.value, one.value): one.papers for one in shown.occurrences}
    assert found == {
        ("keyword", "graphs"): 10,
        ("keyword", "foobarology"): 0,
        ("author", "Noether"): 0,
        ("author", "Emmy"): 0,
        ("author", "Kurt Gödel"): 0,
        ("category", "CS.lg"): 30,
        ("muted", "auction"): 10,
    }
    assert (shown.day, shown.total, shown.considered) == (DAY, 30, 20)
    assert [one.value for one in shown.unknown] == ["foobarology", "Noether"]
    assert not any("game" in one.title.lower() for one in shown.papers)


def test_a_paper_can_be_added_by_what_is_not_asked_for_yet(reading_room: Installation) -> None:
    best = preview(reading_room, checked({"keywords": "speech"})).papers[0]
    words = [one.value for one in best.handles if one.kind == InterestKind.KEYWORD]
    assert len(words) == 3
    assert [one.value for one in best.handles[3:]] == [
        "Emmy Noether",
        "Sofia Kovalevskaya",
        "cs.LG",
    ]
    with reading_room.database.reading() as session:
        paper = find(session, best.id)
    assert paper is not None
    assert all(word.lower() in f"{paper.title} {paper.abstract}".lower() for word in words)

    asked = ", ".join(["speech", f"{words[0]}s", *words[1:]])
    wanted = checked({"keywords": asked, "categories": "CS.LG", "authors": "emmy noether"})
    again = next(one for one in preview(reading_room, wanted).papers if one.id == best.id)
    left = [handle.value for handle in again.handles]
    assert not {*words, "cs.LG", "Emmy Noether"} & set(left)
    assert "Sofia Kovalevskaya" in left


def test_without_papers_or_a_model_there_is_no_preview_and_none_is_trained(
    installation: Installation, said: list[str]
) -> None:
    wanted = Wishes(keywords=("graphs",))
    assert preview(installation, wanted) == LivePreview(None)
    fill(installation, [DAY])
    assert preview(installation, wanted) == LivePreview(DAY)
    assert said == []


def test_papers_that_came_in_since_are_in_the_preview(installation: Installation) -> None:
    fill(installation, [DAY], each=10)
    train(installation)
    assert preview(installation, Wishes()).total == 30
    fill(installation, [DAY], each=12)
    assert preview(installation, Wishes()).total == 36
    fill(installation, [date(2026, 4, 8)], each=1)
    shown = preview(installation, Wishes())
    assert (shown.day, shown.total) == (date(2026, 4, 8), 3)
