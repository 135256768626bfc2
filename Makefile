# Two commands on a fresh machine: make demo, make test. Everything goes into .venv; nothing else is touched.

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-slow lint bench wheel clean

demo: $(VENV)/.runs
	$(BIN)/metta render metta-classic --minutes 10

test: $(VENV)/.tests
	$(BIN)/pytest -n auto

test-slow: $(VENV)/.tests
	$(BIN)/pytest -n auto -m slow

lint: $(VENV)/.checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.tests
	$(BIN)/python benchmarks/bench.py

wheel: $(VENV)/.checks
	$(BIN)/python -m build --wheel

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "metta_audio needs Python 3.11 or newer: set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.runs: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet -e ".[plot]" --group test
	@touch $@

$(VENV)/.checks: $(VENV)/.tests
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist
