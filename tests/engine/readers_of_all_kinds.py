"""Subscribers of every kind there is, and what a run stores for them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from invented import TOPICS, Invented, arrival, fill, join
from sqlmodel import SQLModel, col, delete, func, select, update

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, interests
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.store.intake import put_all
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, Digest, Fragment, InterestKind, Subscriber

DAYS = [date(2026, 4, 5) + timedelta(days=n) for n in range(3)]
SUBSCRIBERS = 72
BLOCKS = [range(first, first + 3) for first in range(1, SUBSCRIBERS, 3)]
_BY_THE_STORE = {"id", "delivery_id"}


def fill_with_readers(installation: Installation) -> None:
    """Papers of three days and a model; readers of all kinds who had the first day's digest."""
    names = [one.id for one in fill(installation, DAYS)]
    for number in range(SUBSCRIBERS):
        email = join(installation, f"reader{number}", *_keywords(number), **_wishes(number))
        for place, name in enumerate(names[number % 7 : 12 : 3][: number % 4]):
            cast_by_command(installation, email, name, "down" if place == 1 else "up")
        if number % 5 == 0:
            with installation.database.reading() as session:
                reader = id_of(account.named(session, email))
            interests.add(installation, reader, "Apart", 40, {InterestKind.KEYWORD: ["speech"]})
    train(installation)
    compose_all_of(installation, DAYS[0])
    with installation.database.writing() as session:
        old = arrival(Invented("2602.00001", "graph", date(2026, 2, 3)))
        new = replace(old, version=2, announced=DAYS[2], revised=DAYS[2], only_if_known=True)
        put_all(session, [old, new], installation.clock())


def _keywords(number: int) -> list[str]:
    """Mostly of one topic; those of one reader in twelve are nowhere."""
    return ["basket weaving"] if number % 12 == 11 else [list(TOPICS.values())[number % 3]]


def _wishes(number: int) -> dict[str, object]:
    return {
        "size": 3 + number % 5,
        "frequency": "weekly" if number % 11 == 10 else "daily",
        "threshold": 99 if number % 12 == 11 else None,
        "quiet_note": "yes" if number % 24 == 11 else "no",
        "revisions": "yes" if number % 6 == 1 else "no",
        "explore": "no" if number % 4 == 2 else "yes",
    }


@dataclass(frozen=True, slots=True)
class Start:
    """What a run changes, as it was before."""

    subscribers: dict[int, tuple[int, Any]]
    digests: int

    @classmethod
    def of(cls, installation: Installation) -> "Start":
        """As it is now."""
        with installation.database.reading() as session:
            people = session.exec(select(Subscriber))
            seen = {id_of(one): (one.digest_count, one.next_due_at) for one in people}
            last = session.exec(select(func.max(Digest.id))).one() or 0
            return cls(seen, last)

    def restore(self, installation: Installation) -> None:
        """As if nothing had been composed since; the texts of papers stay."""
        with installation.database.writing() as session:
            new = select(Digest.delivery_id).where(col(Digest.id) > self.digests)
            deliveries = session.exec(new).all()
            session.exec(delete(Digest).where(col(Digest.id) > self.digests))
            session.exec(delete(Delivery).where(col(Delivery.id).in_(deliveries)))
            for number, (count, due) in self.subscribers.items():
                row = update(Subscriber).where(col(Subscriber.id) == number)
                session.exec(row.values(digest_count=count, next_due_at=due))


def written(installation: Installation) -> list[Any]:
    """All rows that runs write, but for the numbers that the store gives them, and for how often
    subscribers were composed for: a block that two workers did was done twice, and stored once."""
    with installation.database.reading() as session:
        fragments = {one.id: one for one in session.exec(select(Fragment))}
        deliveries = {one.id: one for one in session.exec(select(Delivery))}
        people = session.exec(select(Subscriber).order_by(col(Subscriber.id)))
        by_date = col(Digest.subscriber_id), col(Digest.local_date)
        digests = session.exec(select(Digest).order_by(*by_date))
        return [
            [person.model_dump(exclude={"digest_count"}) for person in people],
            [
                (_row(one), _row(deliveries[one.delivery_id]), _shown(one, fragments))
                for one in digests
            ],
            sorted((_row(one) for one in fragments.values()), key=str),
        ]


def _row(row: SQLModel) -> dict[str, Any]:
    return row.model_dump(exclude={*_BY_THE_STORE, "items"})


def _shown(digest: Digest, fragments: dict[int | None, Fragment]) -> list[dict[str, Any]]:
    return [{**item, "fragment": fragments[item["fragment"]].checksum} for item in digest.items]
