"""Runs a flow in steps of so many bytes, which the command line does not offer: FLOW DATASET STORAGE BYTES.

Prints the seconds from each end of a step that changed the dataset to the next such end, as a JSON list. Steps
that ended between two looks share the time.
"""

from __future__ import annotations

import json
import sys
import time

from qanat.engines.native import Engine, Limits, RunningThread, RunOptions
from qanat.pipelines.load import load

_LOOK_S = 0.0005

flow, dataset, storage, step_bytes = sys.argv[1:]
engine = Engine(load(flow), storage, Limits(step_bytes_max=int(step_bytes)))
thread = RunningThread(engine, RunOptions())
thread.start()
steps = 0
last = 0.0
seconds: list[float] = []
while thread.is_alive():
    done = engine.progress().datasets
    now = time.perf_counter()
    if done and done[dataset].steps > steps:
        ended = done[dataset].steps - steps
        if steps > 0:  # the time before the first end holds the start
            seconds += [(now - last) / ended] * ended
        steps, last = done[dataset].steps, now
    time.sleep(_LOOK_S)
if thread.failure is not None:
    raise thread.failure
print(json.dumps(seconds))
