SHELL := /bin/bash
# A distribution's own Python is built with the help of a profile; one that a version manager compiled often is not, and
# a fifth slower.
PYTHON ?= $(shell for each in /usr/bin/python3 python3; do $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; done; echo $$each)
UV = .venv/bin/uv
PY = .venv/bin/python
LOCAL = PYTHONPATH=deploy exec $(PY) -m local
TESTS ?= tests
WORKERS ?= 2
MEMBERS = shared services/ingest services/enrich services/publish
LOCK = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-emit-package slugline-shared

.DEFAULT_GOAL := help

.PHONY: help venv lock demo up test unit oracle mutants drill upgrade released bench lint audit images sbom
help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

venv: .venv/.ready ## Create the environment from the lock

# pip, hash-checked, brings uv; uv brings the rest, hash-checked, in a fraction of the time.
.venv/.ready: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@echo "environment: creating .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || { sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock; $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock; }
	@VIRTUAL_ENV=.venv $(UV) pip sync -q --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

lock: ## Resolve the dependencies again: requirements.lock, one lock for each service's image, one for building, Kafka's jars
	$(LOCK) -q --all-extras pyproject.toml $(MEMBERS:%=%/pyproject.toml) -o requirements.lock
	for s in ingest enrich publish; do $(LOCK) -q -c requirements.lock services/$$s/pyproject.toml -o services/$$s/requirements.lock; done
	grep -oE '^(hatchling|cyclonedx-bom)==[^ ]*' requirements.lock | $(LOCK) -q -c requirements.lock - -o deploy/build.lock
	@$(MAKE) -s venv
	PYTHONPATH=deploy $(PY) -m local.jars

demo: venv ## A newsroom's morning on embedded parts: everything starts, a sample wire plays (PORT, INGEST_PORT)
	@$(LOCAL) demo

up: venv ## The same on Apache Kafka, whose jars are fetched the first time; data survives a restart, under .local/up
	@$(LOCAL) up

test: venv ## All tests, on real servers: processes, or TEST_SERVERS=containers (TESTS=tests/flow for a part; WORKERS=0 one by one)
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

unit: venv ## The tests that need no server, in two minutes (TESTS for a part)
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m unit $(TESTS)

oracle: venv ## Faults of every kind while copy flows, and what readers saw compared with a model (SEED, MINUTES; ORACLE for more)
	@PYTHONPATH=tests:deploy $(PY) -m oracle --seed $(or $(SEED),1) --minutes $(or $(MINUTES),5) $(ORACLE)

mutants: venv ## Small bugs, each of which a check must see; compared with the baseline (MUTANTS=--only NAME for a part)
	@PYTHONPATH=tests:deploy $(PY) -m oracle.mutants $(MUTANTS)

drill: venv ## A dump, news after it, a restore, and an erasure, on real servers: what was lost, and how long it took (RPO, RTO)
	@set -o pipefail; $(PY) -m pytest -q -s tests/flow/test_recovery.py tests/flow/test_erasure.py | grep -v '^---\|^{'

upgrade: venv ## Every process rolled from the last release (FROM=commit) to this one and back while a wire pushes and readers read
	@set -o pipefail; UPGRADE_FROM=$(FROM) UPGRADE_ONE_BY_ONE=1 $(PY) -m pytest -q -s tests/contract/test_schema.py tests/flow/test_upgrade.py | grep -v '^---\|^{'

released: venv ## Note this commit as the last release, which the next one is compared with and rolled from
	@NOTE_RELEASE=1 $(PY) -m pytest -q tests/contract/test_schema.py

bench: venv ## Measure speed beside bare references; tables, and .local/bench/bench.json (BENCH=--quick for a first look)
	@$(PY) tests/bench/run.py $(BENCH)

lint: venv ## Style, types and import rules
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

audit: venv ## What is known against the locked versions (pip-audit), and said where that cannot be asked; licences are in the tests
	@PYTHONPATH=deploy $(PY) -m supply audit

images: ## Build the images of the three services and of the operators' commands as slugline-SERVICE:dev and slugline-tools:dev
	@for s in ingest enrich publish; do docker build -q -t slugline-$$s:dev --build-arg SERVICE=$$s -f services/Dockerfile . || exit 1; done
	@docker build -q -t slugline-tools:dev --target tools --build-arg SERVICE=enrich -f services/Dockerfile .

sbom: images ## What each image is made of, as CycloneDX: dist/slugline-SERVICE.cdx.json, which the image has too
	@mkdir -p dist
	@for s in ingest enrich publish; do docker run --rm --network none --entrypoint cat slugline-$$s:dev /sbom.cdx.json > dist/slugline-$$s.cdx.json || exit 1; done
