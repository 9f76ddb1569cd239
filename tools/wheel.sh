#!/usr/bin/env bash
# Builds the wheel as `pip wheel .` does, installs it into an environment that has nothing else, and uses it there.
# The time of `import qanat` is printed, not judged: a CI machine is no stop-watch.
set -euo pipefail
cd "$(dirname "$0")/.."
core=$1
work=build/wheel
rm -rf $work
.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
  --config-settings=build-dir="$core" "--config-settings=build.targets=_core;_core_stub" --wheel-dir $work .
wheel=$(ls $work/*.whl)
.venv/bin/python -m venv $work/env
$work/env/bin/python -m pip install --quiet --disable-pip-version-check "$wheel"
unzip_list() { .venv/bin/python -m zipfile -l "$wheel"; }
for file in qanat/_core.pyi qanat/py.typed; do
  unzip_list | grep -q "^$file " || { echo "$wheel lacks $file"; exit 1; }
done
cd $work
env/bin/python - <<'PY'
import subprocess, sys, time

def seconds(code):
    best = 9.0
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - start)
    return best

extra = seconds("import qanat") - seconds("pass")
print(f"import qanat: {extra * 1000:.0f} ms (wanted: under 60)")
loaded = subprocess.run([sys.executable, "-c", "import qanat, sys; print(*sys.modules)"], check=True,
                        capture_output=True, text=True).stdout.split()
heavy = sorted({"pandas", "pyarrow", "pyspark", "duckdb", "numpy"} & set(loaded))
sys.exit(f"import qanat loads {heavy}" if heavy else 0)
PY
env/bin/qanat --version
echo "$(basename "$wheel"): $(du -h "$(basename "$wheel")" | cut -f1)"
