"""Plans of the served study, by what is asked: each computed once, the latest kept, and what is sent of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Lock
from typing import NamedTuple

from servicecircle.errors import Lang
from servicecircle.model import Plan, Study
from servicecircle.moments import Moment
from servicecircle.pipeline import suggest
from servicecircle.trouble import with_trouble
from servicecircle.writers import geojson_text, json_text, plan_layers, summary

from .bodies import Body
from .errors import StoppingError
from .kept import Kept
from .roads import StudyRoads

ANY_TIME = "any"
HTML, JSON, GEOJSON, PNG = "text/html; charset=utf-8", "application/json", "application/geo+json", "image/png"
#: minutes, ascending
Breaks = tuple[float, ...]


class Question(NamedTuple):
    """What a visitor asks of the study; its own where she asks for nothing."""

    breaks: Breaks
    when: Moment | None = None  # None: at any time
    service: tuple[str, ...] = ()  # as a study holds them
    profile: str = ""  # "": the study's own


def question_of(study: Study) -> Question:
    """Return the question that a study asks itself."""
    return Question(study.minutes, study.when, study.service)


class Made(NamedTuple):
    """A plan, and the files that are sent of it."""

    plan: Plan
    files: Mapping[str, Body]


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
        self.roads = StudyRoads(study)
        self._working = Lock()
        self._stopping = Event()
        self._made = Kept[Question, Made](self._make, most=most, stays=self._is_own)
        self._maps = Kept[Question, Body](self._draw, most=most, stays=self._is_own)
        self._pictures = Kept[Question, Body](self._picture, most=most, stays=self._is_own)

    # ---------------------------------------------------------------------------------------------- public face
    @property
    def study(self) -> Study:
        """The study that is served."""
        return self.roads.study

    @property
    def lang(self) -> Lang:
        """Language of a study that is loaded, else Chinese; loads nothing."""
        return self.roads.lang

    def prepare(self) -> None:
        """Read the study, plan it and write what is sent of it, so that no visitor waits and every fault shows."""
        own = question_of(self.study)
        for body in (self.file("coverage.geojson", own), self.map_page(own)):
            body.make_ready()

    def plan(self, question: Question) -> Plan:
        """Return the plan of a question, as the command `plan` makes it."""
        return self._made(question).plan

    def file(self, name: str, question: Question) -> Body:
        """Return a GeoJSON file or `summary.json`, byte for byte as the command `plan` writes it."""
        return self._made(question).files[name]

    def map_page(self, question: Question) -> Body:
        """Return `map.html`, byte for byte as the command `plan` writes it."""
        return self._maps(question)

    def picture(self, question: Question) -> Body:
        """
        Return the map as a picture, as the command `plan` draws it with `--figures png`, in fewer dots.

        Raises
        ------
        MissingPackageError
            If matplotlib or the fonts are not installed.
        """
        return self._pictures(question)

    def stop(self) -> None:
        """Begin nothing new, and end what is being computed at its next stage: `StoppingError` to all who wait."""
        self._stopping.set()

    def go_on(self, _stage: str = "") -> None:
        """End here if the server is being stopped."""
        if self._stopping.is_set():
            raise StoppingError

    # ------------------------------------------------------------------------------------------------ the work
    def _is_own(self, question: Question) -> bool:
        """Whether a question is the study's own."""
        return question == question_of(self.study)

    def _make(self, question: Question) -> Made:
        """Plan the study as asked, and write the GeoJSON files and the summary."""
        study, roads = self.roads.under(question.profile)
        with self._working:
            self.go_on()
            made = suggest(
                study,
                roads=roads,
                minutes=question.breaks,
                when=question.when or ANY_TIME,
                service=question.service,
                on_stage=self.go_on,
            )
            self.go_on()
            plan = with_trouble(made)
            texts = {f"{name}.geojson": geojson_text(features) for name, features in plan_layers(plan).items()}
            texts["summary.json"] = json_text(summary(plan), indent=2)
            return Made(plan, {name: Body(text.encode("utf-8"), _type_of(name)) for name, text in texts.items()})

    def _draw(self, question: Question) -> Body:
        """Draw the map of a plan."""
        from servicecircle.maps import map_html

        plan = self._made(question).plan
        with self._working:
            self.go_on()
            return Body(map_html(plan).encode("utf-8"), HTML)

    def _picture(self, question: Question) -> Body:
        """Draw the map of a plan as a picture."""
        from servicecircle.figures import check_fonts, figure_bytes

        check_fonts(self.study.lang)  # told before the plan is made
        plan = self._made(question).plan
        with self._working:
            self.go_on()
            return Body(figure_bytes(plan, "map"), PNG)


def _type_of(name: str) -> str:
    return GEOJSON if name.endswith(".geojson") else JSON
