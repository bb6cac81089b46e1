"""Plans of the served study, by what is asked: each computed once, the latest kept, and what is sent of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import NamedTuple

from servicecircle.closed_plans import plan_during
from servicecircle.closures import Closures
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
from .turns import Crowd
from .wanted import go_on

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


@dataclass(frozen=True)
class During:
    """A question, and the reports from the street that hold at its moment: what an answer hangs on."""

    question: Question
    ids: tuple[str, ...] = ()  # of the reports; none: the roads as they are
    reports: Closures | None = field(default=None, compare=False, repr=False)


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
    most, most_files
        Bytes of the plans of other questions that are kept; of their maps, and of their pictures.
    crowd
        Of those who wait for one.
    """

    def __init__(
        self, study: Study | Callable[[], Study], *, most: int, most_files: int, crowd: Crowd | None = None
    ) -> None:
        self.roads = StudyRoads(study)
        self._working = Lock()
        self._stopping = Event()
        self._made = Kept[During, Made](
            self._make, most=most, weight=self.roads.bytes_beside, stays=self._is_own, crowd=crowd
        )
        self._maps = Kept[During, Body](
            self._draw, most=most_files, weight=_most_bytes, stays=self._is_own, crowd=crowd
        )
        self._pictures = Kept[During, Body](
            self._picture, most=most_files, weight=_most_bytes, stays=self._is_own, crowd=crowd
        )
        #: what reports from the street hold at the moment of a question
        self.reports_at: Callable[[Question], Closures | None] = lambda _question: None

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
        """Return the plan of a question, as the command `plan` makes it; while reports hold, on the roads then."""
        return self.plan_of(self.during(question))

    def plan_of(self, during: During) -> Plan:
        """Return the plan of a question while reports hold."""
        return self._made(during).plan

    def during(self, question: Question) -> During:
        """Return what the answers to a question hang on now."""
        reports = self.reports_at(question)
        if reports is None or not len(reports):
            return During(question)
        return During(question, tuple(map(str, reports.frame.index)), reports)

    def file(self, name: str, question: Question) -> Body:
        """Return a GeoJSON file or `summary.json`, byte for byte as the command `plan` writes it."""
        return self._made(self.during(question)).files[name]

    def map_page(self, question: Question) -> Body:
        """Return `map.html`, byte for byte as the command `plan` writes it."""
        return self._maps(self.during(question))

    def picture(self, question: Question) -> Body:
        """
        Return the map as a picture, as the command `plan` draws it with `--figures png`, in fewer dots.

        Raises
        ------
        MissingPackageError
            If matplotlib or the fonts are not installed.
        """
        return self._pictures(self.during(question))

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is begun."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Begin nothing new, and end what is being computed at its next stage: `StoppingError` to all who wait."""
        self._stopping.set()

    def go_on(self, _stage: str = "") -> None:
        """End here if the server is being stopped, or nobody waits any more."""
        if self._stopping.is_set():
            raise StoppingError
        go_on()

    # ------------------------------------------------------------------------------------------------ the work
    def _is_own(self, during: During) -> bool:
        """Whether a question is the study's own, on the roads as they are."""
        return during == During(question_of(self.study))

    def _make(self, during: During) -> Made:
        """Plan the study as asked, and write the GeoJSON files and the summary."""
        if during.reports is not None:
            made = self._made(During(during.question)).plan
            with self._working:
                self.go_on()
                return _written(plan_during(made, during.reports))
        question = during.question
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
            return _written(with_trouble(made))

    def _draw(self, during: During) -> Body:
        """Draw the map of a plan."""
        from servicecircle.maps import map_html

        plan = self._made(during).plan
        with self._working:
            self.go_on()
            return Body(map_html(plan).encode("utf-8"), HTML)

    def _picture(self, during: During) -> Body:
        """Draw the map of a plan as a picture."""
        from servicecircle.figures import check_fonts, figure_bytes

        check_fonts(self.study.lang)  # told before the plan is made
        plan = self._made(during).plan
        with self._working:
            self.go_on()
            return Body(figure_bytes(plan, "map"), PNG)


def _written(plan: Plan) -> Made:
    """Return a plan with the GeoJSON files and the summary."""
    texts = {f"{name}.geojson": geojson_text(features) for name, features in plan_layers(plan).items()}
    texts["summary.json"] = json_text(summary(plan), indent=2)
    return Made(plan, {name: Body(text.encode("utf-8"), _type_of(name)) for name, text in texts.items()})


def _most_bytes(body: Body) -> int:
    return body.most_bytes


def _type_of(name: str) -> str:
    return GEOJSON if name.endswith(".geojson") else JSON
