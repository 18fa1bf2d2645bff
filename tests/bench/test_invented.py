"""What is timed is like what is ranked in earnest, and the same every time."""

import numpy as np
import pytest

from paperpost.bench.invented import TOPICS, Corpus, Language, cast_votes, tastes
from paperpost.bench.rank import BLOCK, RankSizes, Stage
from paperpost.bench.vote import Voter, VoteSizes
from paperpost.service import compose
from recommender.matrices import entries


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    rng = np.random.default_rng(1)
    return Corpus.invent(Language.invent(50_000, rng), 2_000, "paper", rng)


def test_a_paper_has_as_many_terms_as_an_abstract(corpus: Corpus) -> None:
    numbers = np.diff(corpus.counts.indptr)
    assert 80 < np.quantile(numbers, 0.1) < np.quantile(numbers, 0.9) < 150
    assert corpus.counts.data.min() >= 1


def test_few_terms_are_common_and_most_are_rare(corpus: Corpus) -> None:
    share = np.sort(np.bincount(corpus.counts.indices, minlength=50_000))[::-1] / 2_000
    assert share[0] > 0.4
    assert 0.05 < share[100] < 0.2
    assert share[10_000] < 0.005


def test_papers_on_one_topic_share_more_terms(corpus: Corpus) -> None:
    rows = [set(entries(corpus.counts, row)[0].tolist()) for row in range(400)]
    pairs = [(one, other) for one in range(400) for other in range(one)]
    same = [len(rows[a] & rows[b]) for a, b in pairs if corpus.topics[a] == corpus.topics[b]]
    apart = [len(rows[a] & rows[b]) for a, b in pairs if corpus.topics[a] != corpus.topics[b]]
    assert np.mean(same) > 1.5 * np.mean(apart)
    assert 5 < np.mean(apart) < 11


def test_a_picked_paper_is_on_the_topic_asked_for(corpus: Corpus) -> None:
    rng = np.random.default_rng(2)
    topics = np.arange(TOPICS, dtype=np.int32)
    assert (corpus.topics[corpus.picked(topics, rng)] == topics).all()


def test_a_topic_without_papers_gives_any_paper() -> None:
    rng = np.random.default_rng(3)
    few = Corpus.invent(Language.invent(50, rng), 3, "paper", rng)
    picked = few.picked(np.arange(TOPICS, dtype=np.int32), rng)
    assert set(picked.tolist()) == {0, 1, 2}


def test_few_readers_cast_many_of_the_votes(corpus: Corpus) -> None:
    votes = cast_votes(corpus, 3_000, np.random.default_rng(4))
    numbers = np.sort(np.diff(votes.indptr))[::-1]
    assert numbers.min() >= 1
    assert numbers[:300].sum() > 0.33 * numbers.sum()
    assert set(votes.data.tolist()) == {1.0, -1.0}


def test_tastes_differ_in_how_many_share_them() -> None:
    sizes = np.bincount(tastes(5_000, np.random.default_rng(5)), minlength=TOPICS)
    assert sizes.min() > 0
    assert sizes[0] > 5 * sizes[-1]


def test_the_same_sizes_give_the_same_stage() -> None:
    sizes = RankSizes(subscribers=20, papers=20, library=50, terms=300)
    one, other = Stage.build(sizes), Stage.build(sizes)
    assert (one.votes.indices == other.votes.indices).all()
    assert (one.votes.data == other.votes.data).all()
    assert one.model.key == other.model.key


def test_every_subscriber_is_ranked_for_with_their_own_votes() -> None:
    stage = Stage.build(RankSizes(subscribers=30, papers=20, library=50, terms=300))
    ((readers, library),) = stage.blocks()
    assert len(readers) == 30
    for row, reader in enumerate(readers):
        papers, values = entries(stage.votes, row)
        cast = {f"library/{paper}": value for paper, value in zip(papers, values, strict=True)}
        assert cast
        assert {vote.paper_id: vote.value for vote in reader.votes} == cast
        assert cast.keys() <= library.positions.keys()


def test_blocks_are_as_large_as_when_digests_are_composed() -> None:
    assert BLOCK == compose.BLOCK


def test_a_vote_changes_the_profile_that_is_timed() -> None:
    voter = Voter.invent(VoteSizes(votes=5, library=50, terms=300))
    without, with_it = (
        voter.model.profiles([voter.reader(turn)], voter.library) for turn in (1, 2)
    )
    assert not np.allclose(without.whole.folded, with_it.whole.folded)
    assert len(voter.reader(2).votes) == len(voter.reader(1).votes) + 1


def test_ours_and_the_peer_fold_the_same_votes() -> None:
    voter = Voter.invent(VoteSizes(votes=10, library=50, terms=300))
    votes = voter.confidences(0)
    columns, values = entries(votes, 0)
    assert {voter.model.paper_ids[column] for column in columns} == {
        vote.paper_id for vote in voter.reader(0).votes
    }
    assert (values < 0).sum() == 2
