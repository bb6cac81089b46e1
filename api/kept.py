"""A function that remembers its latest answers: what several ask for at once is made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """
    A function that remembers its latest answers, for many threads.

    Who asks for what another thread is just making waits for it, so that nothing is made twice. Of the answers
    whose key `stays` does not hold, the `most` latest used are kept. A failure is told to all who wait, and
    forgotten.
    """

    def __init__(self, make: Callable[[K], V], *, most: int, stays: Callable[[K], bool] = lambda _: False) -> None:
        self._make = make
        self._most = most
        self._stays = stays
        self._lock = Lock()
        self._answers: OrderedDict[K, Future[V]] = OrderedDict()

    def __call__(self, key: K) -> V:
        """Return the answer for `key`."""
        with self._lock:
            answer = self._answers.get(key)
            is_mine = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
            self._answers.move_to_end(key)
        if is_mine:
            self._fill(key, answer)
        return answer.result()

    def _fill(self, key: K, answer: Future[V]) -> None:
        """Make an answer, tell it to all who wait, and forget the oldest."""
        try:
            made = self._make(key)
        except BaseException as error:  # handed on, also to those who wait
            with self._lock:
                del self._answers[key]
            answer.set_exception(error)
            return
        answer.set_result(made)
        with self._lock:
            others = [k for k, other in self._answers.items() if other.done() and not self._stays(k)]
            for old in others[: max(0, len(others) - self._most)]:
                del self._answers[old]
