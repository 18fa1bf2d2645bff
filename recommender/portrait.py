"""What a profile says of its reader: the words that count most, and the papers they liked, on a
map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.batch import Batch
from recommender.matrices import Floats, SparseRows, entries, from_entries, transposed
from recommender.model import Model
from recommender.modes import MOST_LIKES, find_modes
from recommender.phrases import normal_phrase
from recommender.profile import Interests, Profiles, Reader
from recommender.shares import nearest_interest
from recommender.telling import distinct, telling
from recommender.threads import single_threaded_blas

MOST_WORDS = 25
MOST_PAPERS = 40
# The words are looked for in so many of the newest likes.
_NEWEST_LIKES = 200
_WORDS_IN_A_NAME = 2
_SPELLINGS = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword, or a term that votes brought in, as a paper spells it. `strength` is its weight
    in the profile beside the strongest one's (0 to 1); `liked` is how many liked papers brought it
    in."""

    name: str
    is_keyword: bool
    strength: float
    liked: int = 0


@dataclass(frozen=True, slots=True)
class Liked:
    """A liked paper: its place on the map (0 to 1, from the left and from the top), its group, and
    its cosine with the whole profile."""

    paper_id: str
    x: float
    y: float
    group: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """All keywords and the strongest other words, by strength; of the liked papers those that are
    nearest to the whole, by group; the groups' names, where what belongs to no named interest has
    none, nor has the only group of somebody with a single one."""

    words: tuple[Word, ...]
    papers: tuple[Liked, ...]
    groups: tuple[str, ...]


def portrait(
    model: Model, reader: Reader, library: Batch, apart: Sequence[tuple[str, Interests]]
) -> Portrait:
    """A reader as ranking sees them. `library` holds the papers they voted on; `apart` are the
    interests that they keep apart, by name, if there are several."""
    with single_threaded_blas():
        profiles = model.profiles([reader], library)
        liked = [
            library.positions[vote.paper_id]
            for vote in reader.votes
            if vote.value > 0 and vote.paper_id in library.positions
        ][-MOST_LIKES:]
        groups, names = (
            _by_interest(model, library, liked, apart) if apart else _by_mode(library, liked)
        )
        papers = _placed(profiles, liked, groups)
        return Portrait(_words(profiles, liked), papers, names)


def _placed(profiles: Profiles, liked: list[int], groups: list[int]) -> tuple[Liked, ...]:
    """The papers that are nearest to the whole profile, on the map."""
    library = profiles.evidence.library
    cosines = library.factors[liked] @ profiles.whole.centroids[0]
    shown = sorted(np.argsort(-cosines, kind="stable")[:MOST_PAPERS].tolist())
    points = _map(library.factors[[liked[place] for place in shown]])
    papers = [
        Liked(library.papers[liked[place]].id, x, y, groups[place], float(cosines[place]))
        for place, (x, y) in zip(shown, points, strict=True)
    ]
    return tuple(sorted(papers, key=lambda one: (one.group, -one.cosine)))


def _words(profiles: Profiles, liked: list[int]) -> tuple[Word, ...]:
    """The keywords, and the strongest telling terms of liked papers that stand in none of them."""
    columns, values = entries(profiles.whole.tfidf, 0)
    weights = dict(zip(columns.tolist(), values.tolist(), strict=True))
    keywords = profiles.readers[0].interests.keywords
    library, found = profiles.evidence.library, []
    for item, name in enumerate(profiles.evidence.keywords, start=len(library)):
        own = entries(profiles.evidence.tfidf, item)[0].tolist()
        strength = max((weights.get(column, 0) for column in own), default=0)
        found.append(Word(name, True, max(strength, 0)))
    by_term = transposed(library.tfidf[liked])
    for column in _telling(profiles, weights, liked[-_NEWEST_LIKES:], keywords):
        papers = [liked[row] for row in entries(by_term, column)[0].tolist()]
        found.append(Word(_spelt(library, papers, column), False, weights[column], len(papers)))
    found.sort(key=lambda word: -word.strength)
    strongest = max((word.strength for word in found), default=0) or 1
    return tuple(replace(word, strength=word.strength / strongest) for word in found)


def _telling(
    profiles: Profiles, weights: Mapping[int, float], liked: list[int], keywords: Sequence[str]
) -> list[int]:
    """Columns of terms that count, strongest first, none that is forgotten."""
    library, forgotten = profiles.evidence.library, profiles.forgotten.get(0)
    found = {
        column
        for paper in liked
        for column in telling(library, paper, entries(library.tfidf, paper)[0].tolist())
        if weights.get(column, 0) > 0 and not (forgotten and forgotten.columns[column])
    }
    order = sorted(found, key=lambda column: (-weights[column], column))
    return _apart(library, order, keywords)


def _apart(library: Batch, columns: Sequence[int], keywords: Sequence[str]) -> list[int]:
    """The first columns of terms that stand neither in a keyword nor, whole, beside one another:
    of "speech" and "hate speech" the stronger."""
    typed = [normal_phrase(keyword) for keyword in keywords]
    chosen: dict[str, int] = {}
    for column in columns:
        phrase = normal_phrase(library.terms[column])
        if any(phrase in one for one in typed):
            continue
        if not any(phrase in one or one in phrase for one in chosen):
            chosen[phrase] = column
        if len(chosen) == MOST_WORDS:
            break
    return list(chosen.values())


def _spelt(library: Batch, papers: Sequence[int], column: int) -> str:
    """The term as one of the papers spells it that has it; rather not with a title's capitals."""
    spelt = [library.as_written(paper, (column,))[0] for paper in papers[:_SPELLINGS]]
    return next((one for one in spelt if one.islower()), spelt[0])


def _by_interest(
    model: Model, library: Batch, liked: list[int], apart: Sequence[tuple[str, Interests]]
) -> tuple[list[int], tuple[str, ...]]:
    """The group of each paper by what it is nearest to; what is near nothing comes last."""
    typed = [interests for _, interests in apart]
    seeds = model.seeds(tuple(dict.fromkeys(word for one in typed for word in one.keywords)))
    nearest = nearest_interest(liked, typed, library, seeds)
    groups = [len(apart) if home < 0 else home for home in nearest]
    return groups, (*(name for name, _ in apart), "")


def _by_mode(library: Batch, liked: list[int]) -> tuple[list[int], tuple[str, ...]]:
    """The groups that ranking tells apart, named by what they have and the others lack."""
    modes = find_modes(library.factors[liked])
    if not len(modes):
        return [0] * len(liked), ("",)
    groups: list[int] = modes.argmax(axis=0).tolist()
    members = [
        [paper for paper, home in zip(liked, groups, strict=True) if home == group]
        for group in range(len(modes))
    ]
    return groups, tuple(_name(library, own, liked) for own in members)


def _name(library: Batch, own: list[int], liked: list[int]) -> str:
    inside = set(own)
    shares = {paper: (paper in inside) / len(own) - 1 / len(liked) for paper in liked}
    sums: SparseRows = from_entries([shares], len(library)) @ library.tfidf
    columns, weights = entries(sums, 0)
    strongest = columns[np.argsort(-weights, kind="stable")][: 20 * _WORDS_IN_A_NAME].tolist()
    found = {column for paper in own for column in telling(library, paper, strongest)}
    chosen = distinct(library, [c for c in strongest if c in found], (), _WORDS_IN_A_NAME)
    holders = {c: [p for p in own if c in entries(library.tfidf, p)[0]] for c in chosen}
    return ", ".join(_spelt(library, holders[column], column) for column in chosen)


def _map(factors: Floats) -> list[tuple[float, float]]:
    """Papers on a plane by their two principal components, each scaled to 0 to 1."""
    if len(factors) < 2:
        return [(0.5, 0.5)] * len(factors)
    centred = factors - factors.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    plane = left[:, :2] * lengths[:2]
    # A component's sign is arbitrary: the same papers are always the same way up.
    plane *= np.where(plane[np.abs(plane).argmax(axis=0), [0, 1]] < 0, -1, 1)
    spans = np.ptp(plane, axis=0)
    scaled = (plane - plane.min(axis=0)) / np.where(spans > 1e-6, spans, 1)
    points: list[tuple[float, float]] = [(x, y) for x, y in scaled.tolist()]
    return points
