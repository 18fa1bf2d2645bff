"""What a measurement had to itself: the machine's cores and memory, and what it was limited to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

_OWN_GROUPS, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores that this process may use; bytes of memory of the machine, and of the control group
    (page cache included), None where that has no limit."""

    cores: int
    memory: int
    limit: int | None

    def __str__(self) -> str:
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        limit = "none" if self.limit is None else f"{self.limit / _GIBIBYTE:.3g} GiB"
        memory = f"{self.memory / _GIBIBYTE:.3g} GiB"
        return f"{cores}; memory limit: {limit}; memory of the machine: {memory}"


def this_machine() -> Machine:
    """As this process finds it."""
    this = psutil.Process()
    cores = len(this.cpu_affinity() or ()) if hasattr(this, "cpu_affinity") else psutil.cpu_count()
    memory = psutil.virtual_memory().total
    told = _OWN_GROUPS.read_text(encoding="utf-8") if _OWN_GROUPS.exists() else ""
    limits = [limit for limit in memory_limits(told, _GROUPS) if limit < memory]
    return Machine(cores or 1, memory, min(limits, default=None))


def memory_limits(own_groups: str, groups: Path) -> Iterator[int]:
    """The bytes that a process's control groups and those above them may have, of version 2
    (memory.max) and 1; `own_groups` is /proc/PID/cgroup, `groups` where all of them are.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
    """
    for line in own_groups.splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            for root in (groups, groups / "unified"):
                yield from _limits(root, group, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits(groups / "memory", group, "memory.limit_in_bytes")


def _limits(root: Path, group: str, name: str) -> Iterator[int]:
    own = PurePosixPath(group.strip("/"))
    for folder in (own, *own.parents):
        file = root / folder / name
        told = file.read_text(encoding="ascii").strip() if file.exists() else "max"
        if told != "max":
            yield int(told)
