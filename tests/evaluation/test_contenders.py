import numpy as np
import pytest
from small_data import small_library

from paperpost.evaluation.baselines import tfidf_centroid, topic_popularity
from paperpost.evaluation.citeulike import CONTENDERS
from paperpost.evaluation.comparison import (
    NEW_PAPERS,
    EvaluationError,
    Measured,
    asked_about,
    chosen,
    measure,
)
from paperpost.evaluation.peers import weighted_similarity
from paperpost.evaluation.scorers import Contender, by_score
from paperpost.evaluation.splits import Papers, Split, Training, new_papers
from recommender.matrices import from_entries
from recommender.metrics import mean

NAMES = [contender.name for contender in CONTENDERS]
BLIND = ("Random", "Popularity")


def split() -> Split:
    return new_papers(small_library(), 4)


@pytest.mark.parametrize(
    "contender",
    [one for one in CONTENDERS if not one.name.startswith(BLIND)],
    ids=lambda contender: contender.name,
)
def test_even_readers_get_even_papers_and_odd_readers_odd_ones(contender: Contender) -> None:
    task = split()
    ranked = contender.fit(task.training, task.candidates)(task.histories, None, 8).positions
    topics = task.candidates.numbers[ranked] % 2
    assert (topics == (task.readers % 2)[:, None]).all()


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_what_is_not_allowed_is_not_ranked(contender: Contender) -> None:
    task = split()
    allowed = np.zeros((len(task.readers), len(task.candidates)), dtype=np.bool_)
    allowed[:, [3, 5]] = True
    ranked = contender.fit(task.training, task.candidates)(task.histories, allowed, 4).positions
    assert {tuple(sorted(row)) for row in ranked.tolist()} == {(-1, -1, 3, 5)}


def test_popularity_is_the_mean_worth_of_a_papers_words() -> None:
    old = Papers(np.arange(3), from_entries([{0: 5.0}, {0: 1.0, 1: 1.0}, {1: 1.0}], 3))
    likes = from_entries([{0: 1.0, 1: 1.0}, {1: 1.0}], 3)  # papers have 1, 2 and 0 likes
    new = Papers(np.arange(3, 6), from_entries([{0: 9.0}, {0: 1.0, 1: 2.0}, {2: 1.0}], 3))
    score = topic_popularity(Training(old, ("a", "b", "c"), likes), new)
    assert score(from_entries([{}, {}], 3)).tolist() == [[1.5, 1.25, 0.0]] * 2


def test_newer_likes_weigh_more_in_the_weighted_similarity() -> None:
    old = Papers(np.arange(2), from_entries([{0: 1.0}, {1: 1.0}], 2))
    new = Papers(np.arange(2, 4), from_entries([{0: 1.0}, {1: 1.0}], 2))
    training = Training(old, ("a", "b"), from_entries([], 2))
    both = from_entries([{0: 1.0, 1: 1.0}], 2)
    assert weighted_similarity(training, new)(both) == pytest.approx(
        np.array([[1 / (1 + np.log10(2)), 1.0]])
    )
    assert tfidf_centroid(training, new)(both) == pytest.approx(np.array([[0.5**0.5] * 2]))


def test_equal_scores_stand_in_the_order_of_the_candidates() -> None:
    task = split()
    flat = by_score(lambda _, papers: lambda readers: np.zeros((readers.shape[0], len(papers))))  # type: ignore[arg-type,return-value]
    ranked = flat(task.training, task.candidates)(task.histories, None, 5).positions
    assert {tuple(row) for row in ranked.tolist()} == {(0, 1, 2, 3, 4)}


def test_a_slow_contender_is_asked_about_the_same_sample_in_every_run() -> None:
    task = split()
    slow = Contender("slow", by_score(tfidf_centroid), most_readers=7)
    rows = asked_about(slow, task)
    assert len(set(rows.tolist())) == 7
    assert rows.tolist() == asked_about(slow, task).tolist()
    everybody = measure(Contender("all", slow.fit), task, NEW_PAPERS)
    sample = measure(slow, task, NEW_PAPERS)
    assert np.array_equal(sample.values["ndcg@10"], everybody.values["ndcg@10"][rows])
    assert sample.lead(everybody, "ndcg@10", 0).mean == 0


def test_a_lead_is_taken_over_the_readers_that_both_were_asked_about() -> None:
    many = Measured(np.array([0, 1, 2]), {"recall@50": np.array([0.0, 0.2, 0.4])}, 0)
    few = Measured(np.array([1, 2]), {"recall@50": np.array([0.3, 0.7])}, 0)
    assert few.lead(many, "recall@50", 0).mean == pytest.approx(0.2)
    assert many.ratio(few, "recall@50") == pytest.approx(mean(np.array([0, 0.2, 0.4])) / 0.5)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_ours_alone_tells_a_probability_of_each_paper_it_lists(contender: Contender) -> None:
    task = split()
    allowed = np.zeros((len(task.readers), len(task.candidates)), dtype=np.bool_)
    allowed[:, [3, 5]] = True
    told = contender.fit(task.training, task.candidates)(task.histories, allowed, 4).probabilities
    listed = [contender.name == "Paperpost"] * 2 + [False] * 2
    assert (~np.isnan(told) == listed).all()
    assert ((told[:, listed] > 0) & (told[:, listed] < 1)).all()


def test_what_was_told_stands_beside_what_was_liked() -> None:
    task = split()
    ours = next(contender for contender in CONTENDERS if contender.name == "Paperpost")
    measured = measure(ours, task, NEW_PAPERS)
    assert measured.predictions is not None
    liked, told = measured.predictions.liked, measured.predictions.probabilities
    assert np.array_equal(~np.isnan(told), np.arange(100) < [[len(task.candidates)]] * len(told))
    assert liked.sum() == task.held_out.data.size
    assert told[liked].mean() > told[:, : len(task.candidates)].mean()


def test_models_are_chosen_by_a_part_of_their_names() -> None:
    assert chosen(NAMES, []) == NAMES
    assert chosen(NAMES, ["paperpost", "tf-idf"]) == ["TF-IDF centroid", "Paperpost"]
    with pytest.raises(EvaluationError, match="no model's name has 'bert' in it"):
        chosen(NAMES, ["Paperpost", "bert"])


@pytest.mark.parametrize("part", ["TF-IDF", "Paperpost"])
def test_one_model_alone_is_ours_and_one_the_baseline(part: str) -> None:
    assert len([name for name in NAMES if part in name]) == 1
