# Tasks for working on millirec. `make help` lists the targets.
#
# The first target creates .venv with what millirec needs to run, and those for developing add what
# they need; later ones reuse it without a network, until pyproject.toml changes.
# PYTHON=/path/to/python selects another interpreter; ARGS= is passed on to the tool.

PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3.10 python3,$(if $(call works,$(name)),$(name))))
works = $(shell command -v $(1) >/dev/null 2>&1 && $(1) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1 && echo yes)

VENV := .venv
STAMP := $(VENV)/installed
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What a user's commands need, and what each kind of work on millirec needs besides.
BASE := demo
all_EXTRAS := $(BASE),cassandra,formats,text,images,onnx,metrics,docs,test,peers,release,lint
docs_EXTRAS := $(BASE),docs
bench_EXTRAS := $(BASE),test,peers
release_EXTRAS := $(BASE),test,release
install = $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[$(1)]' || { \
	  echo "uv could not install it; trying pip, which has its own settings and is slower" >&2; \
	  $(PIP) --editable '.[$(1)]'; }
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint audit format docs wheel release bench bench-compare evaluate faults clean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

venv: $(VENV)/with-all  ## Create .venv with everything in it (the other targets add what they need)

$(STAMP): pyproject.toml
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "millirec needs Python 3.10, 3.11 or 3.12, and found none$(if $(PYTHON), named $(PYTHON)): install one, or name its path, e.g. make PYTHON=/opt/python3.11/bin/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; (3, 10) <= v[:2] <= (3, 12) or sys.exit("millirec needs Python 3.10, 3.11 or 3.12, and %s is %d.%d: name another, e.g. make PYTHON=python3.11" % (sys.executable, v[0], v[1]))'
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks the module venv: install it (Debian and Ubuntu: apt install python3-venv), or name another Python, e.g. make PYTHON=python3.11" >&2; exit 1; }
	@echo "Making $(VENV) and installing what millirec needs (1.2 GB, some minutes the first time)"
	@rm -f $@
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PIP) uv || true
	@$(call install,$(BASE))
	@touch $@

$(VENV)/with-%: $(STAMP)
	@echo "Adding to $(VENV) what this needs: $($*_EXTRAS)"
	@$(call install,$($*_EXTRAS))
	@touch $@

demo: $(STAMP)  ## Simulate a shop, or DEMO_SCENARIO=video or social, whose lists follow clicks; DEMO_SECONDS=60 ends it
	@$(BIN)/millirec demo

test: $(VENV)/with-all  ## Run all tests; ARGS='-m "not stack"' or ARGS=tests/udfs runs some
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

lint: $(VENV)/with-all  ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

audit: $(VENV)/with-all  ## Look for known vulnerabilities of the packages; ARGS=ID ignores one
	@$(BIN)/python .ci/audit.py $(ARGS)

format: $(VENV)/with-all  ## Format the files
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

docs: $(VENV)/with-docs  ## Build the documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

wheel: $(VENV)/with-release  ## Build what pip installs into dist/, and check it
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist
	@$(BIN)/python -m twine check --strict dist/*

release: $(VENV)/with-release  ## Build, check, install and try the version that CHANGELOG.md names, and tag it
	@$(BIN)/python .ci/release.py

bench: $(VENV)/with-bench  ## Measure events/s, lists/s and milliseconds; figures go to benchmarks/out
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-compare: $(VENV)/with-bench  ## Compare events/s of this version with the commit REF, in turns
	@$(BIN)/python -m benchmarks.compare $(REF) $(ARGS)

evaluate: $(VENV)/with-bench  ## Measure the lists' quality: MovieLens-100K in DATA=FOLDER, sessions with ARGS="--sessions FOLDER"
	@$(BIN)/python -m benchmarks.evaluate $(if $(DATA),--data "$(DATA)") $(ARGS)

faults: $(VENV)/with-bench  ## Kill, pause and damage what the job depends on, and check that nothing is lost
	@$(BIN)/python -m benchmarks.faults $(ARGS)

clean:  ## Remove .venv and everything that was built, cached or measured
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis site benchmarks/out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
