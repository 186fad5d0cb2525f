"""The breaker of an endpoint: it rests after failures, one caller tries, and an answer opens the way for all."""

from __future__ import annotations

import threading

import pytest

from hub.core.errors import RetryError
from hub.sdk.endpoint import CALLS, THRESHOLD, Endpoint, Endpoints
from tests.local_peer import LocalPeer, caller


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def failing(endpoint: Endpoint, times: int, code: str = "peer.unavailable") -> None:
    for _ in range(times):
        with endpoint.turn(1.0):
            endpoint.met(code)


def refusal(endpoint: Endpoint) -> RetryError:
    with pytest.raises(RetryError) as caught, endpoint.turn(1.0):
        pass
    return caught.value


def test_endpoint_rests_after_failures_in_a_row_and_one_probe_opens_it() -> None:
    """closed → open → half-open → closed; while it rests its last failure is the reason, and when to come back."""
    clock = Watch()
    endpoint = Endpoint(2.0, 60.0, clock=clock, draw=lambda: 1.0)
    failing(endpoint, THRESHOLD - 1)
    assert endpoint.state == "closed"
    failing(endpoint, 1, "http.503")

    assert endpoint.state == "open"
    assert (refusal(endpoint).code, refusal(endpoint).after) == ("http.503", 2.0)
    clock.at += 2.0
    assert endpoint.state == "half-open"
    with endpoint.turn(1.0):
        assert refusal(endpoint).code == "http.503"  # one probe at a time
        endpoint.met()
    assert endpoint.state == "closed"


def test_each_failed_probe_doubles_the_rest_up_to_the_longest() -> None:
    """A day's outage is asked a few hundred times, not once a tick by every stream."""
    clock = Watch()
    endpoint = Endpoint(1.0, 300.0, clock=clock, draw=lambda: 1.0)
    failing(endpoint, THRESHOLD)
    rests: list[float] = []
    end = clock.at + 86_400
    while clock.at < end:
        left = refusal(endpoint).after
        assert left is not None
        rests.append(left)
        clock.at += left
        failing(endpoint, 1)

    assert rests[:10] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0]
    assert len(rests) < 300


def test_pause_that_is_asked_for_holds_for_every_caller() -> None:
    """A 429 with Retry-After rests the endpoint at the first time; a refusal of one request is an answer like any other."""
    clock = Watch()
    endpoint = Endpoint(1.0, 60.0, clock=clock)
    with endpoint.turn(1.0):
        endpoint.met("http.429", 30.0)

    assert refusal(endpoint).after == 30.0
    clock.at += 30.0
    with endpoint.turn(1.0):
        endpoint.met()
    assert endpoint.state == "closed"


def test_calls_at_once_share_one_budget() -> None:
    """Whoever comes when it is spent waits for a turn, and goes away when none comes."""
    endpoint = Endpoint()
    inside, go = threading.Semaphore(0), threading.Event()

    def call() -> None:
        with endpoint.turn(5.0):
            inside.release()
            go.wait(120)

    threads = [threading.Thread(target=call) for _ in range(CALLS)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=120)
    with pytest.raises(RetryError) as caught, endpoint.turn(0.01):
        pass
    go.set()
    for thread in threads:
        thread.join()

    assert caught.value.code == "peer.busy"
    with endpoint.turn(0.01):
        pass


def test_streams_and_deliveries_of_one_address_share_its_health() -> None:
    """Two clients of one origin, another path each: what one meets spares the other its calls."""
    peer = LocalPeer(lambda asked: (503, {}, b""))
    endpoints = Endpoints()
    one, other = (
        caller(endpoint=endpoints.of(f"{peer.url}{path}", 60.0, 300.0), seconds=5.0) for path in ("/a", "/b?x")
    )
    try:
        for _ in range(THRESHOLD):
            assert one.call("GET", f"{peer.url}/a").status == 503
        with pytest.raises(RetryError) as caught:
            other.call("POST", f"{peer.url}/b", content=b"{}")
    finally:
        for client in (one, other):
            client.close()
        peer.close()

    assert caught.value.code == "http.503"
    assert len(peer.asked) == THRESHOLD
