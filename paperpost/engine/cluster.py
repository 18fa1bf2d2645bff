"""A Dask cluster, as far as we use it: nothing here waits for ever."""

import logging
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from distributed import Client, Future, Security, WorkerPlugin, wait
from distributed.versions import VersionMismatchWarning

from paperpost.engine.engine import EngineError

if TYPE_CHECKING:
    from paperpost.engine.dask_worker import Outcome

Task: TypeAlias = "Future[Outcome]"


class ClusterLost(EngineError):
    """The scheduler was there and is not any more."""


class Cluster:
    """A connection to the scheduler at `address`, whose answers may take so many `seconds`."""

    def __init__(self, address: str, seconds: float) -> None:
        """Raises EngineError if no scheduler answers. `differing` is what Dask says of versions
        that are not the same here and there."""
        self.address = address
        self._seconds = seconds
        if address.startswith("tls:") and _has_no_tls():
            raise EngineError("Dask's security is not configured here: docs/engines.md")
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # errors tell it
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                self._client: Any = Client(address, timeout=seconds, name="paperpost")  # type: ignore[no-untyped-call]
            except (OSError, ImportError, ValueError) as error:
                raise EngineError(f"no scheduler of Dask answers at {address}") from error
        mismatches = (one for one in warned if issubclass(one.category, VersionMismatchWarning))
        self.differing = [" ".join(str(one.message).split()) for one in mismatches]

    def close(self) -> None:
        """Leave. What was submitted and not begun is forgotten by the scheduler."""
        self._client.close(timeout=1)

    def introduce(self, plugin: WorkerPlugin) -> None:
        """Have every worker set up a plugin, and those that join later; waits for all there are,
        even if one of them is frozen. Raises what the first one of them raised."""
        self._client.register_plugin(plugin)

    def resources(self) -> dict[str, Collection[str]]:
        """The names of what each worker has, by its address."""
        workers = self._ask(self._client.scheduler.identity, n_workers=-1)["workers"]
        return {address: worker["resources"].keys() for address, worker in workers.items()}

    def events(self, topic: str) -> list[Any]:
        """What workers told under a topic."""
        return [message for _, message in self._ask(self._client.scheduler.events, topic=topic)]

    def submit(
        self,
        key: str,
        resource: str,
        workers: Collection[str],
        task: Callable[..., Any],
        *arguments: object,
    ) -> Task:
        """Have a task done by one of these workers, once it has one of the resource."""
        future: Task = self._client.submit(
            task, *arguments, key=key, resources={resource: 1}, workers=list(workers)
        )
        return future

    def finished(self, tasks: Collection[Task], seconds: float) -> list[Task]:
        """Those that have ended somehow; waits for the first one, so many seconds at most."""
        if not tasks:
            time.sleep(seconds)
            return []
        with self._while_connected():
            try:
                done = wait(list(tasks), seconds, "FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
            except TimeoutError:
                return []
            return list(done)

    def outcome_of(self, task: Task) -> "Outcome":
        """What a finished task gave; raises what it raised, or what Dask says of workers that died
        of it."""
        with self._while_connected():
            # The worker that holds it may be gone: then it is done again, which may take long.
            return task.result(timeout=self._seconds)

    def give_up(self, tasks: Collection[Task]) -> None:
        """Forget tasks; one that was begun is done all the same."""
        self._ask(self._client.cancel, list(tasks))

    def _ask(self, question: Callable[..., Any], *what: object, **about: object) -> Any:
        with self._while_connected():
            try:
                return self._client.sync(question, *what, **about, callback_timeout=self._seconds)
            except (OSError, TimeoutError) as error:
                raise self._lost() from error

    @contextmanager
    def _while_connected(self) -> Iterator[None]:
        """Dask cancels everything when it loses the scheduler."""
        try:
            yield
        except CancelledError as error:
            raise self._lost() from error

    def _lost(self) -> ClusterLost:
        return ClusterLost(
            f"Dask's scheduler at {self.address} was lost during the run: "
            "run it again, it goes on with who has no digest yet"
        )


def _has_no_tls() -> bool:
    """Whether there are no certificates for TLS: Dask would connect in vain, and say it by a
    traceback."""
    return Security().get_connection_args("client")["ssl_context"] is None  # type: ignore[no-untyped-call]


def count_workers(address: str, seconds: float) -> int:
    """How many workers a scheduler has; raises EngineError if none answers."""
    cluster = Cluster(address, seconds)
    try:
        return len(cluster.resources())
    finally:
        cluster.close()
