# Everything a newcomer needs: `make reproduce` for the study, `make test` for the tests.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PY ?= python3
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export TF_CPP_MIN_LOG_LEVEL := 2
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONPATH

.PHONY: help setup reproduce study test test-all lint benchmark ui lock clean

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.ok  ## Make the virtual environment from the hashed locks.

.venv/.ok: requirements/lock.txt requirements/bootstrap.txt pyproject.toml
	@$(PY) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python must be 3.11 to 3.13 (set PY=python3.11), got " + sys.version.split()[0] + ".")'
	@echo "Setting up .venv (about 3 GB of packages, one to four minutes the first time) ..."
	@$(PY) -m venv .venv
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@.venv/bin/uv pip sync -q --python .venv/bin/python --require-hashes --compile-bytecode requirements/lock.txt
	@.venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

lock:  ## Resolve the locks anew (versions and hashes, no URL).
	.venv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements/lock.txt
	echo uv | .venv/bin/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements/bootstrap.txt
	@! grep -n '://' requirements/*.txt

ifdef FORCE
  REPRO := dvc repro -f
else
  REPRO := dvc repro
endif
CHECK_STUDY := posts

reproduce: .venv/.ok  ## Remake the default study (FORCE=1: from nothing), and train three of its runs again.
ifdef FORCE
	@if [ -d outputs/runs ]; then mv -v outputs/runs "outputs/runs-before-$$(date +%Y%m%d-%H%M%S)"; fi
endif
	$(REPRO)
	steelyard check $(CHECK_STUDY)
	@echo
	@echo "The report:  experiments/$(CHECK_STUDY)/report.html  (the same in words: report.md)"
	@echo "The runs:    make ui   (MLflow, in your browser)"

study: .venv/.ok  ## Remake another study, on data that are fetched: make study STUDY=clothing.
	@test -n "$(STUDY)" || { echo "STUDY must be given, such as STUDY=clothing."; exit 2; }
	$(REPRO) experiments/$(STUDY)/dvc.yaml
	@echo "The report:  experiments/$(STUDY)/report.html"

test: .venv/.ok  ## Run the tests that take minutes.
	pytest -m "not slow" -n 2

test-all: .venv/.ok  ## Run all tests.
	pytest -n 2

lint: .venv/.ok  ## Check style, types and floors.
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
	@! grep -n '://' requirements/*.txt

benchmark: .venv/.ok  ## Measure speed again, on a machine that does nothing else (hours).
	for script in start_up population scaling tracking "tracking --stacked" steps loss_scale; do \
	  read -r name options <<< "$$script"; python benchmarks/$$name.py $$options || exit 1; \
	done
	python benchmarks/row_optimizers.py --size full

ui: .venv/.ok  ## Open MLflow on this machine.
	steelyard ui

clean:  ## Remove the virtual environment and caches; runs and results stay.
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
