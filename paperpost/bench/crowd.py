"""A whole installation made up for timing: the papers of one day, a model, and many subscribers."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import insert

from paperpost.bench.invented import SEED
from paperpost.demo.people import bundled_papers
from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.store.database import in_chunks
from paperpost.store.tables import Interest, InterestKind, Subscriber, SubscriberState

PAPERS = 600
DAY = date(2026, 4, 9)
KEYWORDS_EACH = 3
# Addresses at as many servers as a large university's readers have; they belong to nobody (RFC
# 2606, section 2).
DOMAINS = 50
# Letters of an abstract: arXiv's have 1,300 in the mean.
ABSTRACT = 1_300
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def fill(installation: Installation, subscribers: int) -> None:
    """Papers, a model, and subscribers who wait for the digests of DAY; always the same ones."""
    rng = np.random.default_rng(SEED)
    path = installation.settings.home / "papers.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(paper) + "\n" for paper in invented_papers(rng))
    import_files(installation, [path])
    train(installation)
    _subscribe(installation, subscribers, rng)


def invented_papers(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Titles and sentences of the bundled papers, thrown together anew."""
    bundled = bundled_papers()
    sentences = [one for paper in bundled for one in _SENTENCE.split(paper["abstract"])]
    titles = [paper["title"].split() for paper in bundled]
    for number in range(PAPERS):
        first, second = rng.choice(len(titles), 2, replace=False)
        title = (
            titles[first][: len(titles[first]) // 2] + titles[second][len(titles[second]) // 2 :]
        )
        yield {
            "id": f"2604.{20000 + number}",
            "announced": DAY.isoformat(),
            "title": f"{' '.join(title)} ({number})",
            "abstract": _abstract(sentences, rng),
            "authors": bundled[first]["authors"],
            "categories": bundled[second]["categories"],
        }


def _abstract(sentences: list[str], rng: np.random.Generator) -> str:
    text = ""
    while len(text) < ABSTRACT:
        text += sentences[int(rng.integers(len(sentences)))] + " "
    return text.strip()


def _subscribe(installation: Installation, subscribers: int, rng: np.random.Generator) -> None:
    words = sorted({word for paper in bundled_papers() for word in _pairs(paper["title"])})
    now = datetime.now(UTC)
    for numbers in in_chunks(range(1, subscribers + 1)):
        chosen = rng.integers(len(words), size=(len(numbers), KEYWORDS_EACH))
        with installation.database.writing() as session:
            connection = session.connection()
            connection.execute(insert(Subscriber), [_person(number, now) for number in numbers])
            interests = [
                {"subscriber_id": number, "kind": InterestKind.KEYWORD, "value": words[word]}
                for number, own in zip(numbers, chosen.tolist(), strict=True)
                for word in set(own)
            ]
            connection.execute(insert(Interest), interests)


def _person(number: int, now: datetime) -> dict[str, Any]:
    email = f"reader{number}@university{number % DOMAINS}.example"
    person = Subscriber(
        id=number, email=email, state=SubscriberState.ACTIVE, joined_at=now, confirmed_at=now
    )
    return person.model_dump()


def _pairs(title: str) -> list[str]:
    """Neighbouring words, as somebody might name them."""
    words = re.findall(r"[a-z][a-z-]{3,}", title.lower())
    return [" ".join(pair) for pair in pairwise(words)]
