"""Files that our C++ tests leave behind, for others to read."""

import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import duckdb
import pytest

ROOT = pathlib.Path(__file__).parents[2]
Written = Callable[[str, str], pathlib.Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """``written("qn_app_test", "Golden.*")``: the folder that these C++ tests have filled."""

    def write(test: str, names: str) -> pathlib.Path:
        binary = ROOT / "build/core" / test
        if not binary.exists():
            pytest.skip("the C++ tests are not built; make test-cpp builds them")
        folder = tmp_path_factory.mktemp("golden")
        python = subprocess.check_output([ROOT / "tools/libpython.sh", ROOT / ".venv/bin/python"], text=True)
        env = os.environ | {
            "QANAT_GOLDEN_DIR": str(folder),
            "QANAT_DUCKDB": str(pathlib.Path(__import__("_duckdb").__file__)),
            "LD_LIBRARY_PATH": str(pathlib.Path(python.strip()).parent),
        }
        done = subprocess.run([binary, f"--gtest_filter={names}"], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return write


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
