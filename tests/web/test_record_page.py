"""The page "How it did", and where the bars of its picture stand."""

import re
from datetime import date, timedelta

import httpx
import pytest
from doors import Doors
from mailed import Mailed

from paperpost.service import account, vote
from paperpost.service.links import Purpose
from paperpost.service.record import Tally, Week
from paperpost.web.chart import BOTTOM, LEFT, TOP, WIDTH, chart

pytest_plugins = ["site_on_stage"]


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def own(doors: Doors) -> str:
    return f"{doors.path(Purpose.PREFERENCES)}/record"


def weeks(*tallies: Tally) -> list[Week]:
    return [
        Week(date(2026, 3, 30) + number * timedelta(7), one) for number, one in enumerate(tallies)
    ]


def test_without_a_mail_there_is_nothing_to_tell(doors: Doors, client: httpx.Client) -> None:
    page = client.get(own(doors))
    assert "Nothing was mailed to you in the last 26 weeks." in text(page)
    assert '<svg class="chart' not in page.text


def test_few_papers_are_counted_and_no_share_is_told(doors: Doors, client: httpx.Client) -> None:
    mailed = Mailed(doors, client)  # three papers
    shown = text(client.get(own(doors)))
    assert "you were mailed 3 papers. It is too early to say how many you like." in shown
    assert "liked 0 of 3" not in shown
    paper = account.export(mailed.here, doors.email)["digests"][0]["papers"][0]
    vote.cast_by_command(mailed.here, doors.email, paper, "up")
    shown = text(client.get(own(doors)))
    assert "you were mailed 3 papers, and liked 1 of 3." in shown
    assert "Of those you voted on you liked 1 of 1." in shown
    assert re.search(r"2026-04-06 3 1 0( \W){3} ", shown)
    assert "1 of 3 (" not in shown


def test_the_picture_has_a_title_a_description_and_a_table(
    doors: Doors, client: httpx.Client
) -> None:
    Mailed(doors, client)
    page = client.get(own(doors)).text
    (labels,) = re.findall(r'<svg class="chart[^>]*role="img" aria-labelledby="([^"]+)"', page)
    assert all(f'id="{label}"' in page for label in labels.split())
    assert page.count("<tr>") == 2
    assert "style=" not in page


def test_a_bar_is_as_high_as_its_share_of_the_scale() -> None:
    found = chart(weeks(Tally(mailed=20, liked=2), Tally(mailed=10, liked=3)))
    assert [line.percent for line in found.lines] == [0, 10, 20, 30, 40]
    first, second = found.bars
    assert first.height == pytest.approx((BOTTOM - TOP) * 0.1 / 0.4)
    assert second.height == pytest.approx((BOTTOM - TOP) * 0.3 / 0.4)
    assert second.y + (second.height or 0) == pytest.approx(BOTTOM)


def test_the_scale_reaches_over_what_was_expected() -> None:
    sure = Tally(mailed=10, liked=0, foretold=10, expected=9.5)
    found = chart(weeks(sure))
    assert found.lines[-1].percent == 100
    assert TOP < (found.bars[0].expected_y or 0) < BOTTOM


def test_weeks_with_too_few_papers_have_no_bar() -> None:
    few, none = chart(weeks(Tally(mailed=4, liked=4), Tally())).bars
    assert (few.height, few.has_mail) == (None, True)
    assert (none.height, none.has_mail) == (None, False)
    assert few.expected_y is None


@pytest.mark.parametrize("count", [1, 2, 26])
def test_bars_stand_side_by_side_within_the_picture(count: int) -> None:
    bars = chart(weeks(*[Tally(mailed=9, liked=9)] * count)).bars
    edges = [edge for bar in bars for edge in (bar.x, bar.x + bar.width)]
    assert edges == sorted(edges)
    assert edges[0] >= LEFT
    assert edges[-1] <= WIDTH


def test_months_are_named_where_they_begin() -> None:
    assert [bar.month for bar in chart(weeks(*[Tally()] * 6)).bars] == [
        "",
        "Apr",
        "",
        "",
        "",
        "May",
    ]
