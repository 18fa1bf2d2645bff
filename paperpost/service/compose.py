"""Composing: who is due, ranked, becomes a frozen digest with its delivery."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from mailer.compose import TEMPLATE_VERSION, render_paper
from mailer.digest import PaperText
from paperpost.errors import PaperpostError
from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.letters import message_id, web_address
from paperpost.service.ranking import Choice, Ranking, rank_block
from paperpost.service.wishes import percent
from paperpost.store import digests, subscribers
from paperpost.store.digests import NewDigest
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Fragment,
    InterestKind,
    Paper,
    Subscriber,
    SubscriberState,
)

BLOCK = 500
MOST_ROUNDS = 3


class NotASubscriber(PaperpostError):
    """Nobody with that address gets digests."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One subscriber's digest that is to be composed now; `next_due_at` as in NewDigest."""

    person: Subscriber
    local_date: date
    due_at: datetime
    expires_at: datetime
    next_due_at: datetime | None


def compose_due(installation: Installation) -> Counter[str]:
    """Compose a block of the digests that are due by the clock; empty when none is.

    Counts "queued", "silent", "composed before", "overtaken" (another process was faster, or the
    schedule was changed; the subscriber stays due) and "paused".
    """
    now = installation.clock()
    with installation.database.reading() as session:
        people = subscribers.due(session, now, BLOCK)
    paused = [person for person in people if _is_paused(person, now)]
    _skip_paused(installation, paused, now)
    turns = [_turn_by_clock(person, now) for person in people if person not in paused]
    counts = Counter(_compose(installation, turns).values())
    counts["paused"] += len(paused)
    return +counts


def compose_date(
    installation: Installation, on: date | None, only: str | None = None
) -> Iterator[Counter[str]]:
    """Compose the digests dated `on` (each subscriber's today if None) for everyone who gets
    one that day, whatever the hour; counts as of `compose_due`, a block at a time.

    What is queued this way is due at once. Who was overtaken is ranked again.
    """
    for people in _people(installation, only):
        outcomes = _compose_by_hand(installation, people, on)
        for _ in range(MOST_ROUNDS - 1):
            overtaken = [number for number, word in outcomes.items() if word == "overtaken"]
            if not overtaken:
                break
            with installation.database.reading() as session:
                again = subscribers.by_id(session, overtaken)
            outcomes |= _compose_by_hand(installation, list(again.values()), on)
        yield Counter(outcomes.values())


def _compose_by_hand(
    installation: Installation, people: Sequence[Subscriber], on: date | None
) -> dict[int, str]:
    now = installation.clock()
    turns = [_turn_by_hand(person, on, now) for person in people]
    wanted = [
        turn
        for turn in turns
        if calendar.is_digest_day(turn.person.frequency, turn.local_date)
        and not _is_paused(turn.person, now)
    ]
    left_out = {id_of(turn.person): "not their day" for turn in turns if turn not in wanted}
    return left_out | _compose(installation, wanted)


def _people(installation: Installation, only: str | None) -> Iterator[list[Subscriber]]:
    if only is not None:
        with installation.database.reading() as session:
            person = named(session, only)
        if person.state != SubscriberState.ACTIVE:
            raise NotASubscriber(f"{only} gets no digests: {person.state}")
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


def _is_paused(person: Subscriber, now: datetime) -> bool:
    return calendar.is_paused(person.paused_until, person.timezone, now)


def _skip_paused(installation: Installation, people: Sequence[Subscriber], now: datetime) -> None:
    if not people:
        return
    with installation.database.writing() as session:
        for person in people:
            later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
            subscribers.set_next_due(session, id_of(person), later.at)


def _turn_by_clock(person: Subscriber, now: datetime) -> _Turn:
    due = calendar.latest_due(person.frequency, person.hour, person.timezone, now)
    later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
    return _Turn(
        person,
        due.local_date,
        due_at=due.at + calendar.jitter(id_of(person)),
        expires_at=now + calendar.WORTH_SENDING[person.frequency],
        next_due_at=later.at,
    )


def _turn_by_hand(person: Subscriber, on: date | None, now: datetime) -> _Turn:
    return _Turn(
        person,
        on or calendar.local_date(person.timezone, now),
        due_at=now,
        expires_at=now + calendar.WORTH_SENDING[person.frequency],
        next_due_at=None,
    )


def _compose(installation: Installation, turns: Sequence[_Turn]) -> dict[int, str]:
    """Rank and freeze; the outcome for each subscriber by number."""
    outcomes: dict[int, str] = {}
    # Always by number: two processes that write to the same rows in two orders would lock up.
    ordered = sorted(turns, key=lambda turn: (turn.local_date, id_of(turn.person)))
    for on, group in groupby(ordered, key=lambda turn: turn.local_date):
        outcomes |= _compose_for(installation, list(group), on)
    return outcomes


def _compose_for(installation: Installation, turns: list[_Turn], on: date) -> dict[int, str]:
    rankings = rank_block(installation, [turn.person for turn in turns], on)
    fragments = _fragments(installation, rankings)
    now = installation.clock()
    with installation.database.writing() as session:
        numbers = digests.keep_fragments(session, list(fragments.values()))
        outcomes = {}
        for turn in turns:
            ranking = rankings[id_of(turn.person)]
            items = [
                _item(choice, fragments, numbers)
                for choice in ranking.choices
                if number_of(choice.paper) in fragments
            ]
            new = _new_digest(installation, turn, ranking, items)
            outcomes[id_of(turn.person)] = digests.freeze(session, new, now)
    return outcomes


def _new_digest(
    installation: Installation, turn: _Turn, ranking: Ranking, items: list[dict[str, Any]]
) -> NewDigest:
    number = id_of(turn.person)
    return NewDigest(
        subscriber_id=number,
        seen=turn.person,
        local_date=turn.local_date,
        due_at=turn.due_at,
        expires_at=turn.expires_at,
        message_id=message_id(installation, number, turn.local_date, "digest"),
        template_version=TEMPLATE_VERSION,
        frequency=turn.person.frequency,
        why=why(ranking),
        considered=ranking.considered,
        newest_paper=ranking.newest_paper,
        items=items,
        next_due_at=turn.next_due_at,
        silence="" if items else _silence(ranking, turn.person),
    )


def _silence(ranking: Ranking, person: Subscriber) -> str:
    if ranking.below and not ranking.choices:
        threshold = f"your threshold of {percent(person.threshold)} %"
        return f"none of {ranking.considered} new papers reached {threshold}"
    if ranking.considered:
        return f"none of {ranking.considered} new papers passed the muted terms"
    return "no new papers since the last digest"


def _item(
    choice: Choice,
    fragments: Mapping[int, Fragment],
    numbers: Mapping[tuple[int, str], int],
) -> dict[str, Any]:
    from recommender.blend import BLEND

    number = number_of(choice.paper)
    return {
        "paper": number,
        "fragment": numbers[number, fragments[number].checksum],
        "score": round(float(choice.score), 4),
        "blend": BLEND,
        "reasons": list(choice.reasons),
        "probability": choice.probability,
        "trending": choice.trending,
        "explored": choice.explored,
        "also": [number_of(paper) for paper in choice.also],
    }


def _fragments(installation: Installation, rankings: Mapping[int, Ranking]) -> dict[int, Fragment]:
    """The rendered text of each paper that somebody gets, by the paper's number. One that cannot
    be rendered is left out and told: it must not cost anybody the rest."""
    chosen = {
        number_of(choice.paper): choice.paper
        for ranking in rankings.values()
        for choice in ranking.choices
    }
    rendered = {}
    for number, paper in chosen.items():
        try:
            rendered[number] = _fragment(installation, paper)
        except Exception as error:
            installation.say(f"paper {paper.id} cannot be shown and is left out: {error}")
    return rendered


def _fragment(installation: Installation, paper: Paper) -> Fragment:
    rendered = render_paper(
        PaperText(
            id=paper.id,
            title=paper.title,
            abstract=paper.abstract,
            authors=tuple(paper.authors),
            categories=tuple(paper.categories),
            announced=paper.announced,
            url=web_address(installation.settings, paper),
        )
    )
    content = "\0".join((TEMPLATE_VERSION, paper.title, rendered.url, rendered.html, rendered.text))
    return Fragment(
        paper_number=number_of(paper),
        checksum=hashlib.sha256(content.encode()).hexdigest()[:32],
        title=paper.title,
        url=rendered.url,
        html=rendered.html,
        text=rendered.text,
    )


def why(ranking: Ranking) -> str:
    """What the ranking knew of the subscriber, for the line "you get this because"."""
    parts = list(ranking.interests.get(InterestKind.KEYWORD, ()))
    parts += [f"papers by {name}" for name in ranking.interests.get(InterestKind.AUTHOR, ())]
    parts += list(ranking.interests.get(InterestKind.CATEGORY, ()))
    shown, more = parts[:5], len(parts) - 5
    if more > 0:
        shown.append(f"{more} more")
    if ranking.votes:
        shown.append(f"{ranking.votes} vote{'s' if ranking.votes > 1 else ''}")
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)
