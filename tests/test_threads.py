"""Threads: results in order, progress, and an end when asked for."""

from __future__ import annotations

import threading

import pytest

from servicecircle.threads import in_chunks


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 7, 64])
def test_chunks_cover_everything_once_and_results_keep_their_order(n: int, threads: int | None) -> None:
    spans = in_chunks(n, lambda first, last: (first, last), chunk=3, threads=threads)
    assert [k for first, last in spans for k in range(first, last)] == list(range(n))
    assert all(last - first <= 3 for first, last in spans)


def test_a_chunk_is_worth_a_thread() -> None:
    assert in_chunks(25, lambda first, last: (first, last), chunk=64, least=32, threads=2) == [(0, 25)]
    assert in_chunks(40, lambda first, last: (first, last), chunk=64, least=32, threads=2) == [(0, 32), (32, 40)]


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_is_told_in_the_calling_thread_and_ends_at_all(threads: int) -> None:
    told = []

    def on_progress(done: int, n: int) -> None:
        told.append((done, n, threading.current_thread() is caller))

    caller = threading.current_thread()
    in_chunks(10, lambda first, last: last - first, chunk=4, threads=threads, on_progress=on_progress)
    assert told == [(done, 10, True) for done in (4, 8, 10)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_ends_the_work_before_the_chunks_that_wait(threads: int) -> None:
    begun = []

    gate = threading.Event()

    def interrupt(_done: int, _n: int) -> None:
        threading.Timer(0.4, gate.set).start()  # what runs ends when what waits is long called off
        raise KeyboardInterrupt

    def work(first: int, _last: int) -> None:
        begun.append(first)
        if first > 0:
            gate.wait(30)

    with pytest.raises(KeyboardInterrupt):
        in_chunks(1000, work, chunk=1, threads=threads, on_progress=interrupt)
    assert len(begun) < 20


def test_an_error_in_a_chunk_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        in_chunks(8, lambda first, _last: 1 // (first - 4), chunk=2, threads=2)
