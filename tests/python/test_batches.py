"""Arrow functions: what they may return, what is told otherwise, and what becomes of rows they fail on."""

import pyarrow as pa
import pytest

from qanat import _functions
from qanat.engines.batches import batch_callable
from qanat.errors import QanatError
from qanat.pipelines.registry import BatchFunction
from qanat.where import Where

WANTED = pa.schema([("id", pa.int64()), ("score", pa.float64())])
BATCH = pa.record_batch({"id": pa.array(range(10), pa.int32())})


def _call(function, failures=None):
    batch = BatchFunction("FROM s", "id BIGINT, score DOUBLE", function, Where("flow.py", 3))
    reported = []
    callable_ = batch_callable(batch, reported.append)
    return _functions._call(callable_, BATCH, WANTED, [] if failures is None else failures), reported


def _rows(batches):
    return [row for batch in batches for row in batch.to_pylist()]


def test_columns_are_found_by_name_and_cast():
    def scored(batch):
        return pa.record_batch({"extra": batch["id"], "score": batch["id"], "id": batch["id"]})

    batches, _ = _call(scored)
    assert _rows(batches)[3] == {"id": 3, "score": 3.0}
    assert batches[0].schema == WANTED


def test_tables_and_other_numbers_of_rows_are_fine():
    def doubled(batch):
        table = pa.table({"id": batch["id"], "score": batch["id"]})
        return pa.concat_tables([table, table.slice(0, 1)])

    batches, _ = _call(doubled)
    assert [row["id"] for row in _rows(batches)] == [*range(10), 0]


def test_rows_that_make_it_raise_stand_alone():
    def picky(batch):
        ids = batch["id"].to_pylist()
        if {3, 7} & set(ids):
            raise ValueError(f"bad {min({3, 7} & set(ids))}")
        return pa.record_batch({"id": batch["id"], "score": batch["id"]})

    failures = []
    batches, reported = _call(picky, failures)
    assert [row["id"] for row in _rows(batches)] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert failures == [('{"id": 3}', "ValueError: bad 3"), ('{"id": 7}', "ValueError: bad 7")]
    assert reported == []


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda batch: None,
            "QN-4102  Function '<lambda>' gave nothing back.\n  at flow.py:3\n"
            "  For no rows return batch.slice(0, 0), or is a 'return' missing?\n  The step was not committed.",
        ),
        (
            lambda batch: batch.to_pydict(),
            "QN-4102  Function '<lambda>' gave a builtins dict.\n  at flow.py:3\n"
            "  Expected: a pyarrow RecordBatch or Table\n  The step was not committed.",
        ),
        (
            lambda batch: pa.record_batch({"id": batch["id"], "scor": batch["id"]}),
            "QN-4102  Function '<lambda>' gave rows in which column 'score' is not there.\n  at flow.py:3\n"
            "  It gave: id, scor\n  Declared: id, score\n  Did you mean 'scor'?\n  The step was not committed.",
        ),
        (
            lambda batch: pa.RecordBatch.from_arrays([batch["id"]] * 3, ["id", "score", "id"]),
            "QN-4102  Function '<lambda>' gave rows in which column 'id' is there twice.\n  at flow.py:3\n"
            "  It gave: id, score, id\n  Declared: id, score\n  The step was not committed.",
        ),
    ],
)
def test_answers_of_the_wrong_form_stop_the_run(function, message):
    with pytest.raises(QanatError) as caught:
        _call(function)
    assert str(caught.value) == message


def test_no_pyarrow_is_told_before_anything_starts(monkeypatch):
    from qanat.engines import batches

    def scored(batch):
        return batch

    monkeypatch.setattr(batches.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(QanatError) as caught:
        batches.check_arrow([BatchFunction("FROM s", "id BIGINT", scored, Where("flow.py", 3))])
    assert str(caught.value) == (
        "QN-4103  Function 'scored' needs pyarrow, which is not installed.\n  at flow.py:3\n"
        "  Install it:  pip install 'qanat[arrow]'\n  Nothing was started."
    )
    batches.check_arrow([])
