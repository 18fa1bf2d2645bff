"""A corpus whose right answers are known: even papers are about proteins, odd ones about robots."""

from functools import lru_cache

import numpy as np

from recommender.factors import FactorSettings
from recommender.model import Model, ModelSettings
from recommender.text import Paper

PROTEINS = ("protein", "folding", "structure", "residue", "amino", "enzyme", "ligand", "helix")
ROBOTS = ("robot", "locomotion", "gait", "torque", "terrain", "quadruped", "actuator", "stride")
COMMON = ("approach", "benchmark", "evaluation", "results", "method", "analysis", "study")


def papers(count: int, seed: int = 1, prefix: str = "paper") -> tuple[Paper, ...]:
    rng = np.random.default_rng(seed)
    return tuple(_paper(number, rng, prefix) for number in range(count))


def is_protein(paper_id: str) -> bool:
    return int(paper_id.rsplit("/", 1)[1]) % 2 == 0


@lru_cache
def model() -> Model:
    few_factors = ModelSettings(spaces=(FactorSettings(factors=4),))  # there are but two topics
    return Model.fit(papers(80), [], settings=few_factors)


@lru_cache
def today() -> tuple[Paper, ...]:
    """Twenty papers that the model was not trained on."""
    return papers(20, seed=2, prefix="new")


def _paper(number: int, rng: np.random.Generator, prefix: str) -> Paper:
    topic = ROBOTS if number % 2 else PROTEINS
    words = [*rng.choice(topic, 15), *rng.choice(COMMON, 2)]
    return Paper(
        id=f"{prefix}/{number}",
        title=" ".join(rng.choice(topic, 3)),
        abstract=" ".join(rng.permutation(words)),
        authors=(f"Author Number{number}",),
        categories=("cs.RO",) if number % 2 else ("q-bio.BM",),
    )
