# Everything runs inside .venv, which the first target that needs it creates.
# ARGS passes flags on: make run ARGS="--market quiet --port 9000".

BIN := .venv/bin
READY := .venv/.ready
# A person sees pip's progress; a log does not need it.
PIP_QUIET := $(shell test -t 2 || echo --quiet)

.DEFAULT_GOAL := help
.PHONY: help install run test check bench compare docs compatibility fmt clean

help:  ## Show what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

install: $(READY)  ## Make the environment in .venv, and nothing else

run: $(READY)  ## Start the venue with its demo market on port 8686
	@exec $(BIN)/openperp run $(ARGS)

test: check  ## Check everything and run the tests
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(READY)  ## Lint, format, types and import directions, without the tests
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(READY)  ## Measure the venue beside its floors
	@$(BIN)/python -m benchmarks $(ARGS)

compare: $(READY)  ## Compare the engine with the slow one on a million random commands
	@$(BIN)/openperp lab compare --seeds 100 --commands 10000 --accounts 50 $(ARGS)

docs: $(READY)  ## Write the generated pages of docs/reference
	@$(BIN)/python -m tests.house.reference

compatibility: $(READY)  ## Run every client and write docs/reference/clients.md
	@$(BIN)/python -m tests.clients.compatibility

fmt: $(READY)  ## Rewrite the sources in the house format
	@$(BIN)/ruff check --fix && $(BIN)/ruff format

clean:  ## Remove the environment and every cache
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find src -name '*.so' -exec rm {} +

# PYTHON=... names an interpreter; otherwise the first that is new enough is taken. The
# engine's sources are here because what was compiled from them must not be older.
$(READY): pyproject.toml setup.py $(wildcard src/openperp/engine/*.py)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 none; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  done; \
	  test "$$python" != none || { echo "openperp needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python" >&2; exit 2; }; \
	  "$$python" -m venv .venv; \
	}
	@echo "Installing openperp and its tools into .venv; this takes about a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install $(PIP_QUIET) --disable-pip-version-check --editable . --group dev
	@touch $@
