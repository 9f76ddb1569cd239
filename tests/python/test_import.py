"""Importing Qanat is quick and brings nothing along."""

import subprocess
import sys

HEAVY = ("pandas", "pyarrow", "duckdb", "_duckdb", "pyspark", "rich", "typer", "yaml", "numpy", "polars")
IMPORT_MS_MAX = 60


def _python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )


def test_import_brings_no_heavy_package():
    done = _python("import sys, qanat; print(*sorted(m.split('.')[0] for m in sys.modules))")
    assert "qanat" in done.stdout.split()
    assert set(done.stdout.split()).isdisjoint(HEAVY)


def test_loading_a_pipeline_brings_no_heavy_package(write):
    write("flow.py", "import qanat as qn\n@qn.table\ndef t():\n    return 'SELECT 1 AS a'\n")
    code = "import sys, qanat; qanat.load('flow.py').spec(storage='lake'); print(*{m.split('.')[0] for m in sys.modules})"
    assert set(_python(code).stdout.split()).isdisjoint(HEAVY)


def test_import_is_quick():
    """Time on the processor, the best of some: a busy machine must not decide."""
    code = "import time; t = time.process_time_ns(); import qanat; print((time.process_time_ns() - t) / 1e6)"
    best = min(float(_python(code).stdout) for _ in range(6))
    assert best < IMPORT_MS_MAX, f"import qanat took {best:.0f} ms of processor time"


def test_every_public_name_has_a_docstring():
    import qanat

    for name in qanat.__all__:
        if name != "__version__":
            assert getattr(qanat, name).__doc__, name
