"""Lives of the engine: each run of a pipeline in a process of its own, which may be killed in the middle.

Processes are forked from one that has everything loaded (the zygote: this file run as a program), so that a life
costs milliseconds to begin. The zygote itself opens no database and starts no thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

LIFE_S_MAX = 120  # a life that takes longer hangs, and the test says so
NOTHING_ARMED = "none=error@1000000"  # passing is noted only while something is armed


@dataclass
class Outcome:
    """How a life ended: by itself (``error`` is None), with a failure, or by a signal."""

    signal: int = 0
    error: dict[str, Any] | None = None  # code, kind, text, lines, message
    passed: list[str] = field(default_factory=list)  # fail points
    progress: dict[str, Any] = field(default_factory=dict)
    peak_kb: int = 0  # most memory that it held

    @property
    def killed(self) -> bool:
        return self.signal == signal.SIGKILL

    @property
    def ok(self) -> bool:
        return self.signal == 0 and self.error is None

    def __str__(self) -> str:
        if self.signal:
            return f"ended by signal {self.signal}"
        return "ended well" if self.error is None else str(self.error["message"])


class Lives:
    """Gives lives to pipelines. ``obeys_modes``: also as root, they may do only what the modes of files allow."""

    def __init__(self, *, obeys_modes: bool = False) -> None:
        command = [sys.executable, __file__]
        if obeys_modes and os.geteuid() == 0:
            command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        self._zygote = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Lives:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._zygote.stdin is not None and self._zygote.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._zygote.stdin.close()
        self._zygote.wait()
        self._zygote.stdout.close()

    def live(
        self,
        spec: dict[str, Any],
        *,
        fail: str = "",
        options: dict[str, Any] | None = None,
        functions: list[str] | None = None,
        until_idle: bool = False,
        stop_ms: float | None = None,
        stop_now: bool = False,
    ) -> Outcome:
        """Runs a pipeline once.

        Parameters
        ----------
        spec
            The engine's form of the pipeline.
        fail
            Fail points to arm: ``name=action@nth``.
        options
            Of the run.
        functions
            Names of functions in ``batch_functions.py``, by the ids of the spec.
        until_idle
            A continuous run, asked to stop when it has nothing to do.
        stop_ms, stop_now
            Asked to stop after so long: after the step, or at once.
        """
        request = {
            "spec": spec,
            "fail": fail or NOTHING_ARMED,
            "options": (options or {}) | ({"continuous": True} if until_idle else {}),
            "functions": functions or [],
            "until_idle": until_idle,
            "stop_ms": stop_ms,
            "stop_now": stop_now,
        }
        assert self._zygote.stdin is not None and self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(request) + "\n")
        self._zygote.stdin.flush()
        reply = self._zygote.stdout.readline()
        assert reply, "the zygote is gone"
        outcome = Outcome(**json.loads(reply))
        assert outcome.signal in (0, signal.SIGKILL), f"{outcome}; armed: {fail or 'nothing'}"
        return outcome


# ---- in the zygote ----


def _watch(engine: Any, request: dict[str, Any]) -> None:
    import threading
    import time

    def idle() -> None:
        while json.loads(engine.progress())["state"] not in ("idle", "done", "failed"):
            time.sleep(0.002)
        engine.stop(False)

    def later() -> None:
        time.sleep(request["stop_ms"] / 1000)
        engine.stop(request["stop_now"])

    if request["until_idle"]:
        threading.Thread(target=idle, daemon=True).start()
    if request["stop_ms"] is not None:
        threading.Thread(target=later, daemon=True).start()


def _live(request: dict[str, Any], core: Any) -> dict[str, Any]:
    import batch_functions

    signal.alarm(LIFE_S_MAX)
    core.arm_fail_points(request["fail"])
    engine = None
    result: dict[str, Any] = {"error": None}
    try:
        functions = [getattr(batch_functions, name) for name in request["functions"]]
        engine = core.Engine(json.dumps(request["spec"]), functions)
        _watch(engine, request)
        engine.run(json.dumps(request["options"]))
    except core.CoreError as error:
        names = ("code", "kind", "text", "lines")
        result["error"] = {name: getattr(error, name) for name in names} | {"message": str(error)}
    result["passed"] = core.fail_points_passed()
    result["progress"] = json.loads(engine.progress()) if engine is not None else {}
    status = Path("/proc/self/status").read_text()
    result["peak_kb"] = int(status.split("VmHWM:")[1].split()[0])
    return result


def _zygote() -> None:
    import _duckdb  # noqa: F401  the library that the engine finds
    import pyarrow  # noqa: F401  so that no life has to load it
    import qanat._core as core

    import qanat._functions  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as out:
                out.write(json.dumps(_live(request, core)))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            text = told.read()
        status = os.waitpid(child, 0)[1]
        reply = json.loads(text) if text else {}
        print(
            json.dumps(reply | {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}), flush=True
        )


if __name__ == "__main__":
    _zygote()
