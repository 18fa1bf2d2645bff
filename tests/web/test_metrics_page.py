"""What a machine that watches this one reads."""

from collections.abc import Callable
from datetime import timedelta

import httpx
from doors import DAY
from invented import Clock, fill, join, with_settings
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from smtp_server import smtp_server
from sqlalchemy import func
from sqlmodel import select

from paperpost.engine.runs import compose_all_of
from paperpost.service import subscribe
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.wishes import Wishes
from paperpost.store import requests, throttles
from paperpost.store.tables import Delivery, DeliveryState, Request

pytest_plugins = ["site_on_stage"]


def families(client: httpx.Client) -> dict[str, Metric]:
    page = client.get("/metrics")
    assert page.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(page.text)}


def value(client: httpx.Client, name: str, **labels: str) -> float:
    samples = families(client)[f"paperpost_{name}"].samples
    (found,) = [one.value for one in samples if labels.items() <= one.labels.items()]
    return float(found)


def test_all_deliveries_are_the_sum_over_the_states_that_are_told(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
) -> None:
    fill(installation, [DAY])
    for name in ("ada", "ben", "cleo"):
        join(installation, name, "graph neural networks")
    join(installation, "dora", "graph neural networks", muted=("study",))  # which all papers are
    compose_all_of(installation, DAY)
    with smtp_server() as postbox:
        postbox.refuse = {
            "ada@example.org": "550 5.1.1 no such user",
            "ben@example.org": "450 4.2.1 try later",
        }
        send(with_settings(installation, smtp_url=postbox.url))
    subscribe.by_form(installation, "new@example.org", Wishes(keywords=("graph",)))
    told = families(browse_site(installation))["paperpost_deliveries"]
    counts = {(s.labels["kind"], s.labels["state"]): s.value for s in told.samples}
    assert {key: number for key, number in counts.items() if number} == {
        ("digest", "sent"): 1,
        ("digest", "failed"): 1,
        ("digest", "queued"): 1,
        ("digest", "silent"): 1,
        ("confirmation", "queued"): 1,
    }
    assert {state for _, state in counts} == set(DeliveryState)
    with installation.database.reading() as session:
        total = session.exec(select(func.count()).select_from(Delivery)).one()
    assert sum(counts.values()) == total == 5


def test_the_rest_of_the_numbers(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
    clock: Clock,
) -> None:
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    subscribe.by_form(installation, "new@example.org", Wishes(keywords=("graph",)))
    arxiv = with_settings(installation, sources=("arxiv:cs.LG",))
    with installation.database.writing() as session:
        requests.record_run(session, "arxiv:cs.LG", "ok", "", clock())
        for host in ("rss.arxiv.org", "export.arxiv.org"):
            url = f"https://{host}/"
            asked = Request(host=host, url=url, asked_at=clock(), seconds=1, status=200)
            requests.log(session, asked)
        requests.record_run(session, "arxiv:cs.XX", "ok", "", clock())  # asked no more
        throttles.close(session, "busy.example", clock() + timedelta(minutes=10), "421 too much")
        throttles.close(session, "calm.example", clock() - timedelta(minutes=10), "421 too much")
    fetched = clock().timestamp()
    clock.turn(minutes=7)
    client = browse_site(arxiv)
    assert value(client, "papers") == 12
    assert value(client, "subscribers", state="active") == 1
    assert value(client, "subscribers", state="pending") == 1
    assert value(client, "subscribers", state="unsubscribed") == 0
    assert value(client, "last_fetch_timestamp_seconds") == fetched
    assert value(client, "source_requests", host="arxiv.org", status="200") == 2
    assert value(client, "throttled_domains") == 1
    assert value(client, "oldest_waiting_delivery_seconds") == 7 * 60
    assert "paperpost_last_training_timestamp_seconds" not in families(client)
    compose_all_of(installation, DAY)  # which trains
    clock.turn(seconds=10)
    assert value(client, "last_training_timestamp_seconds") == fetched + 7 * 60


def test_the_store_is_read_at_most_every_ten_seconds(
    installation: Installation, client: httpx.Client, clock: Clock
) -> None:
    assert value(client, "papers") == 0
    fill(installation, [DAY])
    clock.turn(seconds=9)
    assert value(client, "papers") == 0
    clock.turn(seconds=1)
    assert value(client, "papers") == 12


def test_nobody_can_be_told_from_the_numbers(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    compose_all_of(installation, DAY)
    page = client.get("/metrics").text
    assert "example.org" not in page
    assert "@" not in page


def test_the_format_is_named_and_a_head_is_answered(client: httpx.Client) -> None:
    for answer in (client.get("/metrics"), client.head("/metrics")):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert answer.headers["cache-control"] == "no-store"
