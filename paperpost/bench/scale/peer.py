"""How it is usually done: a loop over readers, each with a query of their own and a product with
the day's papers, as arxiv-sanity-lite (github.com/karpathy/arxiv-sanity-lite, send_emails.py) does.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection, text

from paperpost.bench.scale.site import Site
from paperpost.bench.scale.steps import Done
from recommender.matrices import Floats, SparseRows, dense_product, transposed
from recommender.text import Vocabulary, learn_terms, learn_weights

_TERMS = 50_000
_BEST = 10
_ASKED = (
    "SELECT value AS word, NULL::integer AS liked FROM interest "
    "WHERE subscriber_id = :reader AND kind = 'keyword' "
    "UNION ALL SELECT NULL, paper_number FROM vote WHERE subscriber_id = :reader AND value = 1"
)
_STORED = "CREATE TEMP TABLE peer_digest (reader integer, papers integer[])"
_LIKED_BY_THEM = (
    "SELECT number, title, abstract FROM paper WHERE number IN "
    "(SELECT paper_number FROM vote WHERE subscriber_id = ANY(:readers) AND value = 1)"
)


@dataclass(frozen=True)
class _Known:
    """What arxiv-sanity-lite has at hand as well: TF-IDF weights of the day's papers (terms x
    papers) and of those that were liked (papers x terms)."""

    vocabulary: Vocabulary
    numbers: Sequence[int]
    papers: SparseRows
    places: Mapping[int, int]
    liked: SparseRows


def one_by_one(site: Site, on: date, readers: int) -> Done:
    """The ten best of the day's papers for so many readers by words alone: no reasons, no frozen
    text, no mail. What may be worked out before is not timed."""
    with site.opened() as installation, installation.database.engine.connect() as connection:
        some = _some(connection, readers)
        known = _known(connection, on, some)
        connection.execute(text(_STORED))
        connection.commit()
        started = time.perf_counter()
        for reader in some:
            _digest(connection, known, reader)
            connection.commit()
        return Done(len(some), time.perf_counter() - started, {})


def _digest(connection: Connection, known: _Known, reader: int) -> None:
    asked = connection.execute(text(_ASKED), {"reader": reader}).all()
    words = ". ".join(row.word for row in asked if row.word)
    liked = [known.places[row.liked] for row in asked if row.liked in known.places]
    profile = known.vocabulary.weigh(known.vocabulary.count([words]))
    scores = dense_product(profile, known.papers)[0]
    if liked:
        scores = scores + _liked(known, liked)
    best = np.argsort(-scores)[:_BEST].tolist()
    row = {"reader": reader, "papers": [known.numbers[place] for place in best]}
    connection.execute(text("INSERT INTO peer_digest VALUES (:reader, :papers)"), row)


def _liked(known: _Known, liked: Sequence[int]) -> Floats:
    scores: Floats = dense_product(known.liked[liked], known.papers).mean(axis=0)
    return scores


def _some(connection: Connection, readers: int) -> Sequence[int]:
    query = "SELECT id FROM subscriber WHERE state = 'active' ORDER BY id LIMIT :most"
    return connection.execute(text(query), {"most": readers}).scalars().all()


def _known(connection: Connection, on: date, readers: Sequence[int]) -> _Known:
    query = "SELECT number, title, abstract FROM paper WHERE announced >= :since"
    numbers, texts = _texts(connection, query, {"since": on - timedelta(days=1)})
    terms, counts = learn_terms(texts, _TERMS)
    vocabulary = learn_weights(terms, counts)
    liked, liked_texts = _texts(connection, _LIKED_BY_THEM, {"readers": list(readers)})
    places = {number: place for place, number in enumerate(liked)}
    rows = vocabulary.weigh(vocabulary.count(liked_texts))
    papers = transposed(vocabulary.weigh(counts))
    return _Known(vocabulary, numbers, papers, places, rows)


def _texts(
    connection: Connection, query: str, values: Mapping[str, object]
) -> tuple[list[int], list[str]]:
    rows = connection.execute(text(query), values).all()
    return [row.number for row in rows], [f"{row.title}. {row.abstract}" for row in rows]
