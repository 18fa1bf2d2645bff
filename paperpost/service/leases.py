"""Who holds a lease: texts that name a process so that others on its machine can tell if it is
dead."""

import os
import platform
import secrets
from functools import cache
from pathlib import Path

import psutil


def new_lease() -> str:
    """A lease that names this process."""
    process = psutil.Process()
    return f"{_machine()}|{process.pid}|{process.create_time():.2f}|{secrets.token_hex(6)}"


def is_dead(lease: str) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    machine, pid, started = (*lease.split("|"), "", "", "")[:3]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        process = psutil.Process(int(pid))
        # A number that was given to another process since: its start differs by more than the
        # clock can have been set by in between.
        replaced = abs(process.create_time() - float(started)) > 5
        return replaced or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return not _runs(int(pid))
    except (psutil.AccessDenied, ValueError):
        return False


def _runs(pid: int) -> bool:
    """Whether there is a process of that number, even if /proc hides it: other users' are not shown
    with `hidepid` (proc(5)). kill(2) tells the difference."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@cache
def _machine() -> str:
    """This machine since it started and, on Linux, this container: the process numbers of
    others mean nothing here."""
    parts = [platform.node()]
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        parts.append(boot.read_text(encoding="ascii").strip())
    namespace = Path("/proc/self/ns/pid")
    if namespace.exists():
        parts.append(os.readlink(namespace))
    return "/".join(parts).replace("|", "")
