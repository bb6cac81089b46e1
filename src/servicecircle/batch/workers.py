"""Where towns are planned: in this process, or in processes of this machine; the same tasks, the same results."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import wait as wait_for
from typing import TypeVar

from ..threads import cores, use_at_most

#: a task whose process died so often while it ran alone has killed it
MOST_DEATHS = 2
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run_tasks(
    work: Callable[[_Task], _Result], tasks: Iterable[_Task], *, workers: int
) -> Iterator[tuple[_Task, _Result | None]]:
    """
    Yield each task with its result as it is done: with one worker in this process, with more in so many.

    Tasks are taken as workers come free. A task of which the process died is tried again, alone; None stands for
    the result of one that dies again and again.
    """
    if workers == 1:
        for task in tasks:
            yield task, work(task)
        return
    rest, died = iter(tasks), list[_Task]()
    while True:
        yield from _until_a_death(work, rest, workers=workers, died=died)
        if not died:
            return
        while died:
            task = died.pop()
            for _ in range(MOST_DEATHS):
                again: list[_Task] = []
                yield from _until_a_death(work, iter([task]), workers=1, died=again)
                if not again:
                    break
            else:
                yield task, None


def _until_a_death(
    work: Callable[[_Task], _Result], rest: Iterator[_Task], *, workers: int, died: list[_Task]
) -> Iterator[tuple[_Task, _Result]]:
    """Yield tasks with their results until there is none left or a process dies; what ran then goes to `died`."""
    context = multiprocessing.get_context("spawn")
    share = max(1, cores() // workers)
    running: dict[Future[_Result], _Task] = {}
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(share,)) as pool:
        try:
            while True:
                for task in islice(rest, 0 if died else workers - len(running)):
                    running[_submitted(pool, work, task)] = task
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    task = running.pop(future)
                    try:
                        result = future.result()
                    except BrokenProcessPool:
                        died.append(task)
                    else:
                        yield task, result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _submitted(pool: ProcessPoolExecutor, work: Callable[[_Task], _Result], task: _Task) -> Future[_Result]:
    """Return the future of a task; of a pool whose process died in the meantime, one that says so."""
    try:
        return pool.submit(work, task)
    except BrokenProcessPool as error:
        future: Future[_Result] = Future()
        future.set_exception(error)
        return future


def _begin(threads: int) -> None:
    """Prepare a worker: it ends with Ctrl-C without a word, and with the process that began it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    use_at_most(threads)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process as soon as the other has: nobody would take its results."""
    wait_for([sentinel])
    os._exit(1)
