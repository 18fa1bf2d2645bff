"""Interests that no paper has are told; nothing is claimed that is not so."""

from datetime import date
from pathlib import Path

import pytest
from invented import fill

from paperpost.service import mentions as service
from paperpost.service import subscribe
from paperpost.service.installation import Installation
from paperpost.service.mentions import unknown, unmentioned
from paperpost.store.intake import put_all
from paperpost.store.records import Record
from paperpost.store.tables import InterestKind

DAY = date(2026, 4, 7)


def store(installation: Installation, *texts: str, authors: tuple[str, ...] = ()) -> None:
    """Papers with these abstracts."""
    arrivals = [
        Record(
            name=f"2604.{number:05}",
            title=f"On matter {number}",
            abstract=text,
            authors=authors,
            categories=("cs.CL", "math.AG"),
            announced=DAY,
            version=1,
            source="test",
        )
        for number, text in enumerate(texts)
    ]
    with installation.database.writing() as session:
        put_all(session, arrivals, installation.clock())


def missing(installation: Installation, kind: InterestKind, *values: str) -> list[str]:
    return [one.value for one in unmentioned(installation, {kind: values})]


TEXTS = (
    "A study of Graph neural networks and other classes, in C++, for GPT-4.",
    'Generation of plungers; k-Means. Étale Schr\\"odinger bridges.',
)


@pytest.mark.parametrize(
    "keywords",
    [
        ("graph neural network", "Graph Neural Networks", "graph-neural networks"),
        ("STUDY", "studies", "class", "classes", "C++", "GPT-4", "gpt 4", "k-means"),
        ("étale", "Schrödinger", "schrödinger bridge", "+++"),
    ],
)
def test_a_keyword_is_known_in_whatever_form_it_stands(
    any_installation: Installation, keywords: tuple[str, ...]
) -> None:
    store(any_installation, *TEXTS)
    assert missing(any_installation, InterestKind.KEYWORD, *keywords) == []


@pytest.mark.parametrize(
    "keywords",
    [
        ("foobarology", "neural graph", "rat lung", "means bridges", "networks of", "gpt-5"),
        ("graph%network", "g_aph", "x' OR 1=1 --", "ünbekannt", "étale geese"),
    ],
)
def test_a_keyword_that_stands_nowhere_is_told(
    any_installation: Installation, keywords: tuple[str, ...]
) -> None:
    store(any_installation, *TEXTS)
    assert missing(any_installation, InterestKind.KEYWORD, *keywords) == list(keywords)


def test_an_author_is_known_with_and_without_accents(any_installation: Installation) -> None:
    store(any_installation, "Text.", authors=("Paul Erdős", "Müller, Jürgen", "Emmy Noether"))
    known = ("Paul Erdos", "paul erdős", "Jurgen Muller", "Noether, Emmy", "EMMY NOETHER")
    assert missing(any_installation, InterestKind.AUTHOR, *known) == []
    strangers = ("Emmy", "Paul Noether", "P. Erdos", 'Erdős", "Müller')
    assert missing(any_installation, InterestKind.AUTHOR, *strangers) == list(strangers)


def test_a_category_is_known_in_any_case_and_only_whole(any_installation: Installation) -> None:
    store(any_installation, "Text.")
    assert missing(any_installation, InterestKind.CATEGORY, "cs.CL", "CS.cl", "math.ag") == []
    assert missing(any_installation, InterestKind.CATEGORY, "cs", "cs.ZZ", "cs_CL") == [
        "cs",
        "cs.ZZ",
        "cs_CL",
    ]


def test_without_papers_nothing_is_said(any_installation: Installation) -> None:
    assert missing(any_installation, InterestKind.KEYWORD, "foobarology") == []


def test_what_is_muted_is_not_looked_for(any_installation: Installation) -> None:
    store(any_installation, "Text.")
    assert missing(any_installation, InterestKind.MUTED, "foobarology") == []


def test_what_stands_in_older_papers_only_is_told_as_such(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOKED_THROUGH", 2)
    store(any_installation, "Geese.", "Swans.", "Ducks.")
    found = unmentioned(any_installation, {InterestKind.KEYWORD: ["geese", "swans", "ducks"]})
    assert [one.sentence for one in found] == [
        "None of the 2 newest papers here mentions “geese” yet; it starts to count when one does."
    ]


def test_in_doubt_nothing_is_said(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(any_installation, "migration", "generation", "rating")
    assert missing(any_installation, InterestKind.KEYWORD, "rat") == ["rat"]
    monkeypatch.setattr(service, "IN_DOUBT", 3)
    assert missing(any_installation, InterestKind.KEYWORD, "rat") == []


def test_a_sentence_tells_what_counts_meanwhile(any_installation: Installation) -> None:
    store(any_installation, "Text.")
    wanted = {
        InterestKind.CATEGORY: ["cs.ZZ"],
        InterestKind.KEYWORD: ["foobarology", "quantum geese"],
    }
    found = unmentioned(any_installation, wanted)
    assert [one.sentence for one in found] == [
        "No paper stored here mentions “foobarology” yet; it starts to count when one does.",
        "No paper stored here mentions “quantum geese” yet; "
        "until one does, only its single words count.",
        "No paper stored here has the category “cs.ZZ” yet; it starts to count when one does.",
    ]
    assert unknown(found) == {
        "unknown_keywords": ["foobarology", "quantum geese"],
        "unknown_authors": [],
        "unknown_categories": ["cs.ZZ"],
    }


def test_a_list_remembers_what_its_lines_asked_for(
    installation: Installation, tmp_path: Path
) -> None:
    fill(installation, [DAY])
    path = tmp_path / "list.csv"
    path.write_text(
        "email,keywords\nada@example.org,speech;foobarology\nben@example.org,foobarology\n"
        "no address,swans\n",
        encoding="utf-8",
    )
    done = subscribe.from_file(installation, path, confirmed=True)
    found = unmentioned(installation, done.asked)
    assert [one.value for one in found] == ["foobarology"]
