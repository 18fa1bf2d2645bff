"""Composing: who is due, ranked, becomes a frozen digest with its delivery."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby

from paperpost.errors import PaperpostError
from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.choices import Ranking
from paperpost.service.drafting import (
    Draft,
    Turn,
    drafted,
    items_of,
    new_digest,
    rendered_papers,
)
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.service.silence import outlook
from paperpost.store import digests, fragments, merging, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Fragment, Subscriber, SubscriberState

BLOCK = 1_000
MOST_ROUNDS = 3


Ranks = Callable[[Installation, Sequence[Subscriber], date], Mapping[int, Ranking]]


class NotASubscriber(PaperpostError):
    """Nobody with that address gets digests."""


def compose_due_block(installation: Installation, people: Sequence[Subscriber]) -> Counter[str]:
    """Compose the digests of these subscribers, as far as they are due by the clock.

    Counts "queued", "quiet note", "silent", "composed before", "overtaken" (another process was
    faster, the schedule was changed or papers were merged; the subscriber stays due) and "paused".
    """
    now = installation.clock()
    paused: list[Subscriber] = []
    wanted: list[Subscriber] = []
    for person in people:
        if person.next_due_at is not None and person.next_due_at <= now:
            (paused if _gets_nothing(person, now) else wanted).append(person)
    _skip_paused(installation, paused, now)
    turns = [_turn_by_clock(person, now) for person in wanted]
    counts = Counter(_compose(installation, turns).values())
    counts["paused"] += len(paused)
    return +counts


def compose_date(
    installation: Installation,
    on: date | None,
    only: str | None = None,
    *,
    rank: Ranks = rank_block,
) -> Iterator[Counter[str]]:
    """Compose the digests dated `on` (each subscriber's today if None) for everyone who gets
    one that day, whatever the hour; counts as of `compose_due_block`, a block at a time.

    What is queued this way is due at once. Who was overtaken is ranked again. `rank` is how a block
    is ranked.
    """
    at_one_moment = installation.at(installation.clock())
    for people in _people(installation, only):
        yield compose_block(at_one_moment, people, on, rank)


def compose_block(
    installation: Installation,
    people: Sequence[Subscriber],
    on: date | None,
    rank: Ranks = rank_block,
) -> Counter[str]:
    """Compose for these subscribers by hand, as `compose_date` does for all."""
    outcomes = _compose_by_hand(installation, people, on, rank)
    for _ in range(MOST_ROUNDS - 1):
        overtaken = [number for number, word in outcomes.items() if word == "overtaken"]
        if not overtaken:
            break
        with installation.database.reading() as session:
            again = subscribers.by_id(session, overtaken)
        outcomes |= _compose_by_hand(installation, list(again.values()), on, rank)
    return Counter(outcomes.values())


def _compose_by_hand(
    installation: Installation, people: Sequence[Subscriber], on: date | None, rank: Ranks
) -> dict[int, str]:
    turns, outcomes = turns_by_hand(people, on, installation.clock())
    return outcomes | _compose(installation, turns, rank)


def turns_by_hand(
    people: Sequence[Subscriber], on: date | None, now: datetime
) -> tuple[list[Turn], dict[int, str]]:
    """The digests that these get by hand, and in a word why the others get none, by number."""
    turns: list[Turn] = []
    without: dict[int, str] = {}
    for person in people:
        turn = _turn_by_hand(person, on, now)
        if _gets_nothing(person, now):
            without[id_of(person)] = "paused"
        elif not calendar.is_digest_day(person.frequency, turn.local_date):
            without[id_of(person)] = "not their day"
        else:
            turns.append(turn)
    return turns, without


def _people(installation: Installation, only: str | None) -> Iterator[list[Subscriber]]:
    if only is not None:
        with installation.database.reading() as session:
            person = named(session, only)
        if person.state != SubscriberState.ACTIVE:
            raise NotASubscriber(f"{only} gets no digests: {person.state}")
        if person.suppressed_at is not None:
            raise NotASubscriber(f"{only} gets no digests: {person.suppressed_because}")
        yield [person]
        return
    last = 0
    while True:
        with installation.database.reading() as session:
            people = subscribers.active(session, last, BLOCK)
        if not people:
            return
        yield people
        last = id_of(people[-1])


def _gets_nothing(person: Subscriber, now: datetime) -> bool:
    """Whether they paused, or their mail comes back: what is new then waits for the first digest
    after it."""
    paused = calendar.is_paused(person.paused_until, person.timezone, now)
    return paused or person.suppressed_at is not None


def _skip_paused(installation: Installation, people: Sequence[Subscriber], now: datetime) -> None:
    if not people:
        return
    with installation.database.writing() as session:
        for person in people:
            later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
            subscribers.set_next_due(session, id_of(person), later.at)


def _turn_by_clock(person: Subscriber, now: datetime) -> Turn:
    due = calendar.latest_due(person.frequency, person.hour, person.timezone, now)
    later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
    return Turn(
        person,
        due.local_date,
        due_at=due.at + calendar.jitter(id_of(person)),
        expires_at=later.at,  # the next one is the newer news
        next_due_at=later.at,
    )


def _turn_by_hand(person: Subscriber, on: date | None, now: datetime) -> Turn:
    return Turn(
        person,
        on or calendar.local_date(person.timezone, now),
        due_at=now,
        expires_at=calendar.worth_sending_until(person.frequency, person.timezone, now),
        next_due_at=None,
    )


def _compose(
    installation: Installation, turns: Sequence[Turn], rank: Ranks = rank_block
) -> dict[int, str]:
    """Rank and freeze; the outcome for each subscriber by number."""
    outcomes: dict[int, str] = {}
    # Always by number: two processes that write to the same rows in two orders would lock up.
    ordered = sorted(turns, key=lambda turn: (turn.local_date, id_of(turn.person)))
    for on, group in groupby(ordered, key=lambda turn: turn.local_date):
        outcomes |= _compose_for(installation, list(group), on, rank)
    return outcomes


def _compose_for(
    installation: Installation, turns: list[Turn], on: date, rank: Ranks
) -> dict[int, str]:
    expected = outlook(installation, on)
    with installation.database.reading() as session:
        last_merger = merging.newest(session)
    rankings = rank(installation, [turn.person for turn in turns], on)
    rendered = rendered_papers(installation, rankings.values())
    # If one of them turns out to be another one, that may have been mailed.
    overtaken = dict.fromkeys((id_of(turn.person) for turn in turns), "overtaken")
    numbers = _stored(installation, rendered, last_merger)
    if numbers is None:
        return overtaken
    new_ones = []
    for turn in turns:
        ranking = rankings[id_of(turn.person)]
        new_ones.append(
            new_digest(installation, turn, ranking, items_of(ranking, numbers), expected)
        )
    with installation.database.writing() as session:
        if not merging.hold_all(session, rendered.keys(), last_merger):
            return overtaken
        return digests.freeze(session, new_ones, installation.clock())


def _stored(
    installation: Installation, rendered: Mapping[int, Fragment], last_merger: int
) -> Mapping[int, int] | None:
    """The numbers of the papers' fragments, by the papers'; None if a paper was merged since.

    Who stores a fragment makes others wait who store the same one, so this ends before a block is
    frozen; what is stored stays.
    """
    new = [one for one in rendered.values() if one.id is None]
    if new:
        with installation.database.writing() as session:
            if not merging.hold_all(session, {one.paper_number for one in new}, last_merger):
                return None
            numbers = fragments.keep(session, new)
        for one in new:
            one.id = numbers[one.paper_number, one.checksum]
    return {number: one.id or 0 for number, one in rendered.items()}


def draft(installation: Installation, person: Subscriber, on: date) -> Draft:
    """The digest dated `on` as it would be composed now; nothing is stored."""
    ranking = rank_block(installation, [person], on)[id_of(person)]
    return drafted(installation, _turn_by_hand(person, on, installation.clock()), ranking)
