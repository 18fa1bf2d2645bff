"""What a model's file holds of it: a header and arrays (snapshot.py), and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.background import Background
from recommender.blend import BLEND
from recommender.calibration import Calibration
from recommender.factors import FactorSettings, Space
from recommender.headings import Headings
from recommender.matrices import SparseRows, from_parts
from recommender.neighbours import Neighbours
from recommender.snapshot import Arrays
from recommender.spaces import JointSpace
from recommender.text import Vocabulary

if TYPE_CHECKING:
    from recommender.model import Model

# What is held of each space, by the names of its fields.
_OF_A_SPACE = ("term_factors", "paper_gramian")
# And of each sparse matrix.
_OF_ROWS = ("data", "indices", "indptr")


def parts_of(model: Model) -> tuple[dict[str, Any], Arrays]:
    """A model as header and arrays."""
    spaces = model.space.spaces
    header = {
        "terms": model.vocabulary.terms,
        "papers": model.paper_ids,
        "titles": model.titles,
        "spaces": [asdict(space.settings) for space in spaces],
        "calibration": {"blend": BLEND, **asdict(model.calibration)},
    }
    arrays: Arrays = {
        "idf": model.vocabulary.idf,
        "paper_factors": model.space.paper_factors,
        "background": model.places(model.background.ids),
        "crowding": model.background.known_crowding,
        "usual_closeness": model.background.usual,
        "heading_keys": model.headings.keys,
        "heading_holders": model.headings.holders,
        "neighbours_votes": model.neighbours.votes,
    }
    arrays |= _arrays_of("tfidf", model.tfidf)
    arrays |= _arrays_of("neighbours", model.neighbours.steps)
    for number, space in enumerate(spaces):
        arrays |= {f"{name}_{number}": getattr(space, name) for name in _OF_A_SPACE}
    return header, arrays


def fields_in(header: dict[str, Any], arrays: Arrays) -> dict[str, Any]:
    """The fields of a model; KeyError, TypeError, ValueError or IndexError where a part is missing
    or is none."""
    terms, papers = tuple(header["terms"]), tuple(header["papers"])
    spaces = tuple(
        Space(
            settings=FactorSettings(**settings),
            **{name: arrays[f"{name}_{number}"] for name in _OF_A_SPACE},
        )
        for number, settings in enumerate(header["spaces"])
    )
    space = JointSpace(spaces, arrays["paper_factors"])
    tfidf = _rows_in(arrays, "tfidf", len(terms))
    chosen = arrays["background"]
    ids = tuple(papers[place] for place in chosen.tolist())
    steps = _rows_in(arrays, "neighbours", len(papers))
    return {
        "vocabulary": Vocabulary(terms, arrays["idf"]),
        "space": space,
        "paper_ids": papers,
        "titles": tuple(header["titles"]),
        "tfidf": tfidf,
        "background": Background(
            ids,
            tfidf[chosen],
            space.paper_factors[chosen],
            arrays["crowding"],
            arrays["usual_closeness"],
        ),
        "neighbours": Neighbours(steps, arrays["neighbours_votes"]),
        "headings": Headings(arrays["heading_keys"], arrays["heading_holders"], len(papers)),
        "calibration": _calibration_in(header),
    }


def is_whole(model: Model) -> bool:
    """Whether the parts of a model fit together."""
    terms, papers = len(model.vocabulary.terms), len(model.paper_ids)
    return (
        model.vocabulary.idf.shape == (terms,)
        and len(model.titles) == papers
        and model.tfidf.shape == (papers, terms)
        and model.neighbours.steps.shape == (papers, papers)
        and model.neighbours.votes.shape == (papers,)
        and model.space.is_for(terms, papers)
        and model.headings.is_for(papers)
        and len(model.background.known_crowding) in (0, papers)
        and model.background.usual.shape == (2, 2)
    )


def _calibration_in(header: dict[str, Any]) -> Calibration:
    """The snapshot's curve; the default where it has none, or one for scores of another blend."""
    match header.get("calibration"):
        case {"blend": blend, "intercept": intercept, "slope": slope} if blend == BLEND:
            return Calibration(float(intercept), float(slope))
        case _:
            return Calibration()


def _arrays_of(name: str, rows: SparseRows) -> Arrays:
    return {f"{name}_{part}": np.asarray(getattr(rows, part)) for part in _OF_ROWS}


def _rows_in(arrays: Arrays, name: str, columns: int) -> SparseRows:
    data, indices, indptr = (arrays[f"{name}_{part}"] for part in _OF_ROWS)
    return from_parts(data, indices, indptr, columns)
