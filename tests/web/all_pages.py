"""Every page of the site: where it is, in a furnished installation.

What looks at pages (for accessibility, for hostile texts, for pictures) goes through this list, and
a test holds that no route of the site is missing from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from furnished import ADA, ASKED, GONE, Furnished
from playwright.sync_api import Page

from paperpost.demo.people import days
from paperpost.service.links import Purpose
from paperpost.web.own import OWN
from paperpost.web.visitor import COOKIE

FIRST, LAST = days()[0], days()[-1]
# A paper of the day before the last that Ada likes.
LIKED = "2604.09001"
WEEK = "{}-W{:02}".format(*LAST.isocalendar())


@dataclass(frozen=True)
class Place:
    """A page: its name in tests and pictures, its path, what its picture shows ("": it has none),
    its status, and whether Ada is signed in."""

    name: str
    path: Callable[[Furnished], str]
    shows: str = ""
    status: int = 200
    signed_in: bool = False


def at(path: str) -> Callable[[Furnished], str]:
    """The same path in every installation."""
    return lambda _: path


def own(path: str) -> Callable[[Furnished], str]:
    """A page of Ada's own."""
    return lambda site: site.path(Purpose.PREFERENCES) + path


def behind(purpose: Purpose, email: str = ADA) -> Callable[[Furnished], str]:
    """A link that somebody was mailed."""
    return lambda site: site.path(purpose, email)


FOR_EVERYBODY = (
    Place("today", at("/"), "The newest day, and how to subscribe"),
    Place("today-signed-in", at("/"), "The same for somebody who is signed in", signed_in=True),
    Place("day", at(f"/day/{FIRST}?order=newest")),
    Place("day-without-papers", at("/day/2020-01-01")),
    Place("week", at(f"/week/{WEEK}"), "A week"),
    Place("month", at(f"/month/{LAST:%Y-%m}"), "A month"),
    Place("trending", at("/trending"), "What trends"),
    Place("trending-month", at("/trending?window=month")),
    Place("paper", lambda site: f"/paper/{site.paper_id}"),
    Place("paper-with-votes", at(f"/paper/{LIKED}"), "A paper"),
    Place("paper-signed-in", lambda site: f"/paper/{site.paper_id}", signed_in=True),
    Place("search", at("/search?q=speech+recognition"), "Search, by words and by meaning"),
    Place("search-signed-in", at("/search?q=graph+networks"), signed_in=True),
    Place("search-without-words", at("/search")),
    Place("search-without-results", at("/search?q=xyzzyx")),
    Place("subscribe", at("/subscribe")),
    Place("subscribe-preview", at("/subscribe?keywords=speech"), "Subscribing, with a preview"),
    Place("my-link", at("/link"), "Without a mail at hand"),
    Place("api", at("/api"), "The API"),
    Place("no-such-paper", at("/paper/nothing"), status=404),
    Place("not-found", at("/nothing/here"), status=404),
)
BEHIND_LINKS = (
    Place("confirm", behind(Purpose.CONFIRM, ASKED), "Confirming a subscription"),
    Place("confirmed", behind(Purpose.CONFIRM)),
    Place("vote", lambda site: site.doors(ADA, LIKED).path(Purpose.VOTE), "A thumb of a digest"),
    Place("vote-ignored", behind(Purpose.VOTE)),
    Place("unsubscribe", behind(Purpose.UNSUBSCRIBE), "Leaving"),
    Place("unsubscribed", behind(Purpose.UNSUBSCRIBE, GONE)),
    Place("broken-link", at("/me/broken"), status=404),
)
MY_PAPERPOST = (
    Place("preferences", own(""), "Preferences"),
    Place("preferences-fresh", behind(Purpose.ACCESS)),
    Place("interests", own("/interests"), "Named interests, each with its share"),
    Place("likes", own("/likes"), "What Paperpost thinks one likes"),
    Place("votes", own("/votes"), "Votes, those that wait and those that were ignored"),
    Place("api-token", lambda site: site.path(Purpose.ACCESS) + "/api"),
    Place("digests", own("/digests"), "Past digests"),
    Place("digest", own(f"/digests/{FIRST}"), "A past digest, as it was mailed"),
    Place("record", own("/record"), "How it did"),
    Place("rate", own("/rate"), "Rating ten papers"),
    Place("library", own("/library"), "A library to start from"),
)
OPERATORS = (Place("operator", lambda site: site.operator_path(), "How it is doing"),)
CHAPTERS = {
    "For everybody": FOR_EVERYBODY,
    "Behind the links of mails": BEHIND_LINKS,
    "My Paperpost": MY_PAPERPOST,
    "For operators": OPERATORS,
}
PLACES = tuple(place for places in CHAPTERS.values() for place in places)

# What is asked for by GET and is no page: how the paths of its routes begin.
NO_PAGES = (
    "/api/",
    "/bibtex/",
    "/favicon.ico",
    "/feed/",
    "/healthz",
    "/metrics",
    "/access/{token}/export",
    "/access/{token}/digests/{day}/mail.eml",
    f"{OWN}/digests/{{day}}/mail",
)


def go(tab: Page, site: Furnished, place: Place) -> None:
    """Open a page as whoever it is for has it open."""
    tab.context.clear_cookies()
    if place.signed_in:
        token = site.doors(ADA).token(Purpose.SESSION)
        tab.context.add_cookies([{"name": COOKIE, "value": token, "url": site.base}])
    tab.goto(f"{site.base}{place.path(site)}")
