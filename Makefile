# Every target creates .venv when it is missing and reuses it when setup.py has not changed.
# The first that runs, looked for once: a version manager may leave names that do not.
ifndef PYTHON
PYTHON = $(eval PYTHON := $(shell for name in python3.12 python3.11 python3.13 python3.10 python3; \
  do $$name -c "print('$$name')" 2>/dev/null && break; done))$(PYTHON)
endif
VENV := .venv
RUN := $(VENV)/bin/python -u
PORT ?= 8765
# The database file that make sync writes, and that query, report and reconcile read.
DATABASE ?= twilio.duckdb
# dlt takes variables of the environment with these names for settings of its own.
unexport DATABASE DESTINATION STREAMS EXCEPT REFRESH
# Without compiled modules each command takes seconds more, and tests run hundreds of them.
unexport PYTHONDONTWRITEBYTECODE

# The installed command twilio-warehouse, and its --to and --from.
WAREHOUSE = $(RUN) -m twilio_warehouse
ADDRESS = '$(if $(filter-out duckdb,$(DESTINATION)),$(DESTINATION),duckdb:///$(DATABASE))'

.DEFAULT_GOAL := help
.PHONY: help build image lock audit
.PHONY: demo sync query report verify-api probe reconcile sandbox manifest test soak docs bench lint clean

demo: $(VENV)/warehouse ## Sync a Twilio simulator into DuckDB, twice, and run sample queries
	@$(WAREHOUSE) demo

# DESTINATION=postgres, ...: any that dlt knows; DATABASE=file.duckdb; STREAMS=a,b; EXCEPT=a,b;
# REFRESH=a,b or all: read again from the start
sync: $(VENV)/warehouse ## Sync a real account: make sync CONFIG=secrets/config.json
	@$(WAREHOUSE) sync $(if $(CONFIG),'$(CONFIG)') --to $(ADDRESS) \
	  --streams '$(STREAMS)' --except '$(EXCEPT)' --refresh '$(REFRESH)'

query: export SQL := $(value SQL)
query: $(VENV)/warehouse ## Query the database: make query SQL="select * from messages limit 5"
	@$(WAREHOUSE) query --from $(ADDRESS) -- "$$SQL"

report: $(VENV)/warehouse ## Write build/report.html: one page about the tables, with charts
	@$(WAREHOUSE) report --from $(ADDRESS) --output build/report.html

verify-api: $(VENV)/warehouse ## Test on a real account what the docs leave open: make verify-api CONFIG=...
	@$(WAREHOUSE) verify-api $(if $(CONFIG),'$(CONFIG)')

probe: verify-api ## The former name of make verify-api

reconcile: $(VENV)/warehouse ## Compare what Twilio billed with the rows that arrived, day by day
	@$(WAREHOUSE) reconcile --from $(ADDRESS)

sandbox: $(VENV)/installed ## Serve the Twilio simulator on PORT
	@$(RUN) -m sandbox --port $(PORT)

manifest: $(VENV)/installed ## Write the self-contained build/manifest.yaml and build/components.py
	@$(RUN) -m dev.release.manifest build

build: $(VENV)/installed ## Write all that is released into build/: wheel, sdist, the two files, checksums
	@$(RUN) -m dev.release.release build

image: build ## Build the image for the Airbyte platform; needs Docker
	@version=$$($(RUN) -m dev.release.release version) && \
	  docker build --build-arg VERSION=$$version --tag source-twilio/source-twilio:$$version .

lock: $(VENV)/audit ## Write requirements.lock anew, with the newest releases that setup.py allows
	@$(VENV)/bin/uv pip compile setup.py --universal --python-version 3.10 --generate-hashes \
	  --upgrade --quiet --custom-compile-command 'make lock' --output-file requirements.lock

audit: build $(VENV)/audit ## Check requirements.lock: licences, SBOM (build/sbom.json), vulnerabilities
	@$(RUN) -m dev.release.audit

test: $(VENV)/installed $(VENV)/dbt/bin/dbt lint ## Run the whole suite
	@$(RUN) -m pytest

soak: $(VENV)/installed ## The completeness test; ARGS="--seed 7 --syncs 200", ARGS=--bugs
	@$(RUN) -m dev.soak $(ARGS)

bench: $(VENV)/installed ## Compare it with others; ARGS="cpu latency --runs 1"
	@$(RUN) -m dev.bench $(ARGS)

# The second, once make matrix, reads all streams with each kind of credentials in the sandbox.
docs: $(VENV)/installed $(VENV)/dbt/bin/dbt ## Generate the pages of docs/ and the models of the report
	@$(RUN) -m dev.docs.generate
	@$(RUN) -m dev.docs.dbt_models
	@$(RUN) -m dev.docs.credential_matrix

lint: $(VENV)/installed ## Check style and types
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

clean: ## Remove .venv and all that was built
	rm -rf $(VENV) build dist *.egg-info

# Two stamps: what demo and sync need is there in half a minute, the rest takes longer.
$(VENV)/warehouse: EXTRAS = warehouse,sandbox
$(VENV)/warehouse: setup.py | $(VENV)/bin/python
	@echo "Installing dlt, DuckDB and the Airbyte CDK into $(VENV), the first time only ..."
	$(install)
	@touch $@

$(VENV)/installed: EXTRAS = dev,warehouse,sandbox
$(VENV)/installed: setup.py | $(VENV)/bin/python
	@echo "Installing everything that development needs into $(VENV), which takes minutes ..."
	$(install)
	@touch $(VENV)/warehouse $@

$(VENV)/audit: EXTRAS = dev,warehouse,sandbox,audit
$(VENV)/audit: $(VENV)/installed
	@echo "Installing the tools of the audit into $(VENV) ..."
	$(install)
	@touch $@

# Beside what mypy needs, dbt does not install.
$(VENV)/dbt/bin/dbt: unit_tests/support/dbt-requirements.txt | $(VENV)/bin/python
	@echo "Installing dbt into $(VENV)/dbt, the first time only ..."
	@$(RUN) -m venv $(VENV)/dbt
	@$(VENV)/dbt/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# A dot every four seconds; modules are compiled when they are first used.
define install
	@(while sleep 4; do printf .; done) & dots=$$!; \
	  PYTHONWARNINGS=ignore $(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[$(EXTRAS)]'; \
	  status=$$?; kill $$dots; echo; exit $$status
endef

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python found: install Python 3.10 to 3.13." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V): Python 3.10 to 3.13 is needed. Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot create virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) -V) ..."
	@$(PYTHON) -m venv $(VENV)
	@# Today's pip takes half the time of the one that Python 3.11 brings.
	@$(RUN) -m pip install --quiet --disable-pip-version-check --upgrade pip
