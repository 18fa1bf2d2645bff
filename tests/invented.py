"""What tests make up: papers on three topics, subscribers, and a clock that is turned by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from paperpost.service import subscribe
from paperpost.service.installation import Installation
from paperpost.service.wishes import checked
from paperpost.store.intake import put_all
from paperpost.store.records import Record

START = datetime(2026, 4, 7, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


def with_settings(installation: Installation, **changes: object) -> Installation:
    """The same installation with other settings."""
    settings = installation.settings.model_copy(update=changes)
    return Installation(settings, installation.database, installation.clock, installation.say)


TOPICS = {
    "graph": "graph neural networks pass messages along the edges of a molecule",
    "speech": "speech recognition turns an audio recording of a speaker into words",
    "game": "auctions and mechanism design make bidders truthful at equilibrium",
}


@dataclass(frozen=True)
class Invented:
    """A paper that a test made up; `topic` is one of TOPICS."""

    id: str
    topic: str
    day: date


def arrival(invented: Invented) -> Record:
    """An invented paper as the store takes it in."""
    number = invented.id.replace(".", " ")
    return Record(
        name=invented.id,
        title_keys=(f"hf:{invented.id}",),
        title=f"{invented.topic.title()} study {number}",
        abstract=f"We show how {TOPICS[invented.topic]}, in study {number}.",
        authors=("Emmy Noether", "Sofia Kovalevskaya"),
        categories=("cs.LG",),
        announced=invented.day,
        version=1,
        url=f"https://arxiv.org/abs/{invented.id}",
        source="test",
    )


def fill(installation: Installation, days: Sequence[date], each: int = 4) -> list[Invented]:
    """Store `each` invented papers of every topic for each of these days."""
    invented = [
        Invented(f"{day:%y%m}.{day.day:02}{topic_number}{number:02}", topic, day)
        for day in days
        for topic_number, topic in enumerate(TOPICS)
        for number in range(each)
    ]
    with installation.database.writing() as session:
        put_all(session, [arrival(one) for one in invented], installation.clock())
    return invented


def join(installation: Installation, name: str, *keywords: str, **wishes: object) -> str:
    """Subscribe somebody, confirmed: `join(installation, "ada", "graph networks", size=3)`."""
    email = f"{name}@example.org"
    wanted = checked({"keywords": keywords, **wishes})
    subscribe.by_command(installation, email, wanted, confirmed=True)
    return email
