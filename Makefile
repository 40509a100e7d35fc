# The verbs of the house. Each one sets up what it needs; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The machine's own certificate authorities are trusted, as pip does, so that a company's proxy works.
UV := UV_PROJECT_ENVIRONMENT=$(VENV) UV_NO_PROGRESS=1 UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true $(BIN)/uv
STAMP := $(VENV)/.momokit-set-up

.PHONY: help setup run demo test check bench format lock clean
.DEFAULT_GOAL := help

help:  ## list the verbs
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## create .venv with everything, from the lock file

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momokit needs Python 3.11 or later; set PYTHON=python3.12, say")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(UV) sync --quiet --locked --all-extras --python $(BIN)/python
	@touch $@

run: setup  ## start emulator and gateway wired together and walk a first payment through both
	@$(BIN)/momo gateway rehearse

demo: setup  ## settle payments end to end, with the client and through the gateway; print, stop
	@$(BIN)/momo demo
	@$(BIN)/momo gateway rehearse --once --port 0 --emulator-port 0

test: setup  ## run the tests
	@$(BIN)/python -m pytest -n 4 --dist loadfile

check: setup  ## ruff, mypy strict, basedpyright, import contracts, house tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python tools/unasync.py --check
	$(BIN)/python -m pytest -q tests/house

bench: setup  ## measure client, emulator, gateway and reconciliation beside what you might use instead
	$(UV) sync --quiet --locked --all-extras --group bench --python $(BIN)/python
	$(BIN)/python -m benchmarks

format: setup  ## let ruff format and fix what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## write uv.lock again from pyproject.toml
	$(UV) lock

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
