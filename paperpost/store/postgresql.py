"""How PostgreSQL is connected to: who we are, and how long anything may hold others up.

Machines freeze and networks break without a word. Whatever a process holds in the database comes
free in bounded time all the same: its lock (locks.py), and the rows of a transaction that it does
not go on with.
"""

import os
import platform
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from paperpost.store.errors import StoreError

MOST_CONNECTIONS = 15
SECONDS_TO_CONNECT = 10
SECONDS_TO_WAIT_FOR_A_CONNECTION = 10
# A peer that has acknowledged nothing for so long is gone; TCP by itself tries for a quarter of an
# hour.
SECONDS_TO_ANSWER = 15
SECONDS_TO_WAIT_FOR_A_LOCK = 60
# Less than others wait for what it holds.
SECONDS_A_WRITER_MAY_PAUSE = 45
# It holds no rows; but what it might still look at is kept, and no table is changed.
MINUTES_A_READER_MAY_PAUSE = 30
LONGEST_NAME = 63  # of what PostgreSQL keeps of an application's name

_PEER = {
    "keepalives_idle": SECONDS_TO_ANSWER,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": SECONDS_TO_ANSWER * 1000,
    "connect_timeout": SECONDS_TO_CONNECT,
}
# The same from the server's side.
_OF_EACH_SESSION = {
    "lock_timeout": f"{SECONDS_TO_WAIT_FOR_A_LOCK}s",
    "idle_in_transaction_session_timeout": f"{MINUTES_A_READER_MAY_PAUSE}min",
    "tcp_keepalives_idle": f"{SECONDS_TO_ANSWER}s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{SECONDS_TO_ANSWER}s",
}
# What the URL, the role or the database says comes first; what an old server lacks is left out.
_SET = """
    SELECT set_config(name, value, false)
    FROM unnest(%s::text[], %s::text[]) AS wanted (name, value) JOIN pg_settings USING (name)
    WHERE source NOT IN ('client', 'user', 'database', 'database user')
"""
# Each of them ends a transaction whose reader pauses: a full socket is nothing acknowledged.
_OF_A_SLOW_READER = (
    "idle_in_transaction_session_timeout",
    "statement_timeout",
    "tcp_user_timeout",
    "transaction_timeout",
)
_NO_LIMIT = """
    SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY (%s::text[])
"""
_PAUSE = f"SET LOCAL idle_in_transaction_session_timeout = '{SECONDS_A_WRITER_MAY_PAUSE}s'"


def postgresql_engine(url: URL, application: str) -> Engine:
    """The pool of a process's connections, which goes on by itself after the server was away."""
    wanted: dict[str, Any] = {**_PEER, "application_name": process_name(application)}
    engine = create_engine(
        url,
        hide_parameters=True,  # they are rows, and rows hold addresses
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=MOST_CONNECTIONS - 5,
        pool_timeout=SECONDS_TO_WAIT_FOR_A_CONNECTION,
        connect_args={name: value for name, value in wanted.items() if name not in url.query},
    )
    event.listen(engine, "connect", _prepare, insert=True)  # before SQLAlchemy's own questions
    return engine


def process_name(application: str) -> str:
    """What the server shows of this process: its command, number and machine."""
    return f"{application} {os.getpid()}@{platform.node()}"[:LONGEST_NAME]


def limit_pauses(connection: Connection) -> None:
    """Let the server end this transaction, if we do not go on with it: others wait for its rows."""
    connection.exec_driver_sql(_PAUSE)


def allow_pauses(connection: Connection) -> None:
    """Let this transaction take as long as whoever reads what it gives does. Our own side's
    limits stay: it says nothing meanwhile that could go unacknowledged."""
    connection.exec_driver_sql(_NO_LIMIT, (list(_OF_A_SLOW_READER),))


def set_if_unset(connection: Connection, settings: Mapping[str, str]) -> None:
    """Set what nobody set on purpose, for this session."""
    connection.exec_driver_sql(_SET, (list(settings), list(settings.values())))


def _prepare(driver: Any, _record: object) -> None:
    encoding = driver.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):  # None: a pool does not tell
        driver.close()
        raise StoreError(
            f"the database has the encoding {encoding}, which does not hold every text: make it "
            "with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    with driver.cursor() as cursor:
        cursor.execute(_SET, (list(_OF_EACH_SESSION), list(_OF_EACH_SESSION.values())))
    driver.commit()
