"""One run of a pipeline, in this process, and its results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qanat.engines.native import DatasetProgress, Engine, Limits, Progress, RunOptions
from qanat.lake.dead_letters import DeadLetterTables
from qanat.lake.tables import Lake
from qanat.pipelines.load import load


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    storage: Path
    progress: Progress

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one SELECT over the tables, as tuples."""
        return Lake(self.storage).query(sql).fetchall()

    def dead_letters(self, dataset: str) -> list[dict[str, Any]]:
        """The dead letters of a dataset, the newest step first; ``raw`` is bytes."""
        return DeadLetterTables(self.storage).letters(dataset, None, 0)[0]

    def counts(self, dataset: str) -> DatasetProgress:
        """Rows in and out, dead letters and broken rules of a dataset in this run."""
        return self.progress.datasets[dataset]


def run(
    file: str | Path,
    storage: str | Path,
    *,
    options: RunOptions | None = None,
    limits: Limits | None = None,
) -> Run:
    """Runs a pipeline until its sources end.

    Parameters
    ----------
    file
        Pipeline file, as for ``qanat run``.
    storage
        Folder for its tables; pytest's ``tmp_path`` is a good one. Running again into the same folder goes on
        from where the last run ended.
    options, limits
        As on the command line.

    Returns
    -------
    Run
        Its ``rows``, ``dead_letters`` and ``counts``.

    Raises
    ------
    QanatError
        What the command line would print.

    Examples
    --------
    >>> def test_all_orders_arrive(tmp_path):  # doctest: +SKIP
    ...     result = run("flow.py", tmp_path)
    ...     assert result.rows("SELECT count(*) FROM orders") == [(41,)]
    """
    engine = Engine(load(file), storage, limits)
    engine.run(options or RunOptions())
    return Run(Path(storage).resolve(), engine.progress())
