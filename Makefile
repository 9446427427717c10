# Everything replayhouse needs is built here: `make demo` is enough on a fresh clone.
# Given are Python 3.11 or newer and make; where packages come from is pip's own configuration.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL_LOCKED := $(PIP) install --no-compile --no-deps --only-binary :all: --require-hashes -r
# Written here once: where Python may write none later, each start of the program would compile all that it imports.
BYTECODE := $(BIN)/python -m compileall -q -j 0
COMPILE_ALONE := $(BIN)/uv pip compile --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet $(LOCK_FLAGS)
COMPILE := $(COMPILE_ALONE) pyproject.toml

# What stands in the environment: the program, or the program with the tools of its developers.
PROGRAM := $(VENV)/program.stamp
TOOLS := $(VENV)/tools.stamp

# Engines that fold and read elsewhere, and their tests: large, so that they stand in an environment of their own.
ENGINES_VENV ?= .venv-engines
ENGINES := $(ENGINES_VENV)/engines.stamp
ENGINES_PIP := $(ENGINES_VENV)/bin/python -m pip --disable-pip-version-check --quiet

# Dagster, and the adapter for it, which runs the program as anybody does: from another environment.
DAGSTER_VENV ?= .venv-dagster
DAGSTER := $(DAGSTER_VENV)/dagster.stamp
DAGSTER_PIP := $(DAGSTER_VENV)/bin/python -m pip --disable-pip-version-check --quiet
IN_DAGSTER := cd dagster && $(abspath $(DAGSTER_VENV))/bin/python -m

PYTHON_IS_NEW := $(PYTHON) -c 'import sys; \
	sys.exit(sys.version_info < (3, 11) and "replayhouse needs Python 3.11 or newer: make PYTHON=/path/to/python")'
JAVA_IS_THERE := java_version=$$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1); \
	[ "$${java_version:-0}" -ge 17 ] || { echo "The tests of the engines need Java 17 or newer on the path, \
	such as Debian's package openjdk-17-jre-headless; there is $${java_version:-none}." >&2; exit 2; }

# What looks at workflows and says what a release is made of.
RELEASE_VENV ?= .venv-release
RELEASE := $(RELEASE_VENV)/release.stamp

.PHONY: help demo test test-quick test-engines test-dagster test-server check workflows audit contracts dashboard pictures pictures-dagster format bench soak mutants lock dist release clean

help: ## lists these targets
	@sed -n 's/^\([a-z-]*\):.* ## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 26

demo: $(PROGRAM) ## the whole program on generated extracts
	$(BIN)/replayhouse demo

test: $(TOOLS) ## all tests, in parallel and in random order
	$(BIN)/python -m pytest

# Rules, ports with every adapter, and one way through the program: what to run while something changes.
QUICK := tests/unit tests/contracts tests/acceptance/test_one_path.py

test-quick: $(TOOLS) ## the quick tests: unit, contracts, one way through the program
	$(BIN)/python -m pytest $(QUICK)

# Two processes at most, for each has engines of its own; a file is run by one of them. ENGINE_TESTS="-n 0 -k spark".
test-engines: $(ENGINES) $(DAGSTER) ## the tests of Spark, Dask and ClickHouse's engine, then Dagster's; needs Java 17 or newer
	@$(JAVA_IS_THERE)
	$(ENGINES_VENV)/bin/python -m pytest -n 2 --dist loadfile tests/engines $(ENGINE_TESTS)
	$(IN_DAGSTER) mypy
	$(IN_DAGSTER) pytest --config-file pyproject.toml --program=$(abspath $(ENGINES_VENV))/bin/replayhouse $(DAGSTER_TESTS)

test-dagster: $(PROGRAM) $(DAGSTER) ## types and tests of the adapter for Dagster alone: DAGSTER_TESTS="-k sensor"
	$(IN_DAGSTER) mypy
	$(IN_DAGSTER) pytest --config-file pyproject.toml --program=$(abspath $(BIN))/replayhouse $(DAGSTER_TESTS)

# The tests of rooms that work with whatever server there is: not those of the embedded one, of brokers, or of the program.
SERVER_TESTS := $(filter-out tests/integration/test_event_store_server.py tests/integration/test_reader_only_reads.py \
	$(wildcard tests/integration/test_kafka_*.py tests/integration/test_relay*.py tests/integration/test_consumer_*.py), \
	$(wildcard tests/integration/test_*.py)) \
	tests/contracts/test_load_log_contract.py tests/contracts/test_retraction_log_contract.py

# One process: roles are those of the whole server.
test-server: $(TOOLS) ## tests on a PostgreSQL of your own: REPLAYHOUSE_TEST_SERVER is its URL, of a superuser
	@[ -n "$$REPLAYHOUSE_TEST_SERVER" ] || { echo "REPLAYHOUSE_TEST_SERVER names no server: set it to the URL of one \
	that has no database replayhouse, such as postgresql://postgres@127.0.0.1/postgres." >&2; exit 2; }
	$(BIN)/python -m pytest -n 0 $(SERVER_TESTS)

check: $(TOOLS) ## lint, format, types, the arrows of the architecture, security, and the contracts with consumers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	cd dagster && $(abspath $(BIN))/lint-imports --config pyproject.toml
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml domain ingest projections infra
	$(BIN)/python -m replayhouse.infra.contracts --check

workflows: $(RELEASE) ## looks for what is unsafe in the workflows of GitHub
	$(RELEASE_VENV)/bin/zizmor --offline .github

# Asks the service of the Python packages for known vulnerabilities: in CI where that is reached, never offline.
audit: $(TOOLS) ## asks whether anything that is installed has a known vulnerability; needs the network
	$(PIP) install pip-audit
	$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip --strict

contracts: $(TOOLS) ## writes the contracts with consumers anew, and what is made from them
	$(BIN)/python -m replayhouse.infra.contracts

dashboard: $(TOOLS) ## writes the dashboard of Grafana anew, from the list in ops/grafana/make.py
	$(BIN)/python ops/grafana/make.py

pictures: $(TOOLS) ## draws the pictures of README anew, with chromium
	REPLAYHOUSE_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -n 0 tests/acceptance/web/test_in_the_browser.py -k readme

pictures-dagster: $(PROGRAM) $(DAGSTER) ## draws the picture of the page on Dagster anew, with chromium
	export REPLAYHOUSE_SCREENSHOTS=$(abspath docs/pictures); \
	$(IN_DAGSTER) pytest --config-file pyproject.toml --program=$(abspath $(BIN))/replayhouse tests/test_page.py

format: $(TOOLS) ## rewrites the code in the agreed format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(TOOLS) ## every benchmark against its baseline, at full size: minutes
	$(BIN)/python -m bench; main=$$?; $(BIN)/python -m bench --kafka && exit $$main

soak: $(TOOLS) ## all commands, relays and killed processes for a long time
	$(BIN)/python -m tests.soak
	$(BIN)/python -m tests.soak_chaos
	$(BIN)/python -m tests.soak_relay

# MUTANTS="--seed 7 --count 500" makes the same changes again, or more of them.
mutants: $(TOOLS) ## puts small changes into the program by chance; the unit tests must notice 98 of 100
	$(BIN)/python -m tests.mutants $(MUTANTS)

lock: $(TOOLS) ## writes the lock files anew; LOCK_FLAGS=--upgrade takes newer versions
	$(PIP) install uv
	$(COMPILE) --group dev -o requirements-dev.lock
	$(COMPILE) --group build -c requirements-dev.lock -o requirements.lock
	$(COMPILE) --group engines -c requirements-dev.lock -o requirements-engines.lock
	$(COMPILE_ALONE) dagster/pyproject.toml --group dagster/pyproject.toml:dev -o requirements-dagster.lock
	$(COMPILE_ALONE) --group release -o requirements-release.lock

# Into build/ goes what tells of them, into dist/ what is published.
dist: $(TOOLS) $(RELEASE) ## builds all distributions into dist/, and the bill of materials of the program
	rm -rf dist build
	mkdir build
	cp contracts/dbt/replayhouse.yml build/dbt-sources.yml
	$(BIN)/python -m hatchling build --directory dist
	cd consumer && $(abspath $(BIN))/python -m hatchling build --directory ../dist
	cd dagster && $(abspath $(BIN))/python -m hatchling build --directory ../dist
	$(RELEASE_VENV)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --validate --of JSON -o build/sbom.cdx.json

release: ## commits and tags the release of VERSION, as CONTRIBUTING.md tells
	@$(PYTHON) .ci/release.py "$(VERSION)"

clean: ## removes the environment and what the tools left behind
	rm -rf $(VENV) $(ENGINES_VENV) $(DAGSTER_VENV) $(RELEASE_VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamp is written last, so that an interrupted build starts over.
$(PROGRAM): requirements.lock pyproject.toml
	@$(PYTHON_IS_NEW)
	@echo "Building $(VENV) from requirements.lock"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL_LOCKED) requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BYTECODE) $(VENV)/lib domain ingest projections infra
	@touch $@

$(TOOLS): $(PROGRAM) requirements-dev.lock consumer/pyproject.toml
	@echo "Adding the developers' tools from requirements-dev.lock"
	@$(INSTALL_LOCKED) requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable consumer
	@$(BYTECODE) $(VENV)/lib
	@touch $@

# Of one package there is no wheel: what builds it is installed, from the same lock, before.
$(ENGINES): requirements-engines.lock pyproject.toml consumer/pyproject.toml
	@$(PYTHON_IS_NEW)
	@$(JAVA_IS_THERE)
	@echo "Building $(ENGINES_VENV) from requirements-engines.lock"
	@$(PYTHON) -m venv --clear $(ENGINES_VENV)
	@awk '/^[^ ]/ { apart = /^pyspark==/ } !apart' requirements-engines.lock > $(ENGINES_VENV)/wheels.lock
	@awk '/^[^ ]/ { apart = /^pyspark==/ } apart' requirements-engines.lock > $(ENGINES_VENV)/sources.lock
	@$(ENGINES_PIP) install --no-compile --no-deps --only-binary :all: --require-hashes -r $(ENGINES_VENV)/wheels.lock
	@$(ENGINES_PIP) install --no-compile --no-deps --no-build-isolation --require-hashes -r $(ENGINES_VENV)/sources.lock
	@$(ENGINES_PIP) install --no-deps --no-build-isolation --editable . --editable consumer
	@$(ENGINES_VENV)/bin/python -m compileall -q -j 0 $(ENGINES_VENV)/lib
	@touch $@

$(DAGSTER): requirements-dagster.lock dagster/pyproject.toml
	@$(PYTHON_IS_NEW)
	@echo "Building $(DAGSTER_VENV) from requirements-dagster.lock"
	@$(PYTHON) -m venv --clear $(DAGSTER_VENV)
	@$(DAGSTER_PIP) install --no-compile --no-deps --only-binary :all: --require-hashes -r requirements-dagster.lock
	@$(DAGSTER_PIP) install --no-deps --no-build-isolation --editable dagster
	@$(DAGSTER_VENV)/bin/python -m compileall -q -j 0 $(DAGSTER_VENV)/lib
	@touch $@

$(RELEASE): requirements-release.lock
	@$(PYTHON_IS_NEW)
	@echo "Building $(RELEASE_VENV) from requirements-release.lock"
	@$(PYTHON) -m venv --clear $(RELEASE_VENV)
	@$(RELEASE_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: \
		--require-hashes -r requirements-release.lock
	@touch $@
