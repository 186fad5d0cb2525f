# Five targets, nothing else to learn: demo · test · check · docs · bench. Each does its own set-up.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := check
.PHONY: demo demo-live test check docs bench servers

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

bench: $(READY)  ## The whole line beside a plain script, as ratios
	$(BIN)/python benchmarks/line.py
