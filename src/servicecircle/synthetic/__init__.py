"""Made-up towns: believable Chinese streets and ledgers for demos and tests, from a seed."""

from __future__ import annotations

from .rules import District as District
from .rules import Gap as Gap
from .rules import TownRule as TownRule
from .town import Town as Town
from .town import make_town as make_town
