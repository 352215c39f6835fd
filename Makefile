# The two commands to know: `make run` and `make test`. Everything else is listed by `make help`.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
TESTS ?=
# Many tests wait for real processes, so one process more than there are cores keeps these busy.
TEST_PROCESSES ?= $(shell expr $$(nproc) + 1)

.DEFAULT_GOAL := help
.PHONY: help run setup test lint format bench clean
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

help:  ## List what there is to make.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A hub on trial may be asked by its own example job; every other start allows no local address by itself.
run: export JOBHUB_ALLOWED_TARGETS ?= 127.0.0.1:$(or $(JOBHUB_PORT),8000)
run: $(VENV)/.run  ## Run the hub: install what it needs, make its database and first user, start web and workers.
	@$(BIN)/python manage.py up --setup

setup: $(VENV)/.run  ## Do what `make run` does before it starts the hub.
	@$(BIN)/python manage.py setup

test: lint  ## Check style and types, then run the tests; TESTS="tests/jobs -k name" chooses some, one by one.
	$(BIN)/python -m pytest $(or $(TESTS),-n $(TEST_PROCESSES) --dist loadgroup --no-loadscope-reorder)

lint: $(VENV)/.dev  ## Check style and types.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## Bring the code into its style.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## Measure: prints a table beside the peers of the same run.
	$(BIN)/python -m bench

clean:  ## Remove the virtual environment and the caches; the hub's own data (JOBHUB_VAR) stays.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# What is installed is remembered by a file's time, so that a second start installs nothing.
$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3"; exit 2; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "cannot make $(VENV); on Debian: apt install python3-venv"; rm -rf $(VENV); exit 2; }

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "installing requirements.txt into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "installing requirements-dev.txt into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
