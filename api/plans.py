"""Plans of the served study, by what is asked: each computed once, the latest kept, and what is sent of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from functools import partial
from threading import Event, Lock
from typing import Generic, NamedTuple, TypeVar

from servicecircle.errors import Lang
from servicecircle.model import Plan, Study
from servicecircle.moments import Moment
from servicecircle.pipeline import Roads, read_roads, suggest
from servicecircle.trouble import with_trouble
from servicecircle.writers import geojson_text, json_text, plan_layers, summary

from .errors import GoneError, StoppingError
from .wanted import Wanted, asker, go_on, is_wanted, working_for

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
ANY_TIME = "any"
#: seconds after which who waits for an answer looks whether he is still waited for
LOOK_S = 0.5
#: minutes, ascending
Breaks = tuple[float, ...]


class Question(NamedTuple):
    """What a visitor asks of the study; its own where she asks for nothing."""

    breaks: Breaks
    when: Moment | None = None  # None: at any time
    service: tuple[str, ...] = ()  # as a study holds them


def question_of(study: Study) -> Question:
    """Return the question that a study asks itself."""
    return Question(study.minutes, study.when, study.service)


class Ground(NamedTuple):
    """What every plan stands on, read once."""

    study: Study
    roads: Roads


class Made(NamedTuple):
    """A plan, and the files that are sent of it."""

    plan: Plan
    files: Mapping[str, bytes]


class Kept(Generic[K, V]):
    """
    A function that remembers its latest answers, for many threads.

    Who asks for what another thread is just making waits for it, so that nothing is made twice. Of the answers
    whose key `stays` does not hold, the `most` latest used are kept. A failure is told to all who wait, and
    forgotten. What is being made is wanted as long as one of those who asked for it waits, whoever was first.
    """

    def __init__(self, make: Callable[[K], V], *, most: int, stays: Callable[[K], bool] = lambda _: False) -> None:
        self._make = make
        self._most = most
        self._stays = stays
        self._lock = Lock()
        self._answers: OrderedDict[K, Future[V]] = OrderedDict()
        self._askers: dict[K, list[Wanted]] = {}  # of what is being made

    def __call__(self, key: K) -> V:
        """Return the answer for `key`."""
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
        return self(key)  # asked just as the last of the others had gone

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
        with self._lock:
            self._askers.pop(key, None)
            others = [k for k, other in self._answers.items() if other.done() and not self._stays(k)]
            for old in others[: max(0, len(others) - self._most)]:
                del self._answers[old]


class Plans:
    """
    The plans of one study, and the bodies that are sent of them.

    Nothing is read or computed before it is asked for; `prepare` asks for what everybody will. Plans are computed
    one at a time: each takes every core, and memory stays bounded. That of the study itself stays for good.

    Parameters
    ----------
    study
        The study, or how to load it.
    most
        How many plans of other questions are kept.
    """

    def __init__(self, study: Study | Callable[[], Study], *, most: int) -> None:
        self._study = study
        self._working = Lock()
        self._stopping = Event()
        self._ground = Kept[None, Ground](self._read, most=1)
        self._made = Kept[Question, Made](self._make, most=most, stays=self._is_own)
        self._maps = Kept[Question, bytes](self._draw, most=most, stays=self._is_own)

    # ---------------------------------------------------------------------------------------------- public face
    @property
    def study(self) -> Study:
        """The study that is served."""
        return self._ground(None).study

    @property
    def lang(self) -> Lang:
        """Language of a study that is loaded, else Chinese; loads nothing."""
        return self._study.lang if isinstance(self._study, Study) else "zh"

    def prepare(self) -> None:
        """Read the study, plan it and write what is sent of it, so that no visitor waits and every fault shows."""
        own = question_of(self.study)
        self.file("coverage.geojson", own)
        self.map_page(own)

    def plan(self, question: Question) -> Plan:
        """Return the plan of a question, as the command `plan` makes it."""
        return self._made(question).plan

    def file(self, name: str, question: Question) -> bytes:
        """Return a GeoJSON file or `summary.json`, byte for byte as the command `plan` writes it."""
        return self._made(question).files[name]

    def map_page(self, question: Question) -> bytes:
        """Return `map.html`, byte for byte as the command `plan` writes it."""
        return self._maps(question)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is begun."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Begin nothing new, and end what is being computed at its next stage: `StoppingError` to all who wait."""
        self._stopping.set()

    # ------------------------------------------------------------------------------------------------ the work
    def _is_own(self, question: Question) -> bool:
        """Whether a question is the study's own."""
        return question == question_of(self.study)

    def _read(self, _key: None) -> Ground:
        """Load the study and its roads."""
        study = self._study if isinstance(self._study, Study) else self._study()
        self._study = study
        return Ground(study, read_roads(study))

    def _make(self, question: Question) -> Made:
        """Plan the study as asked, and write the GeoJSON files and the summary."""
        study, roads = self._ground(None)
        with self._working:
            self._go_on()
            made = suggest(
                study,
                roads=roads,
                minutes=question.breaks,
                when=question.when or ANY_TIME,
                service=question.service,
                on_stage=self._go_on,
            )
            self._go_on()
            plan = with_trouble(made)
            texts = {f"{name}.geojson": geojson_text(features) for name, features in plan_layers(plan).items()}
            texts["summary.json"] = json_text(summary(plan), indent=2)
            return Made(plan, {name: text.encode("utf-8") for name, text in texts.items()})

    def _draw(self, question: Question) -> bytes:
        """Draw the map of a plan."""
        from servicecircle.maps import map_html

        plan = self._made(question).plan
        with self._working:
            self._go_on()
            return map_html(plan).encode("utf-8")

    def _go_on(self, _stage: str = "") -> None:
        """End here if the server is being stopped, or nobody waits any more."""
        if self._stopping.is_set():
            raise StoppingError
        go_on()
