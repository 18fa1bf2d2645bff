"""Machines of their own on one wire: network namespaces, for as long as a test lasts.

Nothing of it is reached from outside, and nothing in it reaches out: the wire is a bridge in a
namespace without any other way.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

NEEDED = "needs root and network namespaces (`ip netns`, `ip link add type veth`)"
CLONE_NEWNET, CLONE_NEWUTS = 0x40000000, 0x04000000
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class NoNetwork(Exception):
    """This machine cannot make networks."""


@dataclass(frozen=True)
class Machine:
    """One end of the wire: a host name, an address, and what runs there."""

    name: str
    host: str
    address: str

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread opens and starts meanwhile is in that machine's network."""
        files = [os.open(p, os.O_RDONLY) for p in (f"/run/netns/{self.name}", _OWN)]
        try:
            _checked(_libc.setns(files[0], CLONE_NEWNET))
            try:
                yield
            finally:
                _checked(_libc.setns(files[1], CLONE_NEWNET))
        finally:
            for file in files:
                os.close(file)

    def start(
        self, command: Sequence[str], environment: dict[str, str], log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """A process of this machine, which has its host name too."""
        with self.inside():
            return subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, preexec_fn=self._prepare
            )

    def _prepare(self) -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # it outlives no test that is killed
        _checked(_libc.unshare(CLONE_NEWUTS))
        socket.sethostname(self.host)


_OWN = "/proc/thread-self/ns/net"


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@dataclass
class Network:
    """The wire, in a namespace where servers can be, too."""

    prefix: str = field(default_factory=lambda: f"pp{os.getpid()}x{secrets.token_hex(2)}")
    machines: list[Machine] = field(default_factory=list)

    def add(self, host: str) -> Machine:
        """One more machine; the first one is where the wire is."""
        number = len(self.machines) + 1
        machine = Machine(f"{self.prefix}m{number}", host, f"10.83.0.{number}")
        _ip("netns", "add", machine.name)
        self.machines.append(machine)
        _ip("-n", machine.name, "link", "set", "lo", "up")
        if number == 1:
            _ip("-n", machine.name, "link", "add", "wire", "type", "bridge")
            port = "wire"
        else:
            port = "uplink"
            plug = _plug(machine)
            _ip("-n", self.hub.name, "link", "add", plug, "type", "veth", "peer", port,
                "netns", machine.name)  # fmt: skip
            _ip("-n", self.hub.name, "link", "set", plug, "master", "wire", "up")
        _ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", port)
        _ip("-n", machine.name, "link", "set", port, "up")
        return machine

    @property
    def hub(self) -> Machine:
        """The first machine, where the wire is."""
        return self.machines[0]

    def cut(self, machine: Machine) -> None:
        """Take a machine off the wire, without a word to anybody."""
        _ip("-n", self.hub.name, "link", "set", _plug(machine), "nomaster")

    def mend(self, machine: Machine) -> None:
        """Put it back."""
        _ip("-n", self.hub.name, "link", "set", _plug(machine), "master", "wire")

    def take_down(self) -> None:
        """Leave nothing behind."""
        for machine in reversed(self.machines):
            subprocess.run(["ip", "netns", "delete", machine.name], check=False)


def _plug(machine: Machine) -> str:
    return f"plug{machine.address.rpartition('.')[2]}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def network(hosts: Sequence[str]) -> Iterator[Network]:
    """Machines of these names, the first one with the wire; raises NoNetwork where that cannot
    be."""
    made = Network()
    try:
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise NoNetwork(NEEDED)
        try:
            for host in hosts:
                made.add(host)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoNetwork(NEEDED) from error
        yield made
    finally:
        made.take_down()
