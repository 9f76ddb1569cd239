#!/usr/bin/env bash
# Finds what this machine lacks to build (`needs.sh build`), to test (`test`) or to measure beside peers (`bench`)
# and installs it with apt-get where it may (root or password-free sudo). Elsewhere it names what is missing and
# stops.
set -euo pipefail
what=${1:-build}
cxx=${CXX:-g++}
missing=()

need() {  # need "apt package" command…: the package is missing when the command fails
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
has_header() { printf '#include <%s>\n' "$1" | "$cxx" -x c++ -E - ; }
is_at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C; }
cxx_is_new() { is_at_least 12 "$("$cxx" -dumpversion)"; }
cmake_is_new() { is_at_least 3.25 "$(cmake --version | sed -n '1s/[^0-9]*//p')"; }
ninja_is_there() { command -v ninja || command -v ninja-build; }

find_missing() {
  missing=()
  need g++ cxx_is_new
  need cmake cmake_is_new
  need ninja-build ninja_is_there
  need zlib1g-dev has_header zlib.h
  need libzstd-dev has_header zstd.h
  need ccache command -v ccache
  python=$("$(dirname "$0")/python.sh" 2>/dev/null || true)
  need python3 test -n "$python"
  python=${python:-python3}
  need python3-venv "$python" -c 'import ensurepip, venv'
  need python3-dev "$python" -c '
import pathlib, sys, sysconfig
sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").exists())'
  need git command -v git
  if [ "$what" = bench ]; then
    need openjdk-17-jre-headless command -v java
    need gcc command -v cc
  fi
  [ "$what" = test ] || return 0
  need libgtest-dev has_header gtest/gtest.h
  need clang command -v clang++
  need libclang-rt-14-dev clang_has_sanitizers
  need clang-tidy command -v clang-tidy
  need "libpython$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' || echo 3.11)" \
    "$(dirname "$0")/libpython.sh" "$python"
}
clang_has_sanitizers() {
  echo 'int main(){}' | clang++ -x c++ -fsanitize=address,undefined - -o /dev/null
}

find_missing
[ ${#missing[@]} -gt 0 ] || exit 0

say_and_stop() {
  printf '%s\n  %s\n' "$1" "${missing[*]}" >&2
  echo "  Install them (these are Debian's names) and run make again. Nothing was built." >&2
  exit 1
}
command -v apt-get >/dev/null || say_and_stop "This machine lacks, and has no apt-get to bring:"
if [ "$(id -u)" = 0 ]; then
  sudo=()
elif sudo -n true 2>/dev/null; then
  sudo=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
  say_and_stop "Missing, and installing needs root:"
fi
export DEBIAN_FRONTEND=noninteractive
echo "apt-get install ${missing[*]}"
log=$(mktemp)
{ "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Use-Pty=0 "${missing[@]}"; } >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm "$log"
find_missing
[ ${#missing[@]} -eq 0 ] || say_and_stop "Still missing after apt-get install:"
