"""Which papers trend: votes here and upvotes elsewhere, the older the less.

A vote counts 2^(-age / half-life), so that the score is the recent rate of votes (forward decay:
Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009). It takes the age of each vote, where Hacker
News' (points - 1) / (hours + 2)^1.8 has but the story's; and of all decays only the exponential
one never turns two papers round that get no new votes.

Upvotes elsewhere come as one count, without ages, from a crowd in which everybody sees what the
others did. As in Reddit's hot, log10(ups - downs) + seconds / 45,000, each tenfold counts alike:
7 upvotes there weigh as 3 votes here, 127 as 7.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Fewer votes (ups minus downs), or fewer upvotes, count for nothing: in a small group one or two
# would tell who voted, and a paper's own authors are one or two upvotes.
FEWEST = 3
# Shrinkage towards "not trending": with so many votes half of them are believed, as in IMDb's
# weighted rating v / (v + m), which is the mean of a Gamma posterior.
PRIOR = 2.0


@dataclass(frozen=True, slots=True)
class Votes:
    """The votes of one age, in days, on one paper."""

    age: float
    ups: int = 0
    downs: int = 0


@dataclass(frozen=True, slots=True)
class Upvotes:
    """What a paper got elsewhere, and for how many days it has stood there."""

    count: int = 0
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Trend:
    """How much a paper trends: 0 is not at all; a score has no unit and no upper bound.

    `readers` voted it up and `upvotes` were given elsewhere; 0 where too few did to count.
    """

    score: float
    readers: int
    upvotes: int


def trend(votes: Sequence[Votes], upvotes: Upvotes, half_life: float) -> Trend:
    """The trend of one paper from all votes that hold on it; `half_life` is in days.

    A vote up or an upvote more never lowers the score, one down never raises it, nor does age.
    """
    ups = sum(some.ups for some in votes)
    net = ups - sum(some.downs for some in votes)
    told = net >= FEWEST
    count = upvotes.count if upvotes.count >= FEWEST else 0
    crowd = math.log2(1 + count)
    evidence = crowd + (net if told else 0)
    strength = crowd * _decay(upvotes.age, half_life)
    if told:
        recent = sum((some.ups - some.downs) * _decay(some.age, half_life) for some in votes)
        strength += max(recent, 0.0)
    return Trend(strength * evidence / (evidence + PRIOR), ups if told else 0, count)


def _decay(age: float, half_life: float) -> float:
    return math.exp2(-max(age, 0.0) / half_life)
