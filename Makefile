# Every target does the set-up that it needs by itself; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=
PROCESSES ?= 2
SOAK ?= 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

.PHONY: report
report: $(INSTALLED) ## Make the newest run's page anew and open it (another run's in ARGS="ID")
	@$(BIN)/fashion-mnist report $(ARGS)

.PHONY: notebook
notebook: setup ## Open the notebook in JupyterLab (its options in ARGS="--port 8889")
	@scripts/notebook.sh $(VENV) $(ARGS)

.PHONY: test
test: setup ## Pass the tests (options in ARGS="-k ingest"; side by side in PROCESSES=2)
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: tensorboard
tensorboard: $(INSTALLED) ## Show the training runs in TensorBoard (options in ARGS="--port 6007")
	@$(BIN)/python -m pipeline.tensorboard $(ARGS)

.PHONY: soak
soak: setup ## Break things on purpose, the long forms of the tests (SOAK=0.1: a tenth of the rounds; ARGS="-k ingest")
	@SOAK=$(SOAK) $(BIN)/python -m pytest --numprocesses $(PROCESSES) -m soak $(ARGS)

.PHONY: bench
bench: setup ## Measure against what one would write instead, an hour and a half (options in ARGS="--quick")
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: compile
compile: $(INSTALLED) ## Write compiled/*.yaml from the source
	@$(BIN)/fashion-mnist compile

.PHONY: check
check: $(INSTALLED) ## Say whether compiled/*.yaml is what the source compiles to
	@$(BIN)/fashion-mnist compile --check

.PHONY: docs
docs: $(INSTALLED) ## Write what follows from the code in docs/: tables, and the pipeline's graph
	@$(BIN)/python -m scripts.document_tables
	@$(BIN)/python -m scripts.picture_of_pipeline docs/pictures/pipeline.svg

.PHONY: figures
figures: $(INSTALLED) ## Put what make bench has measured into README and docs/
	@$(BIN)/python -m scripts.document_benchmarks $(ARGS)

.PHONY: pictures
pictures: setup docs ## Make the pictures of README and docs/ anew, from two runs that it makes
	@$(BIN)/python -m scripts.picture_of_terminal docs/pictures/terminal.svg
	@$(BIN)/python -m scripts.picture_of_report docs/pictures/report.png

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

.PHONY: audit
audit: $(INSTALLED) ## Look the pinned packages up in the lists of known vulnerabilities (error 4: no lists)
	@$(BIN)/python -m pipeline.audit

.PHONY: clean
clean: ## Remove what runs and tests left (keeps .venv and data)
	rm -rf .fashion-mnist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
