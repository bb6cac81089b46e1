"""Where towns are planned: in this process, or in processes of this machine; the same tasks, the same results."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import TypeVar

from ..threads import cores, use_at_most

#: a task whose process died so often while it ran alone has killed it
MOST_DEATHS = 2
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run_tasks(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], *, workers: int
) -> Iterator[tuple[_Task, _Result | None]]:
    """
    Yield each task with its result as it is done: with one worker in this process, with more in so many.

    A task of which the process died is tried again, alone; None stands for the result of one that dies again.
    """
    if workers == 1:
        for task in tasks:
            yield task, work(task)
        return
    waiting, alone = list(tasks), Counter[int]()
    suspects: list[_Task] = []
    while waiting or suspects:
        if suspects:
            task = suspects.pop()
            left: list[_Task] = []
            yield from _until_a_death(work, [task], workers=1, left=left, died=left)
            if left and alone[id(task)] + 1 < MOST_DEATHS:
                alone[id(task)] += 1
                suspects.append(task)
            elif left:
                yield task, None
            continue
        left = []
        yield from _until_a_death(work, waiting, workers=workers, left=left, died=suspects)
        waiting = left


def _until_a_death(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], *, workers: int, left: list[_Task], died: list[_Task]
) -> Iterator[tuple[_Task, _Result]]:
    """Yield tasks with results until a process dies: what ran goes to `died`, what did not begin to `left`."""
    context = multiprocessing.get_context("spawn")
    share = max(1, cores() // workers)
    rest = list(reversed(tasks))
    running: dict[Future[_Result], _Task] = {}
    is_broken = False
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(share,)) as pool:
        try:
            while (rest and not is_broken) or running:
                while rest and not is_broken and len(running) < workers:
                    task = rest.pop()
                    running[pool.submit(work, task)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    task = running.pop(future)
                    try:
                        result = future.result()
                    except BrokenProcessPool:
                        is_broken = True
                        died.append(task)
                    else:
                        yield task, result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    left.extend(reversed(rest))


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
