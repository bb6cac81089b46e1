"""Whether two networks are the same in every array and every word."""

import numpy as np
import shapely

from servicecircle.model import Network


def assert_same_network(one: Network, other: Network) -> None:
    """Raise unless all that a network holds is equal, types and order too."""
    assert vars(one).keys() >= set(Network.__dataclass_fields__)
    for name in Network.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "geometry":
            assert shapely.equals_exact(a, b).all()
            assert a.shape == b.shape
        elif isinstance(a, np.ndarray):
            assert (a.dtype, a.shape, a.flags.writeable) == (b.dtype, b.shape, b.flags.writeable), name
            assert np.array_equal(a, b), name
            assert list(map(type, a[:9])) == list(map(type, b[:9])), name
        elif name == "report":
            assert (a.source, list(a.counts.items()), a.warnings) == (b.source, list(b.counts.items()), b.warnings)
            assert list(map(type, a.counts.values())) == list(map(type, b.counts.values()))
        else:
            assert a == b, name
