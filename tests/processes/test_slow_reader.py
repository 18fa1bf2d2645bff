"""A backup into a pipe whose reader pauses, by TCP."""

import time

from database_server import database_server
from sqlalchemy import text

from paperpost.store.database import Database
from paperpost.store.dumping import dumping

# Far less than the reader's pause; and more text than the sockets between us take.
IMPATIENT = "?tcp_user_timeout=500&options=-c%20tcp_user_timeout%3D500"
PAUSE_SECONDS = 3
PAPERS, LENGTH = 2_000, 9_600
_PAPERS = text(
    "INSERT INTO paper (number, id, title, abstract, authors, categories, announced, source, "
    "added_at, changed_at) SELECT n, '2604.' || n, 'Geese', repeat(md5(n::text), :length / 32), "
    "'[]', '[]', '2026-04-01', 'file', now(), now() "
    "FROM generate_series(1, cast(:papers AS int)) AS n"
)


def test_who_reads_a_dump_may_pause_for_longer_than_a_silent_peer_may() -> None:
    with database_server() as server:
        server.start()
        store = Database(server.url + IMPATIENT)
        store.upgrade()
        with store.engine.begin() as connection:
            connection.execute(_PAPERS, {"papers": PAPERS, "length": LENGTH})
        size = 0
        with dumping(store) as dump:
            for table in dump.tables:
                for block in table.blocks:
                    if table.name == "paper":
                        if not size:
                            time.sleep(PAUSE_SECONDS)
                        size += len(block)
        store.close()
    assert size > PAPERS * LENGTH
