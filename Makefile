# Five targets, nothing else to learn: demo · test · check · docs · bench. Each does its own set-up.
# The compiled build (ADR 0019), for who wants it: compiled · test-compiled · bench-compiled.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := .venv-compiled
unexport HUB_COMPILE # the editable install stays plain, whatever the caller has set
# the tree's own hub stays out of the way
AS_COMPILED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/benchmarks $(COMPILED)/bin/python

.DEFAULT_GOAL := check
.PHONY: demo demo-live test check docs bench servers compiled test-compiled bench-compiled

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

servers:
	.ci/servers

demo: $(READY)  ## The whole job on a simulated district; exits 0 only if every expected light and report came out
	$(BIN)/hub demo --once

demo-live: $(READY)  ## The same, and stays up until Ctrl-C
	$(BIN)/hub demo

test: $(READY) servers  ## Every test, on real SQLite, PostgreSQL, MariaDB, HTTP servers and processes
	$(BIN)/python -m pytest -n 3 --dist worksteal

check: $(READY) servers  ## The one gate: format, lint, types, import contracts, docs, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m pytest -n 3 --dist worksteal

docs: $(READY)  ## Regenerate the pages that are made from code and data
	$(BIN)/python -m docs.generate

bench: $(READY)  ## The whole line beside a plain script, what a process of its own costs, everybody judged beside SQL, from a push to the police
	$(BIN)/python benchmarks/line.py
	$(BIN)/python benchmarks/isolation.py
	$(BIN)/python -m benchmarks.backtest
	$(BIN)/python benchmarks/latency.py --rate 50 --seconds 30 --share 0.2

$(COMPILED)/.ready: $(READY) setup.py .ci/compiled $(shell find hub connectors -name '*.py' -o -name '*.toml')
	.ci/servers compiler
	.ci/compiled $(BIN)/python $(COMPILED)
	touch $@

compiled: $(COMPILED)/.ready  ## A wheel with the hot modules compiled (build/wheel), and an environment that has it

test-compiled: compiled  ## The core's cases against the compiled modules, and the same answers on random cases
	$(AS_COMPILED) -m pytest --override-ini pythonpath= -n 2 tests/core
	$(AS_COMPILED) benchmarks/same.py --form compiled --like "$$(PYTHONPATH=$(CURDIR) $(BIN)/python benchmarks/same.py --form plain)"

bench-compiled: compiled  ## As bench, with the compiled modules
	$(AS_COMPILED) benchmarks/line.py
