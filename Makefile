PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help install demo test test-postgresql test-slow check lint types imports migrations pictures crash-test bench-scale wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Paperpost into $(VENV)/ (once; a minute or two)"
	$(PIP) install --constraint constraints.txt --editable '.[dkim,postgres]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV)/ (once)"
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed ## Paperpost in .venv/, dependencies pinned

demo: $(VENV)/.installed ## the whole main job on bundled papers, in ./paperpost-demo
	$(BIN)/paperpost demo

# Two workers have two cores: threads of BLAS would only wait for each other.
test test-postgresql test-slow: export OMP_NUM_THREADS = 1

test: $(VENV)/.installed-dev ## the tests, some minutes; real browsers among them
	$(BIN)/python -m pytest -n 2

test-postgresql: $(VENV)/.installed-dev ## the tests on PostgreSQL that run on SQLite otherwise
	$(BIN)/python -m pytest -n 2 --store postgresql $(ARGS)

test-slow: $(VENV)/.installed-dev ## the slow tests as well
	$(BIN)/python -m pytest -n 2 -m "slow or not slow"

check: lint types imports migrations test wheel ## everything CI runs

lint: $(VENV)/.installed-dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.installed-dev ## the direction of imports
	$(BIN)/lint-imports

crash-test: $(VENV)/.installed-dev ## workers killed a hundred times while they send (some minutes)
	$(BIN)/python tests/crash/run.py

bench-scale: $(VENV)/.installed-dev ## a day with a million subscribers, measured (an hour and a half, 15 GB)
	$(BIN)/paperpost bench scale --picture docs/scale.svg --markdown docs/scale.md

pictures: $(VENV)/.installed-dev ## the pictures of the mail and of every page, in docs/ (needs Chromium)
	$(BIN)/python tests/pictures.py
	PYTHONPATH=tests $(BIN)/python tests/web/page_pictures.py

migrations: $(VENV)/.installed-dev ## do models and migrations agree?
	$(BIN)/python -m pytest -q tests/store/test_migrations.py

wheel: $(VENV)/.installed-dev ## build the wheel, install it elsewhere, run its demo
	BIN=$(BIN) ./.ci/wheel

clean: ## remove what make made
	rm -rf $(VENV) dist paperpost-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
