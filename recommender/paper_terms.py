"""The terms of one paper that tell what it is about, worked out once for all of a day's readers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.matrices import Integers

# Words of papers about papers: "results suggest" tells nobody why a paper is there.
_GENERIC = frozenset(
    {"approach", "demonstrate", "existing", "experiment", "extensive", "finding", "improve"}
    | {"method", "outperform", "paper", "present", "propose", "proposed", "recent", "result"}
    | {"scheme", "show", "simulation", "study", "suggest", "year"}
)
# So many terms are looked at for each that is wanted.
DEPTH = 4


def plain(term: str) -> str:
    """A term as phrases are compared: hyphens count as spaces."""
    return term.replace("-", " ")


def is_telling(term: str, title: str) -> bool:
    """Whether a plain term tells what a paper is about: a phrase, or a word of its title (as
    `normal_phrase` has it), but none of papers in general. A rare word of two abstracts ("tried")
    may add much to a product and say nothing to a reader."""
    return (" " in term or f" {term} " in title) and _GENERIC.isdisjoint(term.split())


@dataclass(frozen=True)
class PaperTerms:
    """A paper's telling terms: their places in its row, and how the paper spells them; as `phrases`
    they are plain, with spaces around."""

    places: Integers
    names: tuple[str, ...]
    phrases: tuple[str, ...]

    def distinct(self, places: Sequence[int], known: Collection[str], most: int) -> list[int]:
        """The first of these places whose terms do not stand in one another or in a known phrase
        (with spaces around): `telling.distinct`, with what stands in what looked up."""
        holders, held = self._standing
        chosen: list[int] = []
        taken = 0
        for place in places[: DEPTH * most]:
            if holders[place] & taken:
                continue
            if known and any(self.phrases[place] in longer for longer in known):
                continue
            within = held[place] & taken
            if within:
                first = next(at for at, other in enumerate(chosen) if within >> other & 1)
                chosen.insert(first, place)
                chosen = [other for other in chosen if not within >> other & 1]
            else:
                chosen.append(place)
            taken = taken & ~within | 1 << place
        return chosen[:most]

    @cached_property
    def _standing(self) -> tuple[list[int], list[int]]:
        """For each term the others that it stands in, and those that stand in it, as bits."""
        holders, held = [0] * len(self.phrases), [0] * len(self.phrases)
        places: dict[str, list[int]] = {}
        for place, phrase in enumerate(self.phrases):
            places.setdefault(phrase, []).append(place)
        for place, phrase in enumerate(self.phrases):
            for part in _parts(phrase.split()):
                for other in places.get(part, ()):
                    if other != place:
                        holders[other] |= 1 << place
                        held[place] |= 1 << other
        return holders, held


def _parts(words: Sequence[str]) -> set[str]:
    """Every run of these words, as a phrase."""
    ends = range(1, len(words) + 1)
    return {f" {' '.join(words[start:end])} " for end in ends for start in range(end)}
