"""A stand-in for qanat._core: it runs nothing, and tells what a real run would tell. For tests only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any


class CoreError(Exception):
    """As the compiled module raises it."""

    def __init__(self, code: str, text: str, lines: list[str], kind: str = "failed") -> None:
        super().__init__("\n  ".join([f"{code}  {text}", *lines]))
        self.code, self.text, self.lines, self.kind = code, text, lines, kind


class Engine:
    """Counts up to `total_bytes`; `script` may replace any of it."""

    steps = 5
    step_s = 0.0
    failure: CoreError | None = None
    check_failure: CoreError | None = None
    last: Engine

    def __init__(self, spec: str, functions: list[Callable[..., Any]]) -> None:
        if self.check_failure is not None:
            raise self.check_failure
        self.spec = json.loads(spec)
        self.functions = functions
        self.options: dict[str, Any] = {}
        self.stops: list[bool] = []
        self._lock = threading.Lock()
        self._step = 0
        self._state = "starting"
        self._begin = time.monotonic()
        type(self).last = self

    def describe(self) -> str:
        datasets = [
            {
                "name": d["name"],
                "kind": d["kind"],
                "comment": d["comment"],
                "where": d["where"],
                "columns": [{"name": "id", "type": "BIGINT", "nullable": False}],
                "reads": [],
                "partition_cols": d["partition_cols"],
                "expectations": d["expectations"],
                "flows": [{"name": f["name"], "sql": f["sql"], "reads": []} for f in d["flows"]],
            }
            for d in self.spec["datasets"]
        ]
        return json.dumps(
            {
                "name": self.spec["name"],
                "storage": self.spec["storage"],
                "sources": [],
                "references": [],
                "datasets": datasets,
                "order": [],
            }
        )

    def run(self, options: str) -> None:
        self.options = json.loads(options)
        self._state = "running"
        for step in range(1, self.steps + 1):
            time.sleep(self.step_s)
            with self._lock:
                if self.stops:
                    break
                self._step = step
        if self.failure is not None:
            self._state = "failed"
            raise self.failure
        self._state = "done"

    def stop(self, now: bool) -> None:
        self.stops.append(now)

    def progress(self) -> str:
        n = self._step
        datasets = {
            d["name"]: {
                "rows_in": 67_355 * n,
                "rows_out": 65_469 * n,
                "rows_dead": 94 * n if i == 0 else 0,
                "rows_dropped": 1_651 * n if i == 0 else 0,
                "dead": {"decode": 3 * n, "has_aircraft": 91 * n} if i == 0 else {},
                "dropped": {"departed": 1_651 * n} if i == 0 else {},
                "kept": {"delay_known": 235 * n} if i == 0 else {},
                "steps": n,
                "seconds": 0.35 * n,
                "bytes_in": 12_300_000 * n,
                "files": n,
            }
            for i, d in enumerate(self.spec["datasets"])
            if d["kind"] != "temporary_view"
        }
        return json.dumps(
            {
                "state": "stopping" if self.stops and self._state == "running" else self._state,
                "epoch": n,
                "bytes_read": 12_300_000 * n,
                "bytes_waiting": 12_300_000 * (self.steps - n),
                "elapsed_s": time.monotonic() - self._begin,
                "warnings": [],
                "sources": {},
                "datasets": datasets,
            }
        )


def snapshot(folder: str, version: int) -> str:
    raise CoreError("QN-3301", f"No table at {folder}.", [f"version {version}"])
