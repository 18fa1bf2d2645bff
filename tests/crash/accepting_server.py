"""An SMTP server in a process of its own that writes down what it accepts before it says so.

    python accepting_server.py LOG [--pause SECONDS] [--host ADDRESS]

Prints its port. A line of LOG is one accepted message: the sender's port, the recipient, the
Message-ID and a checksum of the bytes. Every other message waits up to twice the pause, before it
is written down and again before it is answered, so that a sender can die at either place; SIGUSR1
ends the pauses. LOG survives whatever happens to any process, not a power cut.
"""

import argparse
import asyncio
import hashlib
import os
import random
import re
import signal
import sys
from pathlib import Path

LARGEST = 2**20
MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
ANSWERS = {
    b"EHLO": b"250 hello",
    b"HELO": b"250 hello",
    b"MAIL": b"250 fine",
    b"RSET": b"250 fine",
    b"NOOP": b"250 fine",
}


class Server:
    """The connections of one run, and the log they write to."""

    def __init__(self, log: Path, pause: float) -> None:
        self.pause = pause
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender was killed, or the server is ended
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient, port = b"", writer.get_extra_info("peername")[1]
        writer.write(b"220 accepting\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().strip()
            if verb == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0]
                writer.write(b"250 fine\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await self._take(port, recipient, await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 accepted\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(ANSWERS.get(verb, b"500 what?") + b"\r\n")

    async def _take(self, port: int, recipient: bytes, message: bytes) -> None:
        found = MESSAGE_ID.search(message)
        name = found[1] if found else b"-"
        checksum = hashlib.sha256(message).hexdigest().encode()
        await self._wait()
        os.write(self._log, b" ".join((b"%d" % port, recipient, name, checksum)) + b"\n")
        await self._wait()

    async def _wait(self) -> None:
        if self.pause and random.random() < 0.5:
            await asyncio.sleep(random.uniform(0, 2 * self.pause))

    def hurry(self) -> None:
        """No more pauses."""
        self.pause = 0.0


async def serve(log: Path, pause: float, host: str) -> None:
    """Accept until terminated."""
    server = Server(log, pause)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, server.hurry)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    listener = await asyncio.start_server(server.talk, host, 0, limit=LARGEST)
    sys.stdout.write(f"{listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.log, arguments.pause, arguments.host))
