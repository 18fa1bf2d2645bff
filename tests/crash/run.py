"""The whole crash test: many kills, on SQLite and PostgreSQL, with one worker and with four.

    python tests/crash/run.py --kills 100

Prints what was lost and what came twice, and exits 1 if a promise was not kept.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # what the tests share

from onslaught import Plan, crash
from postgresql_server import database_of, postgresql_server, run_sql
from scene import Scene, copied, prepare
from verdict import Verdict
from workers import wait_for_the_end_of_leases

CREWS = {1: ("send",), 4: ("send", "send", "send", "work")}
COLUMNS = "{:<10} {:>7} {:>6} {:>6} {:>5} {:>11} {:>8} {:>8}"


@contextmanager
def stage(store: str, mails: int, folder: Path) -> Iterator[Scene]:
    """An installation of that store with so many mails queued."""
    home = folder / store
    if store == "SQLite":
        yield prepare(Scene(home, f"sqlite:///{home}/paperpost.db"), mails)
        return
    with postgresql_server() as url:
        run_sql(url, "CREATE DATABASE prepared")
        yield prepare(Scene(home, database_of(url, "prepared")), mails)


def another(scene: Scene, workers: int) -> Scene:
    """A copy of the installation, to be used up."""
    copy = copied(scene, scene.home.with_name(f"{scene.home.name}-{workers}"))
    if "/prepared?" not in scene.database_url:
        return copy
    url, name = scene.database_url.replace("/prepared?", "/postgres?"), f"workers{workers}"
    run_sql(url, f"CREATE DATABASE {name} TEMPLATE prepared")
    return replace(copy, database_url=database_of(url, name))


def say(line: str) -> None:
    """A line of the table, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def row(store: str, workers: int, verdict: Verdict, seconds: float) -> str:
    """One line of the table."""
    return COLUMNS.format(
        store,
        workers,
        len(verdict.rows),
        verdict.kills,
        verdict.lost,
        verdict.duplicates,
        verdict.allowed,
        round(seconds),
    )


def crashed(store: str, workers: int, scene: Scene, kills: int) -> list[str]:
    """Run a variant and print its row; the promises that were not kept."""
    started = time.monotonic()
    verdict = crash(scene, Plan(CREWS[workers], kills, wait_for_the_end_of_leases))
    say(row(store, workers, verdict, time.monotonic() - started))
    too_few = ["the mails ran out before the kills: give more --mails"]
    return verdict.broken() + (too_few if verdict.kills < kills else [])


def main(arguments: argparse.Namespace) -> int:
    """Run each variant, say how it went, and return the exit code."""
    broken = []
    head = ("store", "workers", "mails", "kills", "lost", "duplicates", "allowed", "seconds")
    say(COLUMNS.format(*head))
    with tempfile.TemporaryDirectory(prefix="crash") as folder:
        for store in arguments.stores:
            with stage(store, arguments.mails, Path(folder)) as scene:
                for workers in arguments.workers:
                    found = crashed(store, workers, another(scene, workers), arguments.kills)
                    broken += [f"{store}, {workers} workers: {line}" for line in found]
    for line in broken:
        sys.stderr.write(line + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="for each variant")
    parser.add_argument("--mails", type=int, default=8000, help="for each variant")
    parser.add_argument("--stores", nargs="+", default=["SQLite", "PostgreSQL"])
    parser.add_argument("--workers", nargs="+", type=int, choices=list(CREWS), default=list(CREWS))
    sys.exit(main(parser.parse_args()))
