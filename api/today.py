"""Today: how a study stands, without suggestions, by what is asked; made quickly, and ready to be changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from threading import Lock

from servicecircle.closed_streets import with_closures
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.siting_rules import SitingRules
from servicecircle.what_if import what_if

from .kept import Kept
from .plans import ANY_TIME, During, Question
from .roads import StudyRoads
from .turns import Crowd


class Today:
    """
    The study as it is today, by question: a plan in which nothing is suggested, and nothing searched for.

    Made where it is asked for, so not in the event loop; one at a time, but beside the plans with suggestions,
    which take longer. The latest are kept, `most` bytes of them, each with what a first change to it would have to
    wait for.

    Parameters
    ----------
    roads
        The study and its roads.
    most
        Bytes of them that are kept, the study's own among them.
    go_on
        Called between stages; what it raises ends the work, for all who wait.
    during
        Which reports of trouble hold at the moment of a question; none by default.
    crowd
        Of those who wait for it.
    """

    def __init__(
        self,
        roads: StudyRoads,
        *,
        most: int,
        go_on: Callable[[str], None],
        during: Callable[[Question], During] = During,
        crowd: Crowd | None = None,
    ) -> None:
        self._roads = roads
        self._go_on = go_on
        self.during = during
        self._working = Lock()
        self._made = Kept[During, Plan](self._make, most=most, weight=roads.bytes_beside, crowd=crowd)

    def __call__(self, question: Question) -> Plan:
        """Return how the study stands, on the roads as they are at the moment that is asked for."""
        return self.of(self.during(question))

    def of(self, during: During) -> Plan:
        """Return how the study stands while reports of trouble hold; its network is that of the closed roads."""
        return self._made(during)

    def _make(self, during: During) -> Plan:
        """Plan the study as asked, with nothing to suggest."""
        question = during.question
        study, roads = self._roads.under(question.profile)
        if during.reports is not None:
            roads = roads._replace(network=with_closures(roads.network, during.reports))
        bare = dataclasses.replace(study, candidates=None, candidate_sources=(), site_rule="none")
        with self._working:
            self._go_on("today")
            plan = suggest(
                bare,
                stations=0,
                shops=0,
                rules=SitingRules(),
                roads=roads,
                minutes=question.breaks,
                when=question.when or ANY_TIME,
                service=question.service,
                on_stage=self._go_on,
            )
            what_if(plan)
            return plan
