"""A whole installation made up for timing that has worked for months: papers, a model, subscribers
with interests and votes, and the digests of some weeks, all as large as real ones."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import SQLModel, update

from paperpost.bench.intake import invented_papers
from paperpost.bench.invented import CATEGORIES, SEED
from paperpost.service.compose import compose_date
from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.service.train import text_of
from paperpost.store import days, papers, requests, snapshots, subscribers
from paperpost.store.database import in_chunks
from paperpost.store.digests import NewDigest, freeze
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Delivery,
    DeliveryState,
    Interest,
    InterestKind,
    Paper,
    Snapshot,
    Subscriber,
    SubscriberState,
    Vote,
)
from recommender.model import Model, ModelSettings
from recommender.spaces import SPACES

DAY = timedelta(days=1)
# Whose pages are looked at; the others are there to be many.
READER = "reader1@university1.example"
DAYS_MAILED = 5
# The reader's own, composed one by one.
DAYS_READ = 15
PAPERS_EACH = 10
KEYWORDS_EACH = 3
# Half of all readers have less than nine votes, one in a hundred more than a hundred (invented.py).
_MEDIAN_VOTES, _SPREAD_OF_VOTES, _MOST_VOTES = 9.0, 1.1, 400
_SHARE_OF_LIKES = 0.7
_FORMULA = r" with $\mathcal{O}(n \log n)$ steps and $\alpha_{i} \leq 2^{k}$ in the worst case. "
_REASONS = ("it is close to what you asked for", "it shares words with a paper you liked")
# A model to look at need not be good, only as large as a real one.
_QUICK = tuple(replace(space, iterations=1) for space in SPACES)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is."""

    papers: int = 75_000
    subscribers: int = 10_000


def fill(installation: Installation, sizes: Sizes) -> datetime:
    """Make all of it, always the same; the time at which somebody looks at it."""
    rng = np.random.default_rng(SEED)
    _add_papers(installation, sizes.papers, rng)
    with installation.database.reading() as session:
        last = papers.newest_day(session)
        known = papers.newest(session, sizes.papers)
    now = datetime.combine(last or date.max, time(12), UTC)
    _add_model(installation, known, now)
    _add_subscribers(installation, sizes.subscribers, known, now, rng)
    read = [paper for paper in known if now.date() - paper.announced < DAYS_READ * DAY]
    _add_votes(installation, sizes.subscribers, read, now, rng)
    _add_digests(installation, sizes.subscribers, read, now, rng)
    _add_standings(installation, known, now)
    return now


def _add_papers(installation: Installation, number: int, rng: np.random.Generator) -> None:
    path = installation.settings.home / "papers.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for paper in invented_papers(number):
            file.write(json.dumps(_with_character(paper, rng)) + "\n")
    import_files(installation, [path])
    path.unlink()


def _with_character(paper: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A paper with some of the usual categories, and every fifth with formulas."""
    shares = 1 / np.arange(1, len(CATEGORIES) + 1)
    size = int(rng.integers(1, 4))
    chosen = rng.choice(CATEGORIES, size, replace=False, p=shares / shares.sum())
    abstract = paper["abstract"]
    if rng.random() < 0.2:
        abstract = abstract[:200] + _FORMULA + abstract[200:]
    return paper | {"categories": chosen.tolist(), "abstract": abstract}


def _add_model(installation: Installation, known: Sequence[Paper], now: datetime) -> None:
    settings = ModelSettings(spaces=_QUICK)
    model = Model.fit([text_of(paper) for paper in known], [], settings=settings)
    folder = installation.settings.models_folder
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "made-up.npz")
    row = Snapshot(file="made-up.npz", trained_at=now, papers=len(known), votes=0, seconds=0.0)
    with installation.database.writing() as session:
        snapshots.add(session, row)


def _add_subscribers(
    installation: Installation,
    number: int,
    known: Sequence[Paper],
    now: datetime,
    rng: np.random.Generator,
) -> None:
    chosen = rng.integers(len(known), size=(number, KEYWORDS_EACH)).tolist()
    people = [_person(one, now) for one in range(1, number + 1)]
    interests = [
        {"subscriber_id": one, "kind": InterestKind.KEYWORD, "value": keyword}
        for one, positions in enumerate(chosen, start=1)
        for keyword in {known[position].title.split()[-1] for position in positions}
    ]
    _insert(installation, Subscriber, people)
    _insert(installation, Interest, interests)


def _person(number: int, now: datetime) -> dict[str, Any]:
    person = Subscriber(
        id=number,
        email=f"reader{number}@university{number % 50}.example",
        state=SubscriberState.ACTIVE,
        joined_at=now - 100 * DAY,
        confirmed_at=now - 100 * DAY,
        next_due_at=now + DAY,
    )
    return person.model_dump()


def _add_votes(
    installation: Installation,
    number: int,
    read: Sequence[Paper],
    now: datetime,
    rng: np.random.Generator,
) -> None:
    """Few readers cast most votes, on few papers, most of them on the day of the paper's mail."""
    numbers = np.clip(rng.lognormal(np.log(_MEDIAN_VOTES), _SPREAD_OF_VOTES, number), 1, None)
    popular = 1 / np.arange(10, len(read) + 10)
    order = rng.permutation(len(read))
    shares = np.cumsum(popular / popular.sum())
    votes = []
    for subscriber, cast in enumerate(np.minimum(numbers, _MOST_VOTES).astype(int), start=1):
        places = np.searchsorted(shares, rng.random(cast)).clip(max=len(read) - 1)
        for place in {*order[places].tolist()}:
            paper = read[place]
            at = datetime.combine(paper.announced, time(9), UTC)
            at = min(at + DAY * float(rng.exponential(0.5)), now)
            votes.append(
                {
                    "subscriber_id": subscriber,
                    "paper_number": number_of(paper),
                    "value": 1 if rng.random() < _SHARE_OF_LIKES else -1,
                    "origin": "link",
                    "cast_at": at,
                    "counts_at": min(at + timedelta(minutes=10), now),
                    "voided": None,
                }
            )
    _insert(installation, Vote, sorted(votes, key=lambda vote: vote["cast_at"]))


def _add_digests(
    installation: Installation,
    number: int,
    read: Sequence[Paper],
    now: datetime,
    rng: np.random.Generator,
) -> None:
    """Those of the reader as they are really composed; of the others, as large ones."""
    days_read = sorted({paper.announced for paper in read})
    for day in days_read:
        list(compose_date(installation, day, READER))
    with installation.database.reading() as session:
        people = subscribers.by_id(session, range(2, number + 1)).values()
    for day in days_read[-DAYS_MAILED:]:
        among = [number_of(paper) for paper in read if paper.announced == day]
        made = [_digest(person, day, rng.choice(among, PAPERS_EACH).tolist()) for person in people]
        for some in in_chunks(made):
            with installation.database.writing() as session:
                freeze(session, some, datetime.combine(day, time(8), UTC))
    with installation.database.writing() as session:
        session.exec(update(Delivery).values(state=DeliveryState.SENT, sent_at=Delivery.due_at))


def _digest(person: Subscriber, day: date, chosen: Sequence[int]) -> NewDigest:
    due = datetime.combine(day, time(8), UTC)
    return NewDigest(
        subscriber_id=id_of(person),
        seen=person,
        local_date=day,
        due_at=due,
        expires_at=due + DAY,
        message_id=f"<{day}.{person.id}@example.org>",
        template_version="made up",
        frequency="daily",
        why="what they asked for",
        considered=300,
        newest_paper=max(chosen),
        items=[made_up_item(number, _REASONS) for number in chosen],
        next_due_at=None,
    )


def made_up_item(number: int, reasons: Sequence[str]) -> dict[str, Any]:
    """A paper of a digest, as large as a real one."""
    return {
        "paper": number,
        "fragment": number,
        "score": 0.5,
        "blend": 1,
        "reasons": list(reasons),
        "probability": 0.25,
        "trending": False,
        "explored": False,
        "revised": None,
        "also": [],
        "interest": "",
    }


def _add_standings(installation: Installation, known: Sequence[Paper], now: datetime) -> None:
    """What the sources said of the last weeks: that all papers are there."""
    by_day: dict[date, list[str]] = defaultdict(list)
    for paper in known:
        by_day[paper.announced].append(paper.id)
    with installation.database.writing() as session:
        for source in installation.settings.sources:
            for day in sorted(by_day)[-DAYS_READ:]:
                told = f"{len(by_day[day])} papers"
                stand = days.Stand(source, day, "complete", told, len(by_day[day]), by_day[day])
                days.keep(session, stand, now)
            requests.record_run(session, source, "ok", "", now)


def _insert(
    installation: Installation, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]
) -> None:
    with installation.database.writing() as session:
        for some in in_chunks(rows):
            session.execute(insert(table), some)
