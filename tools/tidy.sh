#!/usr/bin/env bash
# clang-tidy on the C++ sources that changed since the base: the merge base with origin/main, or else the last
# commits. At most TIDY_MAX files (it costs seconds a file), the most changed first; `tidy.sh all` for every file.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/tidy
most=${TIDY_MAX:-24}
cmake -S . -B $build -G Ninja --log-level=WARNING -DCMAKE_CXX_COMPILER=clang++ -DQANAT_TESTS=ON \
  -DQANAT_MODULE=OFF -DPython_EXECUTABLE="$PWD/.venv/bin/python" -DQANAT_SIMDJSON_DIR="${SIMDJSON:-}" >/dev/null

base() {
  local main
  main=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -n "$main" ] && [ "$main" != "$(git rev-parse HEAD)" ]; then
    echo "$main"
  else
    git rev-list --max-count=20 HEAD | tail -n 1
  fi
}
changed() {  # "lines path", uncommitted work included
  git diff --numstat "$(base)" -- 'core/*.cc' | awk '{print $1 + $2, $3}' | sort -rn | cut -d' ' -f2
}
mapfile -t files < <(if [ "${1:-}" = all ]; then find core -name '*.cc'; else changed; fi)
there=()
for file in "${files[@]}"; do
  case $file in core/bind/*) ;; *) [ ! -e "$file" ] || there+=("$file") ;; esac
done
if [ ${#there[@]} -eq 0 ]; then
  echo "No C++ source changed."
  exit 0
fi
if [ "${1:-}" != all ] && [ ${#there[@]} -gt "$most" ]; then
  echo "${#there[@]} sources changed; the $most most changed are read. All of them: make tidy ALL=1"
  there=("${there[@]:0:$most}")
fi
printf '%s\n' "${there[@]}" | xargs -P 2 -n 1 clang-tidy -p $build --quiet --warnings-as-errors='*' 2> >(
  grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -' >&2 || true)
echo "clang-tidy has read ${#there[@]} files."
