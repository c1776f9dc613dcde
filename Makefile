# Everything runs from a fresh clone: each target first sets up what is missing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= 2
FARM_VENV := build/labgrid
FARM      := $(FARM_VENV)/.installed
CLUSTER   := $(VENV)/.cluster
PIP_FLAGS := --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: all setup demo test test-tools lint bench clean

all: setup

# The Python environment: every version is pinned in constraints.txt.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; install python3.11 (Debian 12: python3; Ubuntu 22.04: python3.11 and python3.11-venv) and run: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  pkg=python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv; sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  { command -v apt-get >/dev/null && $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$pkg; } \
	  || { echo "make: Python has no venv module; install the package $$pkg" >&2; exit 2; }; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP_FLAGS) --editable '.[train,verify,boards,lab,postgres,dev]'
	@touch $@

# Compilers and QEMU come from the system's package manager; where it can't, the exact package is named.
setup: $(STAMP)
	@$(BIN)/tinynas doctor --fix

# labgrid brings its own files of pyserial, so it lives apart (docs/lab.md); where it can't be had, its tests skip.
$(FARM): constraints.txt
	@$(PYTHON) -m venv $(FARM_VENV) && $(FARM_VENV)/bin/pip install $(PIP_FLAGS) labgrid && touch $@ \
	  || echo "make: labgrid cannot be installed; the tests that need it will skip" >&2

# Ray, for the test of a cluster; nothing else needs it, and where it can't be had that test skips.
$(CLUSTER): $(STAMP)
	@$(BIN)/pip install $(PIP_FLAGS) --editable '.[cluster]' && touch $@ \
	  || echo "make: Ray cannot be installed; the test that needs it will skip" >&2

# Programs that single tests start; a test whose program can't be had skips.
test-tools:
	@tests/install-tools.sh

demo: setup
	$(BIN)/tinynas run experiments/demo.toml

test: setup $(FARM) $(CLUSTER) test-tools
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# MODELS=DIR measures the .tflite files of a folder; without it, self-made twins of the reference models.
bench: setup
	$(BIN)/python -m bench $(if $(MODELS),--models "$(MODELS)")
	$(BIN)/python -m bench.planning

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
