"""What the process's exit code says: to scripts, schedulers and service managers."""

from __future__ import annotations

from qanat.errors import QanatError

OK = 0
FAILED = 1
USAGE = 2
CHECKS = 3
RULE = 4
BUG = 70
LATER = 75
INTERRUPTED = 130
TERMINATED = 143

MEANINGS = {
    OK: ("ok", "The command did what it was asked to."),
    FAILED: (
        "failed",
        "The pipeline started and failed, or a command could not read what it needs. "
        "All steps reported as committed are committed; running again goes on from there.",
    ),
    USAGE: ("usage", "The command line is wrong: an unknown option, a value that cannot be."),
    CHECKS: (
        "checks failed",
        "The pipeline is wrong, and nothing was started: its files, its SQL, its spec.",
    ),
    RULE: ("rule broken", "A rule declared with `expect_or_fail` was broken; its step was not committed."),
    BUG: ("our bug", "Something happened that cannot. The message says how to report it."),
    LATER: (
        "later",
        "The world failed in a way that may pass: disk full, another writer, a lock held. Run it again.",
    ),
    INTERRUPTED: (
        "interrupted",
        "Ctrl-C. What was reported as committed is; running again goes on from there.",
    ),
    TERMINATED: ("terminated", "SIGTERM. The step in hand was committed first, as with one Ctrl-C."),
}

RULE_BROKEN_CODE = "QN-3503"


def of(error: QanatError, *, started: bool) -> int:
    """The exit code of a failure before the run started, or in it."""
    if error.code.startswith("QN-90"):
        return BUG
    if error.code.startswith("QN-13"):
        return USAGE if error.kind == "invalid" else FAILED
    if error.code == RULE_BROKEN_CODE:
        return RULE
    if error.kind.casefold() in ("retryable", "unknown", "conflict"):
        return LATER
    if started or error.code.startswith(("QN-31", "QN-32", "QN-33", "QN-34")):
        return FAILED
    return CHECKS
