# Every target does the set-up that it needs by itself; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=
SOAK ?= 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(INSTALLED) dataset ## Make .venv with everything pinned, and get the data where it is missing

$(INSTALLED): requirements.lock pyproject.toml scripts/environment.sh
	@scripts/environment.sh "$(PYTHON)" $(VENV)
	@touch $@

.PHONY: dataset
dataset:
	@scripts/dataset.sh

.PHONY: run
run: setup ## Run the whole pipeline here (options in ARGS="-p seed=1")
	@$(BIN)/fashion-mnist run $(ARGS)

.PHONY: test
test: setup ## Pass the tests (options in ARGS="-k ingest")
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: soak
soak: setup ## Pass the long forms of the reliability tests (SOAK=0.1: a tenth of the rounds; ARGS="-k ingest")
	@SOAK=$(SOAK) $(BIN)/python -m pytest -m soak $(ARGS)

.PHONY: bench
bench: setup ## Measure against what one would write instead, an hour and a half (options in ARGS="--quick")
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: compile
compile: $(INSTALLED) ## Write compiled/*.yaml from the source
	@$(BIN)/fashion-mnist compile

.PHONY: check
check: $(INSTALLED) ## Say whether compiled/*.yaml is what the source compiles to
	@$(BIN)/fashion-mnist compile --check

.PHONY: package
package: $(INSTALLED) ## Write the trainer as a package for training jobs: dist/
	@$(BIN)/python -m pipeline.trainer_package dist

.PHONY: lint
lint: $(INSTALLED) ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: lock
lock: $(INSTALLED) ## Choose new versions: requirements.lock and components/requirements/
	@scripts/lock.sh $(BIN)/uv

.PHONY: clean
clean: ## Remove what runs and tests left (keeps .venv and data)
	rm -rf .fashion-mnist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
