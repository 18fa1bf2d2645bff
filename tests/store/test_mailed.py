"""What was mailed is told from the digests as they were frozen."""

from collections.abc import Sequence
from datetime import date

from invented import fill, join
from sqlalchemy import update

from paperpost.engine.runs import compose_all_of
from paperpost.service.installation import Installation
from paperpost.store import digests, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Digest

DAY = date(2026, 4, 7)


def mailed(installation: Installation, items: Sequence[object]) -> set[int]:
    """The papers of a digest with these items."""
    fill(installation, [DAY])
    email = join(installation, "ada", "graph")
    compose_all_of(installation, DAY)
    with installation.database.writing() as session:
        session.execute(update(Digest).values(items=list(items)))
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        assert person is not None
        return digests.mailed(session, [id_of(person)], DAY)[id_of(person)]


def test_papers_and_their_copies_were_mailed(any_installation: Installation) -> None:
    items = [{"paper": 1001, "also": []}, {"paper": 1002, "also": [1003, 1004]}, {"paper": 1005}]
    assert mailed(any_installation, items) == {1001, 1002, 1003, 1004, 1005}


def test_what_a_reason_quotes_was_not_mailed(any_installation: Installation) -> None:
    quoted = 'close to “{"paper": 1006, "also": [1007]}”'
    items = [{"paper": 1001, "fragment": 1008, "reasons": [quoted], "interest": '"paper": 1009'}]
    assert mailed(any_installation, items) == {1001}
