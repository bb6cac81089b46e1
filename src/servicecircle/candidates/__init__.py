"""Candidates: places where a station or a shop may stand."""

from .corners import corner_candidates as corner_candidates
from .density import stations_of as stations_of
from .density import told_of_density as told_of_density
from .frames import WGS84 as WGS84
from .gates import gate_candidates as gate_candidates
from .lattice import grid_candidates as grid_candidates
from .places import place_candidates as place_candidates
from .rejects import joined as joined
from .rejects import reason as reason
from .rejects import rejected_of as rejected_of
from .rejects import which_of as which_of
from .rules import judge_candidates as judge_candidates
from .rules import told_of_checks as told_of_checks
from .studies import Candidates as Candidates
from .studies import study_candidates as study_candidates
