"""A real headless Chromium, driven by the DevTools protocol over its pipe: no driver, no port."""

import fcntl
import itertools
import json
import os
import select
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# What a scanner's browser hides: that a program drives it.
HIDDEN = "--disable-blink-features=AutomationControlled"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-pipe",
)
PATIENCE = 20
NAMES = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """One tab."""

    def __init__(self, browser: "Chromium", session: str) -> None:
        self._browser = browser
        self._session = session
        self._call("Page.enable")

    def _call(self, method: str, **params: Any) -> Any:
        return self._browser.call(method, params, self._session)

    def before_each_page(self, script: str) -> None:
        """Run a script in every page that is opened, before the page's own."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address: str) -> None:
        """Go to an address, and wait until its page and its scripts are loaded."""
        self._browser.forget_events()
        self._call("Page.navigate", url=address)
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        """Wait for the next page."""
        self._browser.wait_for("Page.loadEventFired", self._session)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def submit(self, number: int) -> None:
        """Submit a form as programs do: without its button, and whatever its fields ask for."""
        self.go(f"HTMLFormElement.prototype.submit.call(document.forms[{number}])")

    def go(self, script: str) -> None:
        """Run a script that leads to another page, and wait for that."""
        self._browser.forget_events()
        self.run(script)
        self.wait_until_loaded()


class Chromium:
    """A browser's process, and the protocol's two pipes."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._out = _pipe()
        self._in, theirs_out = _pipe()
        nothing = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        # The protocol's numbers: commands are read from 3, answers written to 4.
        pipes = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
        self._pid = os.posix_spawn(
            program,
            [program, *FLAGS, HIDDEN, f"--user-data-dir={profile}"],
            os.environ | {"HOME": str(profile)},
            file_actions=[nothing, *pipes],
            setpgroup=0,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._rest = b""

    def new_page(self) -> Page:
        """An empty tab."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Page(self, attached["sessionId"])

    def call(self, method: str, params: dict[str, Any], session: str | None = None) -> Any:
        """The result of a command of the protocol."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params}
        if session is not None:
            command["sessionId"] = session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._events.append(message)

    def forget_events(self) -> None:
        """Wait only for what comes from now on."""
        self._events.clear()

    def wait_for(self, event: str, session: str) -> None:
        """Wait for an event, unless it came since the last one was waited for."""
        while True:
            for place, message in enumerate(self._events):
                if message.get("method") == event and message.get("sessionId") == session:
                    del self._events[: place + 1]
                    return
            self._events.append(self._read())

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], PATIENCE)
            assert ready, f"Chromium said nothing for {PATIENCE} seconds"
            part = os.read(self._in, 65536)
            assert part, "Chromium is gone"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Ask the browser to end, which ends every process of its own."""
        self.call("Browser.close", {})
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are no numbers that the browser's process needs."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser; without one on this machine the test is skipped."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("needs a browser: apt-get install chromium")
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
