# Every target creates .venv when it is missing and reuses it when setup.py has not changed.
# The first that runs: a version manager may leave names that do not.
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3.10 python3,$(shell $(name) -c 'print("$(name)")' 2>/dev/null)))
VENV := .venv
RUN := $(VENV)/bin/python -u
PORT ?= 8765

.PHONY: demo sync sandbox manifest test soak docs matrix bench lint clean

demo: $(VENV)/installed ## Sync the embedded Twilio into DuckDB, twice
	@$(RUN) -m tools.demo

sync: $(VENV)/installed ## Sync a real account: make sync CONFIG=secrets/config.json
	@$(RUN) -m tools.sync $(CONFIG)

sandbox: $(VENV)/installed ## Serve the embedded Twilio on PORT
	@$(RUN) -m sandbox --port $(PORT)

manifest: $(VENV)/installed ## Write the self-contained build/manifest.yaml and build/components.py
	@$(RUN) -m tools.build_manifest build

test: $(VENV)/installed lint ## Run the whole suite
	@$(RUN) -m pytest

soak: $(VENV)/installed ## The completeness test; ARGS="--seed 7 --syncs 200", ARGS=--bugs
	@$(RUN) -m soak $(ARGS)

bench: $(VENV)/installed ## Measure it beside others; ARGS="cpu latency --runs 1"
	@$(RUN) -m bench $(ARGS)

docs: $(VENV)/installed ## Write the pages of docs/ that follow from manifest, schemas and docs/notes.yaml
	@$(RUN) -m tools.docs

matrix: $(VENV)/installed ## Write into docs/twilio.md which credentials read which streams
	@$(RUN) -m tools.credential_matrix

lint: $(VENV)/installed ## Check style and types
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/installed: setup.py
	@test -n "$(PYTHON)" || { echo "No Python found: install Python 3.10, 3.11 or 3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V): PyAirbyte, which the demo uses, needs Python 3.10, 3.11 or 3.12. Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot create virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) -V); the first time takes a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev,demo]'
	@touch $@
