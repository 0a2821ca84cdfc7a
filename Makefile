# Data & Quartiers. `make run` and `make test` work alone on a machine that has Python 3.12, make and a package index.
PYTHON ?= python3.12
VENV := .venv
BIN := $(VENV)/bin

export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
# Without bytecode kept, every process that tests start would compile the project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-fast test-all ui docs lint format lock bench generate clean

help:                       ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run           ## the demonstration territory, from fictitious files to a published release
	$(BIN)/dq run

test: $(VENV)/.dev          ## every test; those on real files or in a browser skip where these are absent
	$(BIN)/python -m pytest -n 2

test-fast: $(VENV)/.dev     ## tests of single parts, without a run of the graph
	$(BIN)/python -m pytest -n 2 tests/unit

test-all: $(VENV)/.dev      ## every test with full draws, in parts: run it again after a stop, it goes on
	$(BIN)/python -m tests.parts

ui: $(VENV)/.run            ## the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dq ui

lint: $(VENV)/.dev          ## formats, lint, types, layers, SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DQ_DBT_WAREHOUSE=:memory: $(BIN)/sqlfluff lint dbt_models/models

format: $(VENV)/.dev        ## what the linters can mend by themselves
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	DQ_DBT_WAREHOUSE=:memory: $(BIN)/sqlfluff fix dbt_models/models

docs: $(VENV)/.dev          ## dbt's documentation, in dbt_models/target
	cd dbt_models && ../$(BIN)/dbt docs generate --static --profiles-dir .

bench: $(VENV)/.dev         ## the benchmarks; their tables go to docs/benchmarks.md
	$(BIN)/python -m benchmarks.spine
	$(BIN)/python -m benchmarks.crosswalk
	$(BIN)/python -m benchmarks.transit
	$(BIN)/python -m benchmarks.roads
	$(BIN)/python -m benchmarks.access
	$(BIN)/python -m benchmarks.nonrecours

generate: $(VENV)/.dev      ## what follows from the seeds and the catalogue: lists, contracts and one-line models of dbt
	$(BIN)/python -m scripts.generate

lock: $(VENV)/.dev          ## new lock files (hashes, no addresses); needs uv
	uv pip compile pyproject.toml --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --python-version 3.12 -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.12 -o requirements-dev.lock

# The lock lists every package: nothing is resolved here, and every file must have its hash.
$(VENV)/.run: requirements.lock
	$(if $(wildcard $(BIN)/python),,$(PYTHON) -m venv $(VENV))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python scripts/install_project.py
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	touch $@

clean:                      ## remove the environment and what dbt compiled
	rm -rf $(VENV) dbt_models/target dbt_models/logs
