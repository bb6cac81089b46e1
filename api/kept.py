"""A function that remembers its latest answers: what several ask for at once is made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from contextlib import nullcontext
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from .errors import GoneError
from .turns import Crowd
from .wanted import Wanted, asker, go_on, is_wanted, working_for

#: seconds after which who waits for an answer looks whether he is still waited for
LOOK_S = 0.5
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """
    A function that remembers its latest answers, for many threads.

    Who asks for what another thread is just making waits for it, so that nothing is made twice. Of the answers
    whose key `stays` does not hold, the latest used are kept, `most` in all by their `weight`; the latest of all
    whatever its weight. A failure is told to all who wait, and forgotten. What is being made is wanted as long as
    one of those who asked for it waits, whoever was first. Where there is a `crowd`, whoever has to wait is one of
    it.
    """

    def __init__(
        self,
        make: Callable[[K], V],
        *,
        most: int,
        stays: Callable[[K], bool] = lambda _: False,
        weight: Callable[[V], int] = lambda _: 1,
        crowd: Crowd | None = None,
    ) -> None:
        self._make = make
        self._weight = weight
        self._waiting = nullcontext if crowd is None else crowd.waiting
        self._most = most
        self._stays = stays
        self._lock = Lock()
        self._answers: OrderedDict[K, Future[V]] = OrderedDict()
        self._weights: dict[K, int] = {}  # of what is made and may be forgotten
        self._askers: dict[K, list[Wanted]] = {}  # of what is being made

    def __call__(self, key: K) -> V:
        """Return the answer for `key`."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None and answer.done():
                self._answers.move_to_end(key)
                return answer.result()
        with self._waiting():
            return self._waited_for(key)

    def answers(self) -> list[V]:
        """Return the answers that are kept."""
        with self._lock:
            return [one.result() for one in self._answers.values() if one.done()]

    def _waited_for(self, key: K) -> V:
        """Return the answer once it is made, here or by another thread."""
        with self._lock:
            answer = self._answers.get(key)
            is_mine = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
            self._answers.move_to_end(key)
            if not answer.done():
                self._askers.setdefault(key, []).append(asker())
        if is_mine:
            with working_for(partial(self._is_wanted, key)):
                self._fill(key, answer)
        while not wait([answer], timeout=LOOK_S).done:
            go_on()
        try:
            return answer.result()
        except GoneError:
            if not is_wanted():
                raise
        return self._waited_for(key)  # asked just as the last of the others had gone

    def _is_wanted(self, key: K) -> bool:
        """Whether one of those who asked for an answer still waits for it."""
        with self._lock:
            askers = list(self._askers.get(key, ()))
        return any(wants() for wants in askers)

    def _fill(self, key: K, answer: Future[V]) -> None:
        """Make an answer, tell it to all who wait, and forget the oldest."""
        try:
            made = self._make(key)
        except BaseException as error:  # handed on, also to those who wait
            with self._lock:
                del self._answers[key]
                self._askers.pop(key, None)
            answer.set_exception(error)
            return
        answer.set_result(made)
        weight = 0 if self._stays(key) else self._weight(made)
        with self._lock:
            self._askers.pop(key, None)
            self._weights[key] = weight
            *others, _latest = (k for k, other in self._answers.items() if other.done() and k in self._weights)
            over = sum(self._weights.values()) - self._most
            for old in others:
                if over <= 0:
                    break
                if self._stays(old):
                    continue
                over -= self._weights.pop(old)
                del self._answers[old]
