"""The papers chosen for a subscriber, each with its score, its probability and why it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from paperpost.service.block import Block
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Paper, Subscriber
from recommender.explain import sentence

if TYPE_CHECKING:
    from recommender.rank import Ranked

# Interests that tell what somebody does not want, and nothing of what they do.
_NOT_WANTED = (InterestKind.MUTED, InterestKind.FORGOTTEN)


class Choice(NamedTuple):
    """One paper for one subscriber: its row number, its score in the blend, how probably they like
    it (0 to 1), and the reasons, as sentences.

    `trending`: it is there because it trends, as nothing is known of the subscriber. `explored`:
    it is there because it is outside their usual. `revised`: not the paper is new to them, but
    its version. `also` are other candidates that are the same work; `interest` is the name of the
    one that it is there for, empty where nothing is kept apart.
    """

    paper: Paper
    number: int
    score: float
    probability: float
    reasons: tuple[str, ...]
    trending: bool = False
    explored: bool = False
    revised: bool = False
    also: tuple[Paper, ...] = ()
    interest: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best papers for one subscriber, best first, out of how many candidates. `below`: how
    many more there would be without their threshold."""

    choices: tuple[Choice, ...]
    considered: int
    newest_paper: int
    interests: Mapping[InterestKind, list[str]]
    votes: int
    below: int = 0


def ranking_of(
    block: Block,
    person: Subscriber,
    ranked: Sequence[Ranked],
    considered: int,
    threshold: float | None = None,
    below: int = 0,
) -> Ranking:
    number = id_of(person)
    own_votes = len(block.votes_of(number))
    known = own_votes > 0 or any(
        values for kind, values in block.wishes[number].items() if kind not in _NOT_WANTED
    )
    choices = [_choice(block, found, known) for found in ranked]
    if person.revisions:
        is_news = block.window.is_news(block.previous.get(number))
        choices = [
            choice._replace(revised=not is_news[found.place])
            for choice, found in zip(choices, ranked, strict=True)
        ]
    if not known:
        choices.sort(key=lambda choice: not choice.trending)  # which scores, rounded, may not tell
    # Without interests and votes no probability is anybody's: what trends is mailed as it is.
    passing = _passing(choices, threshold or 0) if known else choices
    return Ranking(
        tuple(passing),
        considered,
        block.newest_paper,
        block.wishes[number],
        own_votes,
        below=below or len(choices) - len(passing),
    )


def _passing(choices: Sequence[Choice], threshold: float) -> list[Choice]:
    """Those that reach the threshold; with them, but not alone, what is explored."""
    reaching = [choice.probability >= threshold for choice in choices]
    if not any(reaching):
        return []
    return [one for one, is_in in zip(choices, reaching, strict=True) if is_in or one.explored]


def _choice(block: Block, found: Ranked, known: bool) -> Choice:
    paper, number = block.window.candidates[found.place], block.window.numbers[found.place]
    told = block.counted.get(found.place, ())
    # Rounded before it is compared, so that what is shown and what is mailed agree.
    probability = round(float(found.probability), 4)
    also = tuple([block.window.candidates[copy] for copy in found.also])
    if known:
        reasons = _sentences(found, told)
        return Choice(
            paper,
            number,
            found.score,
            probability,
            reasons,
            explored=found.explored,
            also=also,
            interest=found.interest,
        )
    reason = " and ".join(told) or "one of the newest papers"
    trending = bool(told)
    return Choice(paper, number, found.score, probability, (reason,), trending=trending, also=also)


def _sentences(found: Ranked, told: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        [
            sentence(reason._replace(names=told) if reason.kind == "popular" else reason)
            for reason in found.reasons
        ]
    )
