# PEMS Actors. `make run` and `make test` set everything up by themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
export OMP_NUM_THREADS ?= 1

.PHONY: help setup run test test-basic test-extraction test-all lint check bench soak demo clean
.DEFAULT_GOAL := help

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## make the virtual environment from the locked dependencies

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with make PYTHON=..."; exit 2; }
	@echo "Setting up $(VENV): some 60 packages, a minute or two the first time ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## start the demo house: broker, twin and appliance, 60 times as fast as life
	@$(VENV)/bin/pems run --house twin --speed 60 --drills

test: $(STAMP) ## all tests but the long ones, under six minutes
	@$(PY) -m pytest -m "not long"

test-basic: $(STAMP) ## the quick tests, under thirty seconds
	@$(PY) -m pytest -m "not slow and not long and not broker" tests/domain tests/config tests/control tests/economics tests/physics

test-extraction: $(STAMP) ## feeds, history and data
	@$(PY) -m pytest tests/gateways tests/forecasting

test-all: $(STAMP) ## everything, the long tests too
	@$(PY) -m pytest

lint: $(STAMP) ## format check, ruff, strict types, import contracts
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

check: lint test-basic ## what to run before a commit

bench: $(STAMP) ## supervision and planner figures
	@$(VENV)/bin/pems bench supervision
	@$(VENV)/bin/pems bench mpc

soak: $(STAMP) ## all pairs of faults, two stories each, judged by invariants; half an hour
	@$(VENV)/bin/pems soak --faults pairs --strict

demo: $(STAMP) ## three simulated winter days, in a minute or two
	@$(VENV)/bin/pems simulate --days 3 --weather-shift-k -10

clean: ## remove the environment and the state
	@rm -rf $(VENV) var
