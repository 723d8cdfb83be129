# SecAI. `make` lists the targets; everything runs in .venv, which `make setup` makes.

# The pins in config/lock were made with 3.11, so that comes first; any of 3.11 to 3.13 will do.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1; then echo $$p; break; fi; done)
PY := .venv/bin/python
SECAI := .venv/bin/secai
# What pytest, secai demo and secai up get in addition: make test ARGS='-k parsers -x'
ARGS ?=
# Your own checkout for `make demo`
REPO ?=
# yes: a CUDA build of torch may be installed
CUDA ?=
# no: leave torch, mlx and the other model packages out
MODELS ?=
CODE := secai_lib secai_assets tests
# Atheris has wheels for some platforms only, so it stays out of the environment and its pins
FUZZER := .secai/tools/atheris

.DEFAULT_GOAL := help
.PHONY: help setup demo train up test slow bench fuzz lint types check readme clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything that is pinned in config/lock; nothing to do takes under a second
	@if [ -z "$(PYTHON)" ]; then \
	echo "SecAI needs Python 3.11, 3.12 or 3.13: install one, or name it: make setup PYTHON=..." >&2; \
	exit 2; fi
	@$(PYTHON) secai_lib/gateways/bootstrap.py --dev \
	$(if $(filter yes,$(CUDA)),--allow-cuda) $(if $(filter no,$(MODELS)),--no-models)
	@test -f .env || $(PY) -c 'from secai_assets.instance import prepare_home; \
	from secai_lib.gateways.config import load_project; prepare_home(load_project())'

demo: setup ## From scans to proven fixes, a trained adapter and a publication candidate on the sample; REPO=/path/to/checkout for your own
	@$(SECAI) demo $(if $(REPO),--repo "$(REPO)") $(ARGS)

train: setup ## The longer training on forge and sample, evaluated and exported (about an hour on two free cores)
	@SECAI_PROFILE=train SECAI_HOME=.secai/train SECAI_TOOLS_DIR="$(CURDIR)/.secai/tools" \
	$(SECAI) demo $(ARGS)

up: setup ## Start the Dagster UI with its daemon
	@$(SECAI) up $(ARGS)

test: setup ## Run the tests
	@$(PY) -m pytest -n auto $(ARGS)

slow: setup ## Run the tests of the whole house with real servers and models
	@$(PY) -m pytest -m slow $(ARGS)

bench: setup ## Measure speed and search on this machine; ARGS='generation' for one
	@$(PY) -W ignore -m tests.bench $(ARGS)

fuzz: setup ## Look for inputs that break a parser or the archive reader; ARGS='--minutes 5 sarif archive'
	@test -d $(FUZZER) || $(PY) -m pip install --quiet --disable-pip-version-check --target $(FUZZER) atheris==3.0.0
	@PYTHONPATH=$(FUZZER) nice -n 19 $(PY) -m tests.fuzz $(ARGS)

lint: setup ## Check style and format
	@$(PY) -m ruff check $(CODE)
	@$(PY) -m ruff format --check $(CODE)

types: setup ## Check the types of code and tests
	@$(PY) -m mypy

check: lint types test ## Run every check

readme: setup ## Write the generated blocks of README.md anew; ARGS=longer: that of make train
	@$(PY) -m tests.test_readme $(ARGS)

clean: ## Remove caches; environments, data and settings stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
