"""WCAG 2.2 AA, as far as a program can tell: axe looks at every page in a real browser."""

from typing import Any

import pytest
from all_pages import PLACES, Place, go
from axe_playwright_python.sync_playwright import Axe
from browser import SCREENS, Readers, Screen
from furnished import Furnished
from playwright.sync_api import Page

pytest_plugins = ["furnished_on_stage"]

AXE = Axe()
# https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#axe-core-tags
EVERYTHING = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What night changes.
COLOURS = {"type": "rule", "values": ("color-contrast", "link-in-text-block")}


def violations(tab: Page, place: Place, rules: Any) -> list[tuple[str, ...]]:
    """What breaks one of axe's rules: the page, the rule, the element, and how to mend it."""
    wanted = {"runOnly": rules, "resultTypes": ["violations"]}
    return [
        (place.name, violation["id"], node["html"], node["failureSummary"])
        for violation in AXE.run(tab, options=wanted).response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_axe_finds_nothing_on_any_page(
    furnished: Furnished, readers: Readers, screen: Screen
) -> None:
    tab = readers.tab(screen)
    found = []
    for place in PLACES:
        tab.emulate_media(color_scheme="light")
        go(tab, furnished, place)
        found += violations(tab, place, EVERYTHING)
        if screen is SCREENS[0]:  # the colours are the same on all
            tab.emulate_media(color_scheme="dark")
            found += violations(tab, place, COLOURS)
    assert found == []


def test_no_page_scrolls_sideways(furnished: Furnished, readers: Readers) -> None:
    tab = readers.tab()
    too_wide = []
    for place in PLACES:
        go(tab, furnished, place)
        # As narrow as WCAG 2.2 asks for (1.4.10), a common phone, and a tablet.
        for width in (320, 390, 768):
            tab.set_viewport_size({"width": width, "height": 800})
            wide = tab.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                too_wide.append((place.name, width, wide))
    assert too_wide == []
