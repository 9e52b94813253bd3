# Lombard. `make` alone lists what can be made.
#
# Everything is installed into .venv from requirements-dev.lock; nothing outside this directory is
# touched. A C compiler is used when there is one, to compile the core, and not missed otherwise.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
UV := build/uv/bin/uv
UV_VERSION := 0.13.9

# Its tests bear one name, by which processes that share the work would take them for one.
ONE_NAME := tests/api/test_schemathesis.py

.DEFAULT_GOAL := help
.PHONY: help setup clients web browser run test test-slow lint format docs compile lock bench clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.package compile ## make .venv, install what is locked, compile the core

clients: tests/clients/js/node_modules/.package-lock.json ## install the JavaScript clients that tests use

web: web/dist/index.html ## build the web terminal, if its sources have changed

run: setup web ## start the sandbox: make run ARGS="--port 8080"
	@exec $(BIN)/lombard sandbox $(ARGS)

test: setup clients web browser lint ## check the form, then run every test; those of the core on both its builds
	LOMBARD_CORE=auto $(BIN)/pytest -n auto --dist loadfile --ignore $(ONE_NAME)
	LOMBARD_CORE=auto $(BIN)/pytest $(ONE_NAME)
	@if [ -d tests/core ] && [ -d build/compiled ]; then \
	  echo "LOMBARD_CORE=interpreted $(BIN)/pytest tests/core"; \
	  LOMBARD_CORE=interpreted $(BIN)/pytest -n auto --dist loadfile tests/core; \
	fi

test-slow: setup clients web browser ## run the long forms of the tests, with randomised hypothesis
	LOMBARD_CORE=auto HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -m slow

lint: .venv/.package ## check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests tools examples
	$(BIN)/lint-imports
	@if [ -d web/node_modules ]; then echo "npm run check"; cd web && npm run --silent check; \
	else echo "web/node_modules is not there: the terminal's types are not checked" >&2; fi

format: .venv/.package ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/.package ## write the tables of docs/reference anew, from the code
	$(BIN)/python tools/reference.py

compile: .venv/.package ## compile the core, if its sources have changed
	@$(BIN)/python tools/compile_core.py

lock: $(UV) ## choose versions anew where pyproject.toml asks for it (ARGS=--upgrade: everywhere)
	$(UV) pip compile $(LOCK_OPTIONS) --extra dev -o requirements-dev.lock pyproject.toml $(ARGS)
	$(UV) pip compile $(LOCK_OPTIONS) --extra build -o requirements.lock \
	  --constraints requirements-dev.lock pyproject.toml $(ARGS)

bench: setup web browser ## measure: the core, prices and storms, recovery, history and whether it keeps up, the server, the WebSocket, the terminal
	@for bench in core ticks recovery history keeping_up http socket page; do \
	  if [ -e bench/$$bench.py ]; then $(BIN)/python bench/$$bench.py $(ARGS) || exit 1; fi; \
	done

clean: ## remove what was made
	rm -rf .venv build dist src/lombard.egg-info web/dist web/node_modules
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# --- how ---------------------------------------------------------------------------------------

# One lock for every Python and platform, with hashes; no address of a registry is written into it.
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url

.venv/.dependencies: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Lombard needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	@echo "Installing into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/.package: .venv/.dependencies pyproject.toml src/lombard/__init__.py
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Without npm nothing is installed, and the tests that need it fail and say so.
tests/clients/js/node_modules/.package-lock.json: tests/clients/js/package-lock.json
	@if command -v npm > /dev/null; then \
	  echo "Installing into tests/clients/js/node_modules ..."; \
	  cd tests/clients/js && npm ci --silent && touch node_modules/.package-lock.json; \
	else \
	  echo "npm is not there: tests with JavaScript clients will fail" >&2; \
	fi

web/node_modules/.package-lock.json: web/package-lock.json
	@if command -v npm > /dev/null; then \
	  echo "Installing into web/node_modules ..."; \
	  cd web && npm ci --silent && touch node_modules/.package-lock.json; \
	fi

# Without npm a node runs all the same, and says that there is no terminal.
web/dist/index.html: web/node_modules/.package-lock.json web/index.html web/console.html web/vite.config.ts \
  web/tsconfig.json web/package.json $(wildcard web/public/*) \
  $(wildcard web/src/*) $(wildcard web/src/*/*)
	@if command -v npm > /dev/null; then \
	  echo "Building the web terminal ..."; \
	  cd web && npm run --silent build -- --logLevel warn && touch dist/index.html; \
	else \
	  echo "npm is not there: the web terminal is not built" >&2; \
	fi

browser:
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "Installing chromium, for the tests of the terminal ..."; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	else \
	  echo "There is no Chromium for the tests: sudo apt-get install chromium" >&2; exit 1; \
	fi

$(UV):
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
