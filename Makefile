# Each target makes what it needs: `make demo` and `make test` work on a fresh machine that has only Python.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-readers lint types torture fuzz mutants bench bench-peers options wordnet format clean

help:  ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## plan, fetch and report a dozen classes from a stand-in on this machine (no network)
	@$(BIN)/python -m tests.demo

test: $(STAMP)  ## run the whole test suite
	$(BIN)/python -m pytest

.venv-readers: setup.cfg pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,parquet]' datasets webdataset mlcroissant
	@touch $@

test-readers: .venv-readers  ## let datasets, webdataset, pyarrow and mlcroissant read our exports, and say what was left out
	$</bin/python -m pytest -W default -rs tests/readers

lint: $(STAMP)  ## check style with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## check types with mypy --strict
	$(BIN)/mypy

torture: $(STAMP)  ## kill plan and fetch hundreds of times and check every promise from outside
	$(BIN)/python -m tests.torture --kills 300 --seconds 900

fuzz: $(STAMP)  ## feed mutated pictures, lists and manifests to their readers for three minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris || true
	$(BIN)/python -m tests.fuzz --target judge --seconds 60
	$(BIN)/python -m tests.fuzz --target lists --seconds 60
	$(BIN)/python -m tests.fuzzing.manifests --seconds 60

.venv-mutants: setup.cfg pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' mutmut
	@touch $@

mutants: .venv-mutants  ## see which small changes of the pure modules no test notices, an hour; writes CONTRIBUTING.md
	nice $</bin/python -m tests.mutation

bench: $(STAMP)  ## measure speed and memory against yardsticks, all on loopback; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

.venv-img2dataset:
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check img2dataset

bench-peers: $(STAMP) .venv-img2dataset  ## the same beside other tools, those found of wget2 curl aria2 wget parallel
	$(BIN)/python -m benchmarks peers

options: $(STAMP)  ## write docs/options.md from the options themselves
	$(BIN)/python -m scraper.cli.help > docs/options.md

wordnet: $(STAMP)  ## make the table of names again from Debian's WordNet and two packages (needs apt-get and pip)
	$(BIN)/python -m tools.wordnet

format: $(STAMP)  ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-img2dataset .venv-readers .venv-mutants .mutants build dist demo *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find scraper tests -name __pycache__ -type d -prune -exec rm -rf {} +
