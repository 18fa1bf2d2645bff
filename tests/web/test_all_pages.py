"""No page is forgotten by the tests that look at all of them."""

import re
from collections.abc import Iterable, Iterator

import httpx
from all_pages import NO_PAGES, PLACES
from furnished import Furnished
from page_pictures import DOCUMENT, PAGES, document, file, shown
from starlette.routing import BaseRoute, Route

from paperpost.web.app import create_app

pytest_plugins = ["furnished_on_stage"]


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """All routes that answer a GET, also those of routers that were included."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes_of(included.routes)
        elif isinstance(route, Route) and "GET" in (route.methods or ()):
            yield route


def test_every_route_of_the_site_leads_to_a_page_of_the_list(furnished: Furnished) -> None:
    routes = list(routes_of(create_app(furnished.installation).routes))
    listed = [place.path(furnished).partition("?")[0] for place in PLACES]
    listed += [f"{path}/" for path in listed]
    assert len(routes) > 15
    assert [
        route.path
        for route in routes
        if not any(route.path_regex.match(path) for path in listed)
        and not route.path.startswith(NO_PAGES)
    ] == []


def test_every_page_of_the_list_is_there_and_small(furnished: Furnished) -> None:
    with httpx.Client(base_url=furnished.base, trust_env=False) as client:
        answers = {place: client.get(place.path(furnished)) for place in PLACES}
    assert [
        (place.name, answer.status_code)
        for place, answer in answers.items()
        if answer.status_code != place.status
    ] == []
    sizes = {place.name: len(answer.content) for place, answer in answers.items()}
    assert [name for name, size in sizes.items() if size > 100_000] == []


def test_the_docs_show_every_page_that_has_a_picture() -> None:
    pictures = {file(place, screen) for place in shown() for screen in ("desktop", "phone")}
    assert set(PAGES.iterdir()) == pictures, "run `make pictures`"
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make pictures`"
    assert sum(picture.stat().st_size for picture in pictures) < 3_000_000


def test_the_icon_is_there_for_pages_and_for_browsers_that_ask_unbidden(
    furnished: Furnished,
) -> None:
    with httpx.Client(base_url=furnished.base, trust_env=False) as client:
        (named,) = re.findall(
            r'rel="icon" type="image/svg\+xml" href="([^"]+)"', client.get("/").text
        )
        icons = [client.get(path) for path in (named, "/favicon.ico")]
    assert {icon.headers["content-type"] for icon in icons} == {"image/svg+xml"}
    assert icons[0].content == icons[1].content
