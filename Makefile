# Two commands: `make run` and `make test`. `make help` lists the rest.
# Each slow step leaves a stamp file, so that a second call starts at once.

SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Rollcall, the pretend Atlassian and the tests call one another on this machine, whatever proxy leads out of it.
export no_proxy := $(or $(no_proxy),$(NO_PROXY)),127.0.0.1,localhost

.DEFAULT_GOAL := help
.PHONY: help run test check lint types fast browser lock reset bench clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

run: .venv/.run static/build/.stamp ## Start Rollcall with a pretend Atlassian, and print its address
	@exec $(PY) scripts/run.py

# More examples for the property tests than before every commit.
test: export HYPOTHESIS_PROFILE ?= thorough
test: lint types fast browser ## Lint, types and all tests, browser tests included

check: lint types fast ## Lint, types and the fast tests

lint: .venv/.test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.test
	$(PY) -m mypy

# What is compiled is kept; a worker that is done first takes over what the other has left.
fast browser: export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/pycache
fast browser: export PYTHONDONTWRITEBYTECODE :=

fast: .venv/.test static/build/.stamp ## Only the fast tests
	$(PYTEST) -m "not browser and not slow" -n 2 --dist worksteal

# These mostly wait for one another's programs: one more than there are cores.
browser: .venv/.test static/build/.stamp ## Only the slow tests and those in a real browser
	CHROMIUM_PATH="$$($(PY) scripts/chromium.py)" $(PYTEST) -m "browser or slow" -n 3 --dist worksteal

lock: .venv/.test ## Pin the newest allowed versions again, with hashes (UPGRADE=--upgrade)
	$(PY) scripts/lock.py $(UPGRADE)

reset: ## Forget all data and secrets of `make run`
	rm -rf instance

bench: .venv/.test static/build/.stamp ## Measure speed on this machine, as ratios
	$(PY) -m bench

clean: reset ## Remove everything that was built or installed
	rm -rf .venv node_modules static/build sandbox/static/build .cache screenshots test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run: requirements.txt scripts/environment.py
	@$(PYTHON) scripts/environment.py run
	@touch $@

.venv/.test: requirements-dev.txt scripts/environment.py
	@$(PYTHON) scripts/environment.py test
	@touch $@ .venv/.run

static/build/.stamp: package-lock.json scripts/build-assets.mjs scripts/assets.py | .venv/.run
	@$(PY) scripts/assets.py
	@touch $@
