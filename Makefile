# Every target installs what it needs; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.dev
NOTEBOOK := $(VENV)/.notebook
MLFLOW := .venv-mlflow
ARGS ?=
PORT ?= 5000
PROCESSES ?= 2
SOAK ?= 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(INSTALLED) dataset ## Create .venv with pinned packages and download the data if needed

$(INSTALLED): requirements.lock requirements-uv.lock pyproject.toml scripts/environment.sh
	@scripts/environment.sh "$(PYTHON)" $(VENV) $<
	@touch $@

# Apart from .venv: a run needs MLflow's client alone.
$(MLFLOW)/.installed: requirements-mlflow.lock requirements-uv.lock scripts/environment.sh
	@scripts/environment.sh "$(PYTHON)" $(MLFLOW) $<
	@touch $@

$(DEV): requirements-dev.lock $(INSTALLED)
	@echo "setup: installing what tests and benchmarks need"
	@scripts/install.sh $(VENV) $<
	@touch $@

$(NOTEBOOK): requirements-notebook.lock $(INSTALLED)
	@echo "notebook: installing JupyterLab"
	@scripts/install.sh $(VENV) $<
	@touch $@

.PHONY: dataset
dataset: $(INSTALLED)
	@scripts/dataset.sh

.PHONY: run
run: setup ## Run the whole pipeline here (options in ARGS="-p seed=1")
	@$(BIN)/fashion-mnist run $(ARGS)

.PHONY: report
report: $(INSTALLED) ## Rebuild the latest run's report and open it (another run's with ARGS="ID")
	@$(BIN)/fashion-mnist report $(ARGS)

# Jupyter refuses to run as root, as in a container, without --allow-root.
.PHONY: notebook
notebook: setup $(NOTEBOOK) ## Open the notebook in JupyterLab (its options in ARGS="--port 8889")
	@exec $(BIN)/jupyter lab notebooks/components.ipynb \
		$$([ "$$(id -u)" != 0 ] || echo --allow-root) $(ARGS)

.PHONY: mlflow
mlflow: $(MLFLOW)/.installed ## Start MLflow's server with a model registry (another port: PORT=5001)
	@exec scripts/mlflow.sh $(MLFLOW) $${FASHION_MNIST_ROOT:-.fashion-mnist}/mlflow $(PORT)

.PHONY: test
test: setup $(DEV) $(MLFLOW)/.installed ## Run the tests (options in ARGS="-k ingest"; in PROCESSES=2 at a time)
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: tensorboard
tensorboard: $(DEV) ## Show the training runs in TensorBoard (options in ARGS="--port 6007")
	@$(BIN)/tensorboard --logdir $${FASHION_MNIST_ROOT:-.fashion-mnist}/runs $(ARGS)

.PHONY: soak
soak: setup $(DEV) $(MLFLOW)/.installed ## Run the long reliability tests (a tenth of the rounds: SOAK=0.1; ARGS="-k ingest")
	@SOAK=$(SOAK) $(BIN)/python -m pytest --numprocesses $(PROCESSES) -m soak $(ARGS)

.PHONY: bench
bench: setup $(DEV) ## Compare with conventional implementations, over an hour (ARGS="--quick": minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: compile
compile: $(INSTALLED) ## Compile the source to compiled/*.yaml
	@$(BIN)/fashion-mnist compile

.PHONY: check
check: $(INSTALLED) ## Check that compiled/*.yaml matches the source
	@$(BIN)/fashion-mnist compile --check

.PHONY: docs
docs: $(INSTALLED) ## Write the tables and the diagram that the documents derive from the code
	@$(BIN)/python -m scripts.document_tables

.PHONY: figures
figures: $(DEV) ## Copy the results of `make bench` into README and docs/
	@$(BIN)/python -m scripts.document_benchmarks $(ARGS)

.PHONY: pictures
pictures: setup $(DEV) ## Take the documents' pictures of a report and of the page (needs Chromium)
	@$(BIN)/python -m scripts.pictures docs/pictures

.PHONY: package
package: $(INSTALLED) ## Package the trainer for custom training jobs: dist/
	@$(BIN)/python -m pipeline.trainer_package dist

.PHONY: lint
lint: $(DEV) ## Check style, types and the layers of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: lock
lock: $(INSTALLED) ## Resolve pyproject.toml and pipeline/steps.py to the locks
	@$(BIN)/python -m scripts.lock

# uv makes pip-audit an environment of its own.
.PHONY: audit
audit: $(INSTALLED) ## Look for known vulnerabilities in the pinned packages
	@for lock in requirements*.lock serving/requirements.lock serving/python310.txt; do \
		echo "audit: $$lock"; \
		$(BIN)/uv tool run pip-audit==2.10.1 --disable-pip --require-hashes --strict \
			--progress-spinner off --requirement $$lock || code=1; \
	done; exit $${code:-0}

.PHONY: clean
clean: ## Remove what tests and tools left (keeps .venv*, data, runs and models)
	rm -rf .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -rf {} +
