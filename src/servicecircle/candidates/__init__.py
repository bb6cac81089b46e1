"""Candidates: places where a station or a shop may stand."""

from .corners import corner_candidates as corner_candidates
from .frames import WGS84 as WGS84
from .places import place_candidates as place_candidates
from .studies import Candidates as Candidates
from .studies import study_candidates as study_candidates
