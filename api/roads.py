"""The served study and its roads under each travel profile: each read once, for all who compute on them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from servicecircle.errors import Lang
from servicecircle.model import Study
from servicecircle.params import PROFILES
from servicecircle.pipeline import Roads, read_roads
from servicecircle.study_options import with_options

from .kept import Kept
from .sizes import bytes_of


class Ground(NamedTuple):
    """What everything that is computed stands on: the study under a profile, and the roads of that profile."""

    study: Study
    roads: Roads


class StudyRoads:
    """
    The study and its roads, by profile; for many threads.

    Nothing is read before it is asked for; there are few profiles, so that all stay.

    Parameters
    ----------
    study
        The study, or how to load it.
    """

    def __init__(self, study: Study | Callable[[], Study]) -> None:
        self._study = study
        self._loading = Lock()
        self._grounds = Kept[str, Ground](self._read, most=len(PROFILES) + 1)

    @property
    def study(self) -> Study:
        """The study that is served, as its folder says it; loaded now if nobody has asked before."""
        with self._loading:
            if not isinstance(self._study, Study):
                self._study = self._study()
            return self._study

    @property
    def lang(self) -> Lang:
        """Language of a study that is loaded, else Chinese; loads nothing."""
        return self._study.lang if isinstance(self._study, Study) else "zh"

    def under(self, profile: str = "") -> Ground:
        """
        Return the study and its roads under a profile of `PROFILES`; "" is the study's own.

        Breaks that the profile does not define are left to who asks for breaks of its own.

        Raises
        ------
        InputError
            If no profile has that name.
        NetworkError
            If the roads make no usable network under it.
        """
        return self._grounds("" if profile == self.study.profile.name else profile)

    def bytes_beside(self, made: object) -> int:
        """Return how much memory an answer holds beside the study and the roads that have been read, in bytes."""
        return bytes_of(made, besides=[self.study, *self._grounds.answers()])

    def _read(self, profile: str) -> Ground:
        """Read the roads of a profile."""
        study = self.study if not profile else _under(self.study, profile)
        return Ground(study, read_roads(study))


def _under(study: Study, profile: str) -> Study:
    """Return the study under a profile; under a standard with breaks of its own, with those."""
    named = PROFILES.get(profile)
    breaks = tuple(named.cutoffs_s) if named is not None and named.cutoffs_s else None
    return with_options(study, profile=profile, minutes=breaks)
