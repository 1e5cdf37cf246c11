# make demo   a whole prognosis, offline, on a generated cohort; opens nothing, writes runs/demo
# make test   every test        make lint   what a reviewer would be told first        make bench   the leaderboard
#
# Each of them makes .venv first. Choose another Python with `make PYTHON=python3.12 ...`. A build of torch that
# is already in .venv is kept.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
EXTRAS ?= text,bench,test
OUT    ?= runs/demo
BIN    := .venv/bin
STAMP  := .venv/installed

.PHONY: install demo test lint bench coverage clean
.DELETE_ON_ERROR:

install: $(STAMP)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No python3 found: install Python 3.11 or later." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: run make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "\
	Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# An existing torch is kept by leaving its pin out: a hospital's build for its own GPU is not ours to replace.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@if $(BIN)/python -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; \
	  then grep -v '^torch==' constraints.txt; else cat constraints.txt; fi > .venv/constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint .venv/constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(STAMP)
	$(BIN)/prognosis demo --out $(OUT)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check prognosis connectors tests benchmarks
	$(BIN)/ruff check prognosis connectors tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/project/test_licences.py

bench: $(STAMP)
	$(BIN)/prognosis benchmark configs/benchmarks/survival-quick.yaml

coverage: $(STAMP)
	$(BIN)/python -m pytest -q --cov --cov-report=term-missing

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
