"""Yesterday's digests, sent: as large as real ones."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

import numpy as np

from paperpost.bench.invented import SEED
from paperpost.bench.months import PAPERS_EACH, made_up_item
from paperpost.bench.scale.copying import Connection, copy_rows, indexes_afterwards, number_after
from paperpost.bench.scale.readers import Readers
from paperpost.bench.scale.wording import DAY, Wording
from paperpost.store.subscribers import domain_of
from paperpost.store.tables import DeliveryKind, DeliveryState

_VARIANTS = 20
_AT_ONCE = 10_000
_DELIVERY = (
    "id",
    "kind",
    "subscriber_id",
    "domain",
    "local_date",
    "state",
    "created_at",
    "due_at",
    "expires_at",
    "attempts",
    "message_id",
    "reply",
    "sent_at",
)
_DIGEST = (
    "id",
    "subscriber_id",
    "local_date",
    "delivery_id",
    "composed_at",
    "template_version",
    "frequency",
    "why",
    "considered",
    "newest_paper",
    "items",
)


def add_digests(
    connection: Connection, readers: Readers, wording: Wording, papers: Sequence[int]
) -> None:
    """One for everybody who was there and is mailed daily, each with some of yesterday's papers, by
    number; into empty tables."""
    kinds = readers.kinds[: readers.with_digest]
    people = (np.flatnonzero(kinds == "daily") + 1).tolist()
    with indexes_afterwards(connection, ["delivery", "digest"]):
        copy_rows(connection, "delivery", _DELIVERY, _deliveries(people, readers.now))
        digests = _digests(people, readers.now, wording, papers)
        copy_rows(connection, "digest", _DIGEST, digests)
    number_after(connection, "delivery", "id")
    number_after(connection, "digest", "id")


def _deliveries(people: Sequence[int], now: datetime) -> Iterator[Sequence[object]]:
    day = (now - DAY).date()
    due = datetime.combine(day, time(8), UTC).isoformat()
    expires = datetime.combine(now.date(), time(8), UTC).isoformat()
    for number, person in enumerate(people, start=1):
        address = f"reader{person}@university{person % 500}.example"
        name = f"<{day}.{person:x}.0123456789abcdef@papers.university.example>"
        told = [DeliveryKind.DIGEST, person, domain_of(address), day, DeliveryState.SENT]
        yield [number, *told, due, due, expires, 1, name, "250 2.0.0 Ok", due]


def _digests(
    people: Sequence[int], now: datetime, wording: Wording, papers: Sequence[int]
) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng((SEED, 6))
    day = (now - DAY).date()
    composed = datetime.combine(day, time(7, 30), UTC).isoformat()
    items = _items(wording, papers, rng)
    for start in range(0, len(people), _AT_ONCE):
        some = people[start : start + _AT_ONCE]
        # Twice the same paper in a digest does no harm, and drawing without is slow.
        chosen = rng.integers(len(items), size=(len(some), PAPERS_EACH)).tolist()
        for place, (person, own) in enumerate(zip(some, chosen, strict=True), start=start + 1):
            told = [composed, "made up", "daily", "what you asked for, and your votes"]
            sizes = [len(papers), max(papers)]
            text = ", ".join([items[n] for n in own])
            yield [place, person, day, place, *told, *sizes, f"[{text}]"]


def _items(wording: Wording, papers: Sequence[int], rng: np.random.Generator) -> list[str]:
    made = []
    for number in papers:
        for chance in rng.random(_VARIANTS).tolist():
            phrases = wording.phrases[int(chance * len(wording.phrases))]
            one, other = phrases[int(chance * 1e4) % len(phrases)], phrases[number % len(phrases)]
            reasons = [f"“{one}”, which you asked for", f"like {other}, which you voted up"]
            probability = {"probability": round(chance, 4), "score": round(chance * 2, 4)}
            made.append(json.dumps(made_up_item(number, reasons) | probability))
    return made
