"""From a template to a response; every page comes out of here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from paperpost.service.installation import Installation
from paperpost.service.trending import voted_up
from paperpost.web.visitor import Visitor, visitor_of

HERE = Path(__file__).resolve().parent
# In a wheel the templates lie inside the package, in a checkout at the root.
FOLDER = next(
    d for d in (HERE / "templates", HERE.parent.parent / "templates" / "web") if d.is_dir()
)
STATIC = HERE / "static"
READ = ["GET", "HEAD"]
LONGEST_IN_A_LIST = 300


@dataclass(frozen=True, slots=True)
class Site:
    """What a handler works with: the installation, how its pages are made, and for whom.

    `root` is the path of the public address, before every link of a page: a proxy may serve
    the site under `https://example.org/papers` and take that path off. `visitor` is None for
    somebody whose browser does not keep them signed in.
    """

    installation: Installation
    root: str
    visitor: Visitor | None = None

    def page(self, template: str, /, *, status: int = 200, **context: object) -> HTMLResponse:
        """The page of that template; a variable it needs and does not get is an error."""
        rule = self.installation.settings.signup
        html = self.render(
            template, context, signup_is_open=rule != ("closed",), visitor=self.visitor
        )
        response = HTMLResponse(html, status)
        if self.visitor is not None:  # their own page, which no cache may show to others
            response.headers["Cache-Control"] = "no-store"
        return response

    def render(self, template: str, context: Mapping[str, object], /, **more: object) -> str:
        """The text of that template, which is no whole page."""
        return _environment().get_template(template).render(context, **more, root=self.root)

    def notice(self, status: int, title: str, text: str) -> HTMLResponse:
        """A page that says one thing."""
        return self.page("notice.html", status=status, title=title, text=text)


def site_of(installation: Installation) -> Site:
    """The site of an installation."""
    return Site(installation, urlsplit(installation.settings.public_url).path)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    visitor = visitor_of(site.installation, request.cookies)
    return site if visitor is None else replace(site, visitor=visitor)


Here = Annotated[Site, Depends(_site)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        in_a_list=_in_a_list,
        in_path=_in_path,
        host=_host,
        minute=_minute,
        day=_day,
        version=version,
        rfc3339=_rfc3339,
        local=_local,
        voted_up=voted_up,
    )
    environment.tests["web_address"] = _is_web_address
    return environment


@cache
def version(name: str) -> str:
    """Changes with a static file, so that no browser shows a page with yesterday's."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def _in_a_list(text: str) -> str:
    """A title, or names, as a list of papers has room for them."""
    return text if len(text) <= LONGEST_IN_A_LIST else f"{text[: LONGEST_IN_A_LIST - 1]}…"


def _in_path(paper_id: str) -> str:
    """A paper's id as part of a path; it may hold slashes (DOIs do)."""
    return quote(paper_id, safe="/:")


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")


def _is_web_address(text: str) -> bool:
    """Whether an address that a source gave may become a link: `javascript:` may not."""
    return text.startswith(("https://", "http://"))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(moment: datetime, timezone: str) -> str:
    """A moment where the reader is, as in "Wednesday, 8 April 2026, at 08:00"."""
    there = moment.astimezone(ZoneInfo(timezone))
    return f"{_day(there.date())}, at {there:%H:%M}"


def _minute(moment: datetime, now: datetime) -> str:
    """A moment (UTC) to the minute, rounded up: what is promised for then has happened then."""
    rounded = moment + timedelta(seconds=59)
    on = "" if rounded.date() == now.date() else f" on {rounded:%Y-%m-%d}"
    return f"{rounded:%H:%M} UTC{on}"
