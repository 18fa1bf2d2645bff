"""`serve` as a process: it listens, it keeps one `work`, and it leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from paperpost.service.installation import Installation
from paperpost.web.serve import CannotListen, serve

pytest_plugins = ["site_on_stage"]
PATIENCE_SECONDS = 20.0


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `serve` on a free port, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "paperpost", "serve", "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PAPERPOST_SOURCES": ""},
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("serving http://127.0.0.1:"), line
        yield process, line.split()[1]
    finally:
        process.kill()
        process.communicate()


def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def work_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "work" in _command_of(child)]


def _command_of(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.Error:  # it has died a moment ago
        return []


@pytest.mark.usefixtures("store_url")
def test_a_work_that_dies_is_started_again_and_never_outlives_a_killed_serve() -> None:
    with serving() as (process, _):
        until(lambda: len(work_of(process)) == 1)
        first = work_of(process)[0]
        first.kill()
        until(lambda: any(child.pid != first.pid for child in work_of(process)))
        second = next(child for child in work_of(process) if child.pid != first.pid)
        process.kill()
        process.wait()
        until(lambda: not second.is_running())


@pytest.mark.usefixtures("store_url")
def test_web_only_has_no_work_and_ends_by_ctrl_c() -> None:
    with serving("--web-only", "--json") as (process, address):
        page = httpx.get(address, trust_env=False)
        assert page.status_code == 200
        assert "server" not in page.headers
        assert psutil.Process(process.pid).children() == []
        process.send_signal(signal.SIGINT)
        assert json.loads(process.communicate()[0]) == {"stopped": True}
        assert process.returncode == 0


def test_a_port_that_is_taken_is_one_clear_error(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port}: Address already in use"):
            serve(installation, "127.0.0.1", port, with_work=False)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("no.such.host.invalid", 80)])
def test_an_address_that_cannot_be_had_is_one_clear_error(
    installation: Installation, host: str, port: int
) -> None:
    with pytest.raises(CannotListen, match=f"cannot listen on {host}, port {port}: "):
        serve(installation, host, port, with_work=False)
