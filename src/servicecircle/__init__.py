"""
Service circles of rest stations and partner shops for delivery riders, exactly, on the street network.

The names and where they live stand in `__init__.pyi`; a module is loaded when a name of it is first used, so that
the first circle does not wait for the maps.
"""

import lazy_loader

from . import _started as _started

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
