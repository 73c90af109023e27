"""The watchdog over real sockets: what is late ends, in the order of time, and what is finished is left alone."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scraper.pacing.deadlines import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE = 50.0
"""Seconds that no busy machine needs, and that a deadline which did not hold would outlast."""
"""Seconds after which a test gives up: far beyond any deadline here, and far below the suite's own limit."""


@pytest.fixture
def dog() -> Iterator[Watchdog]:
    with closing(Watchdog()) as watchdog:
        yield watchdog


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection; reading gives up after a while."""
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(LATE)
        far.settimeout(LATE)
        yield near, far


def silent(near: socket.socket, seconds: float = 0.15) -> bool:
    """Whether the connection is still open and nothing comes from it."""
    near.settimeout(seconds)
    try:
        near.recv(1)
    except TimeoutError:
        return True
    finally:
        near.settimeout(LATE)
    return False


def test_a_read_that_waits_ends_at_its_deadline(dog: Watchdog, pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    began = time.monotonic()
    deadline = dog.start(0.2)
    with near.dup() as duplicate:
        deadline.watch(duplicate)
        assert near.recv(1) == b""
    assert 0.19 <= time.monotonic() - began < LATE
    assert deadline.expired


def test_a_drip_does_not_put_a_deadline_off(dog: Watchdog, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    began = time.monotonic()
    deadline = dog.start(0.3)
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            try:
                far.send(b".")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    with near.dup() as duplicate:
        deadline.watch(duplicate)
        while near.recv(1):
            assert time.monotonic() - began < LATE
    ended.set()
    dripping.join()
    assert deadline.expired
    assert time.monotonic() - began < LATE


def test_closing_the_watched_original_does_not_keep_the_connection_open(
    dog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    deadline = dog.start(0.15)
    with near.dup() as duplicate:
        deadline.watch(duplicate)
        near.close()
        assert far.recv(1) == b""
    assert deadline.expired


def test_deadlines_expire_in_the_order_of_time_whatever_the_order_they_were_made_in(dog: Watchdog) -> None:
    seconds = (0.45, 0.15, 0.3)
    ended: list[float] = []

    def read(wait: float) -> None:
        near, far = socket.socketpair()
        with near, far, near.dup() as duplicate:
            near.settimeout(LATE)
            dog.start(wait).watch(duplicate)
            near.recv(1)
            ended.append(wait)

    threads = [threading.Thread(target=read, args=(wait,)) for wait in seconds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [0.15, 0.3, 0.45]


def test_a_shorter_deadline_does_not_wait_for_a_longer_one_made_before(
    dog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, _ = pair
    long = dog.start(60)
    began = time.monotonic()
    with near.dup() as duplicate:
        dog.start(0.1).watch(duplicate)
        assert near.recv(1) == b""
    assert time.monotonic() - began < LATE
    assert not long.expired


def test_a_finished_request_is_left_alone_and_its_connection_serves_on(
    dog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    deadline = dog.start(0.1)
    with near.dup() as duplicate:
        deadline.watch(duplicate)
        deadline.finish()
        assert silent(near, 0.3)
    assert not deadline.expired
    far.send(b"x")
    assert near.recv(1) == b"x"


def test_a_socket_whose_connection_was_closed_is_still_watched_and_then_closed(
    dog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, _ = pair
    deadline = dog.start(0.1)
    duplicate = near.dup()
    deadline.watch(duplicate)
    assert deadline.adopt(duplicate)
    assert near.recv(1) == b""
    assert deadline.expired
    deadline.finish()
    assert duplicate.fileno() == -1


def test_another_socket_is_not_adopted(dog: Watchdog, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    deadline = dog.start(0.1)
    with near.dup() as duplicate:
        deadline.watch(duplicate)
        assert not deadline.adopt(far)
        assert near.recv(1) == b""
        deadline.finish()
        assert not deadline.adopt(duplicate)
        assert duplicate.fileno() != -1


def test_only_the_socket_named_last_is_shut_down(dog: Watchdog) -> None:
    first, first_far = socket.socketpair()
    second, second_far = socket.socketpair()
    with first, first_far, second, second_far:
        deadline = dog.start(0.15)
        deadline.watch(first)
        deadline.watch(second)
        second.settimeout(LATE)
        assert second.recv(1) == b""
        assert silent(first)


def test_a_socket_named_after_the_deadline_is_shut_down_at_once(
    dog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, _ = pair
    deadline = dog.start(0.0)
    began = time.monotonic()
    while not deadline.expired:
        assert time.monotonic() - began < LATE
        time.sleep(0.01)
    deadline.watch(near)
    assert near.recv(1) == b""


def test_a_socket_that_was_closed_before_does_no_harm(dog: Watchdog, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    closed = near.dup()
    closed.close()
    dog.start(0.05).watch(closed)
    with far.dup() as duplicate:
        later = dog.start(0.15)
        later.watch(duplicate)
        assert far.recv(1) == b""
    assert later.expired


def test_closing_ends_every_request_under_way_at_once() -> None:
    dog = Watchdog()
    pairs = [socket.socketpair() for _ in range(50)]
    deadlines = [dog.start(60 + number) for number in range(50)]
    for deadline, (near, _) in zip(deadlines, pairs, strict=True):
        near.settimeout(LATE)
        deadline.watch(near)
    finished = deadlines[7]
    finished.finish()
    began = time.monotonic()
    dog.close()
    for deadline, (near, far) in zip(deadlines, pairs, strict=True):
        with near, far:
            assert deadline.expired is (deadline is not finished)
            assert silent(near) if deadline is finished else near.recv(1) == b""
    assert time.monotonic() - began < LATE


def test_a_deadline_of_a_closed_watchdog_has_expired(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    dog = Watchdog()
    dog.close()
    deadline = dog.start(60)
    assert deadline.expired
    deadline.watch(near)
    assert near.recv(1) == b""


def test_closing_twice_is_fine_and_leaves_no_thread() -> None:
    before = threading.active_count()
    dog = Watchdog()
    assert threading.active_count() == before + 1
    dog.close()
    dog.close()
    assert threading.active_count() == before


def test_three_hundred_expire_together_on_time(dog: Watchdog) -> None:
    pairs = [socket.socketpair() for _ in range(300)]
    began = time.monotonic()
    for near, _ in pairs:
        near.settimeout(LATE)
        dog.start(0.3).watch(near)
    for near, far in pairs:
        with near, far:
            assert near.recv(1) == b""
    assert time.monotonic() - began < LATE


def test_finished_deadlines_do_not_pile_up(dog: Watchdog) -> None:
    running = dog.start(60)
    for _ in range(20_000):
        dog.start(60).finish()
    assert len(dog._heap) < 10_000
    assert not running.expired
    dog.close()
    assert running.expired


@pytest.mark.parametrize("seconds", [0.0, -5.0, 0.0005])
def test_the_time_that_remains_can_always_serve_as_a_timeout(dog: Watchdog, seconds: float) -> None:
    assert dog.start(seconds).remaining() > 0


def test_the_time_that_remains_runs_down(dog: Watchdog) -> None:
    deadline = dog.start(30)
    first = deadline.remaining()
    time.sleep(0.02)
    assert deadline.remaining() <= first - 0.02
    assert 29 < first <= 30
