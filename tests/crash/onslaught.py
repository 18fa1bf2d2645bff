"""One run: workers send, are killed and frozen, and what arrived is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from scene import Scene, accepting_server
from sqlmodel import col, select
from verdict import Row, Verdict
from workers import Crew, Worker, finish, freeze_one, kill_some

from paperpost.store import outbox
from paperpost.store.database import Database
from paperpost.store.tables import Delivery

Ending = Callable[[Crew, Worker], None]


@dataclass(frozen=True)
class Plan:
    """What is done to whom: `commands` are run side by side, each over so many connections;
    about `rate` messages a second are accepted while workers are killed; `ending` is how the
    leases of a frozen worker run out."""

    commands: tuple[str, ...]
    kills: int
    ending: Ending
    connections: int = 4
    rate: float = 200.0


def crash(scene: Scene, plan: Plan) -> Verdict:
    """Send what the scene has queued while workers die, freeze one, let the rest finish."""
    pause = len(plan.commands) * plan.connections / plan.rate
    database = Database(scene.database_url)
    try:
        with accepting_server(scene.home / "accepted.log", pause) as server:
            crew = Crew(scene, database, server, plan.connections)
            try:
                return _run(crew, plan)
            finally:
                crew.kill_all()
    finally:
        database.close()


def _run(crew: Crew, plan: Plan) -> Verdict:
    crew.hire(plan.commands)
    kills = kill_some(crew, plan.kills)
    crew.hire(("send",))  # somebody to take over
    frozen = freeze_one(crew, plan.ending)
    finish(crew)
    rows, counted = _rows(crew.database)
    return Verdict(
        rows=rows,
        accepted=crew.server.accepted(),
        counted=counted,
        kills=kills,
        connections=plan.connections,
        frozen=frozen,
    )


def _rows(database: Database) -> tuple[list[Row], int]:
    with database.reading() as session:
        found = session.exec(
            select(col(Delivery.id), col(Delivery.message_id), col(Delivery.state))
        ).all()
        counts = outbox.count_by_state(session)
    rows = [Row(number or 0, message_id, state) for number, message_id, state in found]
    return rows, sum(sum(kind.values()) for kind in counts.values())
