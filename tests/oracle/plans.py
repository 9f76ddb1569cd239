"""Draws how input comes: rounds, files, steps, lives and deaths; rows are those of rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from rows import REFERENCES, STREAMS, Row, numbers, row
from sizes import LARGE
from trial import File, Life, Plan, Round
from worlds import FAIL_POINTS

STEP_BYTES = (1, 700, 3000, 20_000, 1_000_000)


@dataclass(frozen=True)
class Size:
    """How much a trial takes in: rows of the larger stream in a round, rounds, rows of an id."""

    rows: int = 40
    rounds: int = 3
    rows_of_id: int = 4
    epochs_checked_max: int = 3


def death(rng: Random) -> Life:
    """A life that meets a fail point, or passes by it."""
    # An unknown outcome is asked about again for 16 s: only where there is time. test_law.py has it always.
    action = rng.choice(["kill", "kill", "kill", "error", "unknown" if LARGE else "kill"])
    return Life(f"{rng.choice(FAIL_POINTS)}={action}@{rng.randint(1, 4)}")


def cut(rng: Random, rows: list[Row], parts_max: int) -> list[list[Row]]:
    """The rows in order, in one or more parts."""
    borders = sorted(rng.randint(0, len(rows)) for _ in range(rng.randrange(parts_max)))
    return [rows[a:b] for a, b in zip([0, *borders], [*borders, len(rows)], strict=True) if a < b]


def plan(rng: Random, size: Size) -> Plan:
    """A plan over both streams."""
    seed = rng.randrange(2**32)
    ids = max(3, size.rows * size.rounds // size.rows_of_id)
    seen = {stream.name: 0 for stream in STREAMS}
    rounds = []
    for number in range(size.rounds):
        files = []
        for stream in STREAMS:
            count = size.rows if stream is STREAMS[0] else size.rows // 2
            count = 0 if rng.random() < 0.1 else count
            drawn = numbers(rng, count, seen[stream.name])
            seen[stream.name] += count
            for part, rows in enumerate(cut(rng, [row(stream, seed, n, ids) for n in drawn], 3)):
                # An old file grows, or a new one comes.
                name = "grows.jsonl" if part == 0 and rng.random() < 0.5 else f"{number}-{part}.jsonl"
                files.append(File(stream, name, rows))
        rounds.append(Round(files, [death(rng) for _ in range(rng.randrange(3))]))
    return Plan(STREAMS, rounds, REFERENCES, rng.choice(STEP_BYTES[1:4]), size.epochs_checked_max)
