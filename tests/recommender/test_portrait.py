"""What a profile says of its reader."""

from test_modes import LIBRARY as MANY
from test_modes import model as model_of_many
from test_modes import two_minds
from two_topics import is_protein, model, papers

from recommender.portrait import MOST_PAPERS, MOST_WORDS, Portrait, portrait
from recommender.profile import Interests, Reader, Vote
from recommender.text import phrases

LIBRARY = papers(80)
APART = (("Thesis", Interests(("protein folding",))), ("Robots", Interests(("quadruped gait",))))


def drawn(reader: Reader, apart: tuple[tuple[str, Interests], ...] = ()) -> Portrait:
    return portrait(model(), reader, model().batch(LIBRARY), apart)


def likes(*numbers: int) -> tuple[Vote, ...]:
    return tuple(Vote(f"paper/{number}", 1) for number in numbers)


def test_nothing_is_said_of_somebody_unknown() -> None:
    assert drawn(Reader("ada")) == Portrait((), (), ("",))


def test_without_votes_keywords_are_all_there_is() -> None:
    seen = drawn(Reader("ada", Interests(("protein folding", "unheardofword"))))
    assert [(word.name, word.is_keyword, word.strength) for word in seen.words] == [
        ("protein folding", True, 1.0),
        ("unheardofword", True, 0.0),
    ]
    assert not seen.papers


def test_words_that_votes_brought_in_are_told_with_how_many_papers_have_them() -> None:
    seen = drawn(Reader("ada", Interests(("helix",)), likes(0, 2, 4)))
    learnt = {word.name: word for word in seen.words if not word.is_keyword}
    assert 1 <= len(learnt) <= MOST_WORDS
    assert "helix" not in learnt
    written = [{name for name, _ in phrases(paper.text)} for paper in LIBRARY[:6:2]]
    for name, word in learnt.items():
        assert word.liked == sum(name in own for own in written) > 0
    strengths = [word.strength for word in seen.words]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] == 1


def test_a_forgotten_word_is_not_among_them() -> None:
    reader = Reader("ada", votes=likes(0, 2, 4))
    strongest = drawn(reader).words[0].name
    without = drawn(Reader("ada", Interests(forgotten=(strongest,)), reader.votes))
    assert not any(strongest.lower() in word.name.lower().split() for word in without.words)
    assert without.words


def test_votes_down_are_neither_words_nor_papers() -> None:
    seen = drawn(Reader("ada", votes=(*likes(0, 2), Vote("paper/1", -1), Vote("paper/3", -1))))
    assert {one.paper_id for one in seen.papers} == {"paper/0", "paper/2"}
    robots = ("robot", "gait", "torque", "terrain", "quadruped", "actuator", "stride")
    assert not any(name in word.name.lower() for word in seen.words for name in robots)


def test_what_is_alike_stands_together_on_the_map() -> None:
    seen = drawn(Reader("ada", votes=likes(*range(12))))
    proteins = [one.x for one in seen.papers if is_protein(one.paper_id)]
    robots = [one.x for one in seen.papers if not is_protein(one.paper_id)]
    assert max(proteins) < min(robots) or max(robots) < min(proteins)
    assert {min(proteins + robots), max(proteins + robots)} == {0.0, 1.0}
    assert all(0 <= one.y <= 1 for one in seen.papers)


def test_interests_that_are_kept_apart_are_the_groups() -> None:
    seen = drawn(Reader("ada", votes=likes(*range(6))), APART)
    assert seen.groups == ("Thesis", "Robots", "")
    assert all(is_protein(one.paper_id) == (one.group == 0) for one in seen.papers)


def test_a_paper_near_no_interest_is_in_the_last_group() -> None:
    apart = (("A", Interests(authors=("X",))), ("B", Interests(authors=("Y",))))
    assert [one.group for one in drawn(Reader("ada", votes=likes(0)), apart).papers] == [2]


def test_interests_that_ranking_tells_apart_are_groups_named_by_their_words() -> None:
    seen = portrait(model_of_many(), two_minds(10, 10), model_of_many().batch(MANY), ())
    assert len(seen.groups) == 2
    assert {one.group for one in seen.papers} == {0, 1}
    # Both subjects' words begin with the subject's letter; their papers have no titles.
    assert set(seen.groups) == {""} or all(name[0] in "ab" for name in seen.groups)


def test_of_many_papers_those_are_shown_that_are_nearest_to_the_whole() -> None:
    seen = drawn(Reader("ada", votes=likes(*range(0, 80, 2), 1, 3, 5)))
    assert len(seen.papers) == MOST_PAPERS
    assert all(is_protein(one.paper_id) for one in seen.papers)


def test_one_paper_is_in_the_middle() -> None:
    (only,) = drawn(Reader("ada", votes=likes(0))).papers
    assert (only.x, only.y, only.group) == (0.5, 0.5, 0)
