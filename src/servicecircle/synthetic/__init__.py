"""Made-up towns: believable Chinese streets and ledgers for demos and tests, from a seed."""

from __future__ import annotations

from .examples import write_example as write_example
from .ledgers import Ledgers as Ledgers
from .ledgers import make_ledgers as make_ledgers
from .rules import District as District
from .rules import Gap as Gap
from .rules import TownRule as TownRule
from .town import Town as Town
from .town import make_town as make_town
from .towns import TOWNS as TOWNS
from .towns import ExampleTown as ExampleTown
from .writing import write_study as write_study
from .writing import write_town as write_town
