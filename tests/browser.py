"""A real browser on the stage: the Chromium of this machine, driven by Playwright.

Nothing is ever downloaded, no name but our own is resolved, and every tab is watched: a request to
anybody else, an error in the console (which is where a broken Content-Security-Policy is told), a
script that fails and a part of a page that is missing each fail the test.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
    expect,
    sync_playwright,
)

PROGRAM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
NEEDED = "needs a browser"
HOW = "for them install one: apt-get install chromium"
# Where our site is, and another one in tests of what other sites may do.
OURS, ANOTHER = "127.0.0.1", "127.0.0.2"
FLAGS = (
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-lcd-text",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {OURS}, EXCLUDE {ANOTHER}",
    # A reader's browser does not say that a program drives it, and a scanner's hides it.
    "--disable-blink-features=AutomationControlled",
)
PATIENCE = 30_000  # milliseconds; what fails waits so long, what works does not

expect.set_options(timeout=PATIENCE)

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@dataclass(frozen=True)
class Screen:
    """What a reader holds, or sits at; sizes in CSS pixels."""

    name: str
    width: int
    height: int
    touch: bool = False


DESKTOP = Screen("desktop", 1280, 900)
PHONE = Screen("phone", 390, 844, touch=True)
SCREENS = (DESKTOP, PHONE)


@dataclass
class Watch:
    """What happened in the tabs that must not."""

    seen: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch all tabs of a context."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != OURS:
            self.seen.append(f"asked somebody else: {request.url}")

    def _response(self, response: Response) -> None:
        bad = 500 if response.request.is_navigation_request() else 400
        if response.status >= bad:
            self.seen.append(f"missing: {response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # What did not load is told by its response.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.seen.append(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        self.seen.append(f"script: {error.error}")


class Readers:
    """Opens browsers of readers, each without what another one keeps."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._open: list[BrowserContext] = []
        self.watch = Watch()

    def tab(
        self,
        screen: Screen = DESKTOP,
        *,
        script: bool = True,
        scheme: Scheme = "light",
        watched: bool = True,
    ) -> Page:
        """An empty tab of a new reader; who goes to other sites is not `watched`."""
        context = self._browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            has_touch=screen.touch,
            is_mobile=screen.touch,
            java_script_enabled=script,
            color_scheme=scheme,
            reduced_motion="reduce",
            service_workers="block",
        )
        context.set_default_timeout(PATIENCE)
        if watched:
            self.watch.over(context)
        self._open.append(context)
        return context.new_page()

    def leave(self) -> None:
        """Close what was opened."""
        while self._open:
            self._open.pop().close()


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser of this machine; needs PROGRAM."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, args=FLAGS, ignore_default_args=["--enable-automation"]
        )
        yield browser
        browser.close()
