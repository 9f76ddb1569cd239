#!/usr/bin/env bash
# Runs the parts of `make test` one after another, each a make target with a log of its own, and says what ran,
# how long it took and how each test runner closed. Goes on after a failure; fails if any part failed.
set -uo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(build test-needs check-layers check-codes check-format check-python check-docs
                                 test-cpp test-python test-asan tidy check-wheel)
mkdir -p build/log
rows=()
closing=()
failed=()
began=$SECONDS

closing_lines() {  # how test runners end: pytest, ctest
  grep -hE '^=* ?[0-9]+ (passed|failed|error).* in [0-9.]+s|[0-9]+% tests passed' "$1" | sed 's/^=* *//; s/ *=*$//'
}

tell_failure() {  # the end of a log, without the tests that passed
  echo "---- $1: the last lines of $2"
  grep -vE '^\[( RUN  |       OK |-{4,})|^\.+ *\[ *[0-9]+%\]$' "$2" | tail -n 120
  echo "----"
}

for part in "${parts[@]}"; do
  log=build/log/$part.log
  start=$SECONDS
  if [ -n "${V:-}" ]; then
    make "$part" 2>&1 | tee "$log"
  else
    make "$part" >"$log" 2>&1
  fi
  status=$?
  took=$((SECONDS - start))
  said=$(closing_lines "$log" | paste -sd ' ')
  if [ $status -eq 0 ]; then
    row=$(printf 'ok    %-13s %4d s  %s' "$part" "$took" "$said")
  else
    row=$(printf 'FAIL  %-13s %4d s  %s' "$part" "$took" "$said")
    failed+=("$part")
    [ -n "${V:-}" ] || tell_failure "$part" "$log"
  fi
  echo "$row"
  rows+=("$row")
  [ -z "$said" ] || closing+=("$part:" "$(closing_lines "$log")")
  if [ $status -ne 0 ] && { [ "$part" = build ] || [ "$part" = test-needs ]; }; then
    echo "Without it nothing else can run."
    break
  fi
done

echo
echo "What ran:"
printf '  %s\n' "${rows[@]}" "      all           $(printf '%4d' $((SECONDS - began))) s"
command -v ccache >/dev/null && ccache --show-stats 2>/dev/null | grep -E '^ *Hits' | head -1 | sed 's/^ */  ccache: /'
echo
for lines in "${closing[@]:-}"; do
  [ -z "$lines" ] || echo "$lines"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed: ${failed[*]}. One alone: make ${failed[0]}"
  exit 1
fi
