"""Numbers for Prometheus, in its text format. They tell of nobody: anybody may read them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Lock

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from paperpost.service.figures import Figures, figures
from paperpost.service.installation import Installation
from paperpost.web.render import READ

# Counting every delivery takes a moment on a large outbox, and the door is open to all.
KEPT = timedelta(seconds=10)

router = APIRouter()


@router.api_route("/metrics", methods=READ)
def metrics(request: Request) -> Response:
    """The numbers of at most ten seconds ago."""
    return Response(
        generate_latest(request.app.state.metrics),
        media_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def registry_of(installation: Installation) -> CollectorRegistry:
    """What `/metrics` of this installation shows."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(installation))
    return registry


class StoreCollector(Collector):
    """Reads the store when it is asked, and not again for a while."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._one_reads = Lock()
        self._read_at: datetime | None = None
        self._figures: Figures | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every metric, as prometheus_client wants them."""
        found = self._recent()
        yield _deliveries(found)
        yield _subscribers(found)
        yield _gauge("papers", "Papers that are stored.", found.papers)
        yield _fetches(found)
        yield _requests(found)
        if found.trained_at is not None:
            yield _gauge(
                "last_training_timestamp_seconds",
                "When the current model was trained.",
                found.trained_at.timestamp(),
            )
        yield _gauge(
            "throttled_domains",
            "Mail domains that are left alone because their servers said they get too much.",
            found.throttled_domains,
        )
        yield _gauge(
            "oldest_waiting_delivery_seconds",
            "Age of the oldest mail that is neither handed over nor given up.",
            found.waiting_seconds,
        )

    def _recent(self) -> Figures:
        with self._one_reads:
            now = self._installation.clock()
            if self._figures is None or self._read_at is None or now - self._read_at >= KEPT:
                self._figures, self._read_at = figures(self._installation), now
            return self._figures


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"paperpost_{name}", told, value=value)


def _deliveries(found: Figures) -> GaugeMetricFamily:
    told = "Mails by kind and state; their sum is all there ever were."
    family = GaugeMetricFamily("paperpost_deliveries", told, labels=("kind", "state"))
    for kind, states in found.deliveries.items():
        for state, number in states.items():
            family.add_metric((kind, state), number)
    return family


def _subscribers(found: Figures) -> GaugeMetricFamily:
    family = GaugeMetricFamily("paperpost_subscribers", "Subscribers by state.", labels=("state",))
    for state, number in found.subscribers.items():
        family.add_metric((state,), number)
    return family


def _fetches(found: Figures) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "paperpost_last_fetch_timestamp_seconds",
        "When each source was last fetched with success.",
        labels=("source",),
    )
    for source, at in found.fetched_at.items():
        family.add_metric((source,), at.timestamp())
    return family


def _requests(found: Figures) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "paperpost_source_requests",
        "Requests to the sources in the last 24 hours, by host and HTTP status.",
        labels=("host", "status"),
    )
    for host in found.requests:
        for status, number in host.answers.items():
            family.add_metric((host.name, status), number)
    return family
