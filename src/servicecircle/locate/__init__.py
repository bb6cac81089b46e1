"""Location problems on plain arrays, one file a problem; `_form.py` is the form that they share."""

from __future__ import annotations

from ._decay import WorthCurve as WorthCurve
from ._decay import worth_of as worth_of
from ._fairness import cutoff_for_floor as cutoff_for_floor
from ._spacing import pairs_nearer_than as pairs_nearer_than
from .alternatives import StepPrice as StepPrice
from .alternatives import alternatives as alternatives
from .alternatives import price_of_steps as price_of_steps
from .alternatives import siting_curve as siting_curve
from .lscp import lscp as lscp
from .lscp import uncoverable as uncoverable
from .mclp import mclp as mclp
from .mclp_parts import CoverPart as CoverPart
from .mclp_parts import PartsPlan as PartsPlan
from .mclp_parts import mclp_of_parts as mclp_of_parts
from .p_center import p_center as p_center
from .p_median import p_median as p_median
from .recount import check_siting as check_siting
from .recount import worth_again as worth_again
from .recount_bounds import check_lscp as check_lscp
from .recount_bounds import check_mclp as check_mclp
from .recount_bounds import check_p_median as check_p_median
from .recount_center import check_p_center as check_p_center
from .recount_siting_bound import siting_bound as siting_bound
from .siting import Phase as Phase
from .siting import Siting as Siting
from .siting_certificate import SitingCertificate as SitingCertificate
from .siting_plan import PhasePlan as PhasePlan
from .siting_plan import Reason as Reason
from .siting_plan import ScenarioFigures as ScenarioFigures
from .siting_plan import SitingPlan as SitingPlan
from .solve_siting import solve_siting as solve_siting
