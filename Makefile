SHELL := /bin/bash
PYTHON ?= python3
UV = .venv/bin/uv
MEMBERS = shared services/ingest services/enrich services/publish
LOCK = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-emit-package slugline-shared

.DEFAULT_GOAL := help

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

venv: .venv/.ready ## Create the environment from the lock

# pip, hash-checked, brings uv; uv brings the rest, hash-checked, in a fraction of the time.
.venv/.ready: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@echo "environment: creating .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || { sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock; .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock; }
	@VIRTUAL_ENV=.venv $(UV) pip sync -q --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

lock: ## Resolve the dependencies again and write requirements.lock and one lock for each service's image
	$(LOCK) -q --all-extras pyproject.toml $(MEMBERS:%=%/pyproject.toml) -o requirements.lock
	for s in ingest enrich publish; do $(LOCK) -q -c requirements.lock services/$$s/pyproject.toml -o services/$$s/requirements.lock; done
