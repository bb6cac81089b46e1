"""
Isochrones of Valhalla, in a process of its own: a request a line comes in, an answer a line goes out.

Stands alone, and runs under the Python that has `pyvalhalla`, which need not be the one of this project.
"""

import json
import sys
import time

import valhalla


def main() -> None:
    """Answer until the input ends: `{"places": [[lon, lat], ...], "request": {...}}`."""
    actor = valhalla.Actor(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        clock, cpu = time.perf_counter(), time.process_time()
        answers = [
            actor.isochrone(json.dumps({**asked["request"], "locations": [{"lon": lon, "lat": lat}]}))
            for lon, lat in asked["places"]
        ]
        seconds, cpu_s = time.perf_counter() - clock, time.process_time() - cpu
        print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "answers": answers}), flush=True)


if __name__ == "__main__":
    main()
