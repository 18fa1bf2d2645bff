"""Who takes part in the demo, and the bundled papers.

The papers are real (ids, titles, authors, categories, dates: facts from arXiv); the text under
each title is a short summary of our own, not its authors' abstract.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

PAPERS = Path(__file__).with_name("papers.jsonl")


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber of the demo: seed keywords, and what they would like and dislike among the
    papers, of which a mail may show some."""

    email: str
    keywords: tuple[str, ...]
    likes: frozenset[str]
    dislikes: frozenset[str]


def _ids(text: str) -> frozenset[str]:
    return frozenset(f"2604.{number}" for number in text.split())


PEOPLE = (
    # Ada likes graph networks rather than the design of molecules.
    Person(
        "ada@example.org",
        ("graph neural networks", "molecule generation", "protein folding"),
        likes=_ids("03583 04554 05254 05846 06074 06469 08131 08295 08435 08810 09001"),
        dislikes=_ids("03476 04403 06250 06685 07512 09308"),
    ),
    # Ben likes shorter and mathematical reasoning rather than reward models.
    Person(
        "ben@example.org",
        ("language model reasoning", "reinforcement learning from human feedback"),
        likes=_ids("04120 04930 05355 05643 06787 09150 05655 06805 06834"),
        dislikes=_ids("05445 07343 07506 08178 08723"),
    ),
    # Cleo likes surfaces and photogrammetry rather than moving scenes.
    Person(
        "cleo@example.org",
        ("3D reconstruction", "gaussian splatting", "neural rendering"),
        likes=_ids("05908 06739 07279 07337 08542 08945"),
        dislikes=_ids("04016 04063 05436 09324"),
    ),
    # Dev likes speech rather than translation.
    Person(
        "dev@example.org",
        ("speech recognition", "machine translation", "low-resource languages"),
        likes=_ids("04598 05605 06487 06507 07354 07467 08448 08562 09121"),
        dislikes=_ids("04839 06456 06789 08977"),
    ),
)


def bundled_papers() -> list[dict[str, Any]]:
    """The bundled papers, in the fields of an import file."""
    with PAPERS.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def days() -> list[date]:
    """The announcement days of the bundled papers, oldest first."""
    return sorted({date.fromisoformat(paper["announced"]) for paper in bundled_papers()})
