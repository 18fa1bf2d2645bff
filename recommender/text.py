"""From the words of papers to term counts and TF-IDF rows: scikit-learn behind types.

A term is a word or two neighbouring words. Hyphenated words stay whole ("self-supervised",
"gpt-4"), plurals are folded onto singulars, and two words with a stop word or a full stop between
them are no term, so that every term is a phrase that really stands in the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    CountVectorizer,
    TfidfTransformer,
)

from recommender.matrices import (
    Floats,
    SparseRows,
    all_stacked,
    sparse_rows,
    unit_sparse_rows,
    with_data,
)

MAX_TERMS = 50_000
# Terms are learnt from so many texts, for every one that occurs is in memory then: 15 kB a text.
MOST_TEXTS = 60_000
_TEXTS_AT_ONCE = 10_000

_LATEX_ACCENT = re.compile(r"\\[\"'`^~=.]\s*\{?([A-Za-z])\}?")
_NOISE = re.compile(r"https?://\S+|\\[A-Za-z]+")
_WORD = re.compile(r"[^\W_]+(?:(?:-|\.(?=\d))[^\W_]+)*[+#]*|[.,;:!?()]")
_UNFOLDED = ("ss", "us", "is", "as", "os")
# What scikit-learn's list lacks and every abstract has.
_STOP_WORDS = ENGLISH_STOP_WORDS | {"et", "al", "e.g", "i.e", "eg", "ie", "via", "using", "use"}


@dataclass(frozen=True, slots=True)
class Paper:
    """What ranking needs to know of a paper; `id` is opaque."""

    id: str
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return f"{self.title}. {self.abstract}"


@dataclass(frozen=True)
class Vocabulary:
    """The known terms and their smoothed inverse document frequencies, in column order."""

    terms: tuple[str, ...]
    idf: Floats

    def count(self, texts: Sequence[str]) -> SparseRows:
        """Occurrences (texts x terms); unknown words are left out."""
        if not self.terms or not texts:
            return _no_counts(len(texts), len(self.terms))
        return sparse_rows(self._vectorizer.transform(texts))

    @cached_property
    def _vectorizer(self) -> CountVectorizer:
        # Kept, because it builds a dictionary of all terms on first use.
        return CountVectorizer(analyzer=terms, vocabulary=list(self.terms))

    def weigh(self, counts: SparseRows) -> SparseRows:
        """`1 + ln(count)` times idf, unit length (scikit-learn's TfidfTransformer)."""
        counts = sparse_rows(counts)
        weights = (1 + np.log(counts.data)) * self.idf[counts.indices]
        return unit_sparse_rows(with_data(counts, weights))


def words(text: str) -> Iterator[tuple[str, str]]:
    """Each word as (as written, folded); a punctuation mark comes as (mark, "")."""
    for written in words_as_written(text):
        yield written, folded(written)


def words_as_written(text: str) -> list[str]:
    """Each word and each punctuation mark."""
    return _WORD.findall(_plain(text))


def folded(written: str) -> str:
    """A word in lower case and singular; nothing for a punctuation mark."""
    return fold(written.casefold()) if written[0].isalnum() else ""


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if "\\" in plain:
        plain = _LATEX_ACCENT.sub(r"\1", plain)
    # Most texts have neither, and to look for one of two takes as long as finding the words.
    return _NOISE.sub(" ", plain) if "\\" in plain or "://" in plain else plain


def fold(word: str) -> str:
    """The singular, roughly: "networks" to "network", "studies" to "study"; "bias" stays."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(_UNFOLDED):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def phrases(text: str) -> Iterator[tuple[str, str]]:
    """Each term of a text as (as written, term); terms occur as often as they stand there."""
    last: tuple[str, str] | None = None
    for written, word in words(text):
        if not _is_content(word, written):
            last = None
            continue
        yield written, word
        if last is not None:
            yield f"{last[0]} {written}", f"{last[1]} {word}"
        last = (written, word)


def terms(text: str) -> list[str]:
    """The terms of a text, repeated as often as they occur: those of `phrases`, twice as fast,
    as pages read some fifty texts while somebody waits."""
    found: list[str] = []
    last = ""
    for written in words_as_written(text):
        word = _content(written)
        if word:
            found.append(word)
            if last:
                found.append(f"{last} {word}")
        last = word
    return found


@lru_cache(maxsize=2**16)
def _content(written: str) -> str:
    """A word folded; nothing for one that tells nothing, and for a punctuation mark."""
    word = folded(written)
    return word if _is_content(word, written) else ""


def learn_terms(texts: Sequence[str], limit: int = MAX_TERMS) -> tuple[tuple[str, ...], SparseRows]:
    """The `limit` most frequent terms of the first MOST_TEXTS texts, in alphabetical order, and
    their counts in all texts.

    A term must stand in more texts the more texts there are, so that three papers still have a
    vocabulary and fourteen thousand have no misprints in theirs.
    """
    first = texts[:MOST_TEXTS]
    if not any(terms(text) for text in first):
        return (), _no_counts(len(texts), 0)
    vectorizer = CountVectorizer(
        analyzer=terms, min_df=_least_documents(len(first)), max_features=limit
    )
    try:
        counts = sparse_rows(vectorizer.fit_transform(first))
    except ValueError:  # scikit-learn's way to say that every term is rarer than min_df
        return (), _no_counts(len(texts), 0)
    parts = [
        sparse_rows(vectorizer.transform(texts[start : start + _TEXTS_AT_ONCE]))
        for start in range(len(first), len(texts), _TEXTS_AT_ONCE)
    ]
    names = tuple(str(term) for term in vectorizer.get_feature_names_out())
    return names, all_stacked([counts, *parts])


def learn_weights(known: Sequence[str], counts: SparseRows) -> Vocabulary:
    """Document frequencies of `counts` (papers x terms) as smoothed idf."""
    if not known or not counts.shape[0]:
        return Vocabulary(tuple(known), np.ones(len(known), dtype=np.float32))
    idf = TfidfTransformer(sublinear_tf=True).fit(counts).idf_
    return Vocabulary(tuple(known), np.asarray(idf, dtype=np.float32))


def _no_counts(texts: int, terms: int) -> SparseRows:
    return sparse_rows(np.zeros((texts, terms), dtype=np.float32))


def _is_content(word: str, written: str) -> bool:
    return len(written) > 1 and word not in _STOP_WORDS and not word.replace(".", "").isdigit()


def _least_documents(texts: int) -> int:
    return 1 if texts < 100 else 2 if texts < 2_000 else 3
