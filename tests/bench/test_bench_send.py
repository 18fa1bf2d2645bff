"""`paperpost bench send` at a small size, to Postfix's own sink."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from paperpost.cli import app
from paperpost.measure_commands import bench as commands

SBIN = "/usr/sbin:/usr/bin:/bin"


@pytest.fixture
def sink() -> Iterator[str]:
    """The URL of a server that takes everything and keeps nothing."""
    program = shutil.which("smtp-sink", path=SBIN)
    if program is None or shutil.which("smtp-source", path=SBIN) is None:
        pytest.skip("needs smtp-sink and smtp-source (Debian's package postfix)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []  # root has to name somebody else
    with subprocess.Popen([program, *user, f"127.0.0.1:{port}", "100"]) as process:
        _wait_for(port)
        yield f"smtp://127.0.0.1:{port}"
        process.kill()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("smtp-sink does not listen")


def bench(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(commands, ["send", "--json", *map(str, arguments)])
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_digests_are_sent_and_counted_beside_smtp_source(sink: str) -> None:
    found = bench("--smtp", sink, "--messages", 40, "--connections", 4, "--processes", 2)
    assert found["messages_per_second"] == found["ours"] > 0
    assert found["ratio"] == pytest.approx(found["ours"] / found["peer"])
    assert found["unit"] == "messages a second"
    assert found["bytes_of_a_message"] > 20_000
    seconds = found["composing_seconds"] + found["sending_seconds"]
    assert found["ours"] == pytest.approx(40 / seconds)


@pytest.mark.parametrize("url", ["smtp://mail.example.org", "smtps://127.0.0.1:465"])
def test_a_measurement_mails_nobody_but_this_machine(url: str) -> None:
    result = CliRunner().invoke(app, ["bench", "send", "--smtp", url])
    assert result.exit_code != 0
    assert "start smtp-sink" in str(result.exception)
