"""On a few days of real arXiv papers: what a reader would see."""

import gzip
import json
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from recommender.explain import sentence
from recommender.model import Model
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, rank
from recommender.text import Paper

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PAPERPOST_DATA", ROOT.parent / "shared" / "data")) / "arxiv"
PAST = ("2026-05-21", "2026-05-22", "2026-05-25")
TODAY = "2026-05-27"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the real arXiv papers (PAPERPOST_DATA)"
)


def read(day: str) -> Iterator[Paper]:
    with gzip.open(DATA / f"{day}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            facts = (tuple(record["authors"]), tuple(record["categories"]))
            yield Paper(record["id"], record["title"], record["abstract"], *facts)


@lru_cache
def past() -> tuple[Paper, ...]:
    return tuple(paper for day in PAST for paper in read(day))


@lru_cache
def today() -> tuple[Paper, ...]:
    return tuple(read(TODAY))


@lru_cache
def model() -> Model:
    return Model.fit(past(), [])


def ranked(reader: Reader, limit: int = 10) -> list[Ranked]:
    profiles = model().profiles([reader], model().batch(past()))
    return rank(profiles, model().batch(today()), limit=limit)[0]


def share_about(words: tuple[str, ...], of: list[Ranked]) -> float:
    texts = [today()[one.place].text.casefold() for one in of]
    return float(np.mean([any(word in text for word in words) for text in texts]))


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("speech recognition", ("speech", "audio", "spoken", "voice", "asr")),
        ("LLM reasoning", ("reasoning",)),
        ("reinforcement learning", ("reinforcement", "reward", "policy")),
    ],
)
def test_seed_keywords_alone_give_a_digest_about_them(keyword: str, words: tuple[str, ...]) -> None:
    first = ranked(Reader("ada", Interests(keywords=(keyword,))), limit=5)
    assert share_about(words, first) >= 0.8


def test_votes_up_on_a_subject_raise_it_and_votes_down_lower_it() -> None:
    subject = [paper.id for paper in past() if "diffusion" in paper.title.casefold()][:5]
    liked = ranked(Reader("ada", votes=tuple(Vote(paper, 1) for paper in subject)))
    disliked = ranked(Reader("ben", votes=tuple(Vote(paper, -1) for paper in subject)))
    usual = share_about(("diffusion",), ranked(Reader("cleo"), limit=len(today())))
    assert share_about(("diffusion",), liked) > 3 * usual > 0
    assert share_about(("diffusion",), disliked) == 0


def test_every_reason_given_is_true_of_the_paper() -> None:
    author = today()[3].authors[0]
    interests = Interests(("language model", "federated learning"), (author,), ("cs.CV",))
    ada = Reader("ada", interests, tuple(Vote(paper.id, 1) for paper in past()[:8]))
    liked = {paper.title for paper in past()[:8]}
    for one in ranked(ada, limit=50):
        paper = today()[one.place]
        for reason in one.reasons:
            assert sentence(reason)
            match reason.kind:
                case "author":
                    assert reason.names[0] in paper.authors
                case "category":
                    assert reason.names[0] in paper.categories
                case "liked":
                    assert reason.names[0] in liked
                case "terms":
                    assert all(word in paper.text for name in reason.names for word in name.split())
                case _:
                    assert reason.kind == "keyword"
                    assert reason.names[0] in interests.keywords


@pytest.mark.slow
def test_training_on_two_months_takes_less_than_a_minute_and_its_snapshot_is_small(
    tmp_path: Path,
) -> None:
    everything = {
        paper.id: paper for day in sorted(DATA.glob("*.gz")) for paper in read(day.name[:10])
    }
    large = Model.fit(list(everything.values()), [])
    large.save(tmp_path / "model")
    assert (tmp_path / "model").stat().st_size < 100e6
    assert len(Model.load(tmp_path / "model").paper_ids) == len(everything)
