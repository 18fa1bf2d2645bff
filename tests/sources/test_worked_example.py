"""The source that CONTRIBUTING.md shows is one."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import pytest
from conftest import REPOSITORY
from hurried_client import hurried_client
from loopback_source import Told
from web_on_loopback import Question, WebOnLoopback

from paperpost.settings import load_settings
from paperpost.sources.errors import UnknownSource
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import DayState, Spec, Wanted

TODAY = date(2026, 4, 15)


@pytest.fixture
def example() -> ModuleType:
    """The code block as a module."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    module = ModuleType("example")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    return module


class Example:
    """papers.example.org, with two papers and a bad record on every day."""

    hosts = ("papers.example.org",)

    def answer(self, question: Question) -> Told:
        day = question.path[6:16]
        papers: list[object] = [
            {"id": f"doi:10.1234/{day}.{section}", "title": section.title(), "announced": day}
            | {"categories": [section]}
            for section in ("optics", "botany")
        ]
        return Told(200, json.dumps({"papers": [*papers, "nonsense"]}).encode())


def test_it_answers_with_papers_and_a_report_for_each_day(example: ModuleType) -> None:
    spec = Spec("example:optics", "example", "optics")
    days = (TODAY - timedelta(days=1), TODAY)
    with WebOnLoopback(Example()) as web, hurried_client(web) as client:
        source = example.source(spec, load_settings())
        wanted = Wanted(datetime.now(UTC), TODAY, days)
        batches = list(source.batches(client, wanted))
    assert [[type(one) for one in batch.records] for batch in batches] == 2 * [
        [FoundPaper, Rejected]
    ]
    assert [(one.day, one.state, one.papers) for batch in batches for one in batch.days] == [
        (days[0], DayState.COMPLETE, 1),
        (TODAY, DayState.PARTIAL, 1),
    ]


def test_it_says_how_it_is_written(example: ModuleType) -> None:
    with pytest.raises(UnknownSource, match=r"example:SECTION\[\+SECTION"):
        example.source(Spec("example", "example", ""), load_settings())
