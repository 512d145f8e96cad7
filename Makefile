# Every target builds what it needs. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DATA ?= data/serve
PORT ?= 8000
TESTS ?=
DEVICE ?= cuda

.PHONY: help install demo demo-registry serve docs test test-fast test-list integration faults fuzz audit check types rules format bench coverage gpu hooks clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Make .venv with everything that the other targets need

# The loops in C are built by it, so that a change of theirs builds them anew.
$(INSTALLED): pyproject.toml clients/python/pyproject.toml constraints.txt $(wildcard worker/functional/native_src/*)
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable clients/python --editable '.[api,worker,embedded,timm,transformers,tracing,frames,docs,test]'
	@touch $@

demo-registry: $(INSTALLED) build/mlflow/.installed ## Register two versions in a real MLflow, and read their verdicts there
	$(BIN)/python examples/registry/demo.py

demo: $(INSTALLED) ## Audit two run groups of real models on real images, write a report that compares them
	$(BIN)/salience-audit demo

serve: export FOLDER = $(DATA:~/%=$(HOME)/%)
serve: $(INSTALLED) ## Start the service on http://127.0.0.1:8000 (PORT=, DATA= change that); Ctrl-C stops it
	$(BIN)/salience-audit serve --port $(PORT) --data "$$FOLDER"

test: $(INSTALLED) ## Run linters and all tests, against real Postgres, Valkey, HTTP and workers
	$(MAKE) --no-print-directory check
	.ci/chromium
	$(BIN)/python -m pytest -n 2

test-fast: $(INSTALLED) ## Run the tests that start no server: two minutes for who changes a line
	$(BIN)/python -m pytest -m 'not slow and not long and not integration'

test-list: $(INSTALLED) ## Print what each test file proves
	@$(BIN)/python -m tests.suite.proofs

# In an environment of its own, since it is large and needs other packages; of the same Python, whose torch it borrows.
build/mlflow/.installed: $(INSTALLED)
	-$(BIN)/python -m venv --clear build/mlflow && build/mlflow/bin/python -m pip install --disable-pip-version-check --quiet mlflow==3.17.2 && touch $@

build/keras/.installed: $(INSTALLED)
	-$(BIN)/python -m venv --clear build/keras && build/keras/bin/python -m pip install --disable-pip-version-check --quiet tensorflow-cpu==2.21.0 tf2onnx==1.17.0 pillow && touch $@

build/paddle/.installed: $(INSTALLED)
	-$(BIN)/python -m venv --clear build/paddle && build/paddle/bin/python -m pip install --disable-pip-version-check --quiet paddlepaddle==3.3.1 paddle2onnx==2.1.0 packaging && touch $@

integration: $(INSTALLED) build/mlflow/.installed build/keras/.installed build/paddle/.installed ## Run the tests that need what a fresh machine lacks, and tell what of that is missing
	$(BIN)/python -m pytest -m integration

faults: $(INSTALLED) ## Kill, freeze and empty every part in turn, and compare digests: the long form of what `make test` does
	$(BIN)/python -m pytest tests/faults -m 'long or not long'

fuzz: $(INSTALLED) ## Schemathesis over the whole API with all checks: the long form of what `make test` does
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable clients/python --editable '.[audit]'
	FUZZ_EXAMPLES=200 $(BIN)/python -m pytest tests/fuzz
	$(BIN)/python -m tests.fuzz.coverage_guided 60

audit: $(INSTALLED) ## Bandit, floors of safe versions, pip-audit where there is a network, CycloneDX list into build/
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable clients/python --editable '.[audit]'
	.ci/audit

check: $(INSTALLED) ## Run ruff, mypy, import-linter, what finds dead code and dependencies that nobody uses, and look at the branch's subjects
	$(MAKE) --no-print-directory --jobs 2 types rules

# Of its parts this one takes longest, and one core.
types: $(INSTALLED)
	$(BIN)/mypy

rules: $(INSTALLED)
	.ci/subjects
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python .ci/dead_code
	$(BIN)/deptry --no-ansi .
	cd clients/python && ../../$(BIN)/lint-imports --no-cache && ../../$(BIN)/deptry --no-ansi .

format: $(INSTALLED) ## Let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## Measure the speed of an audit against the bare forward pass and against peers
	$(BIN)/python -m benchmarks.run

gpu: $(INSTALLED) ## Run every path that needs a CUDA device, or say that it was not run (DEVICE=cpu: what a CPU can show)
	$(BIN)/python -m benchmarks.gpu --device $(DEVICE)

docs: $(INSTALLED) ## Build the documentation into build/site
	$(BIN)/mkdocs build --strict

coverage: $(INSTALLED) ## Run all tests (TESTS= fewer), tell how much of the code they reach, lines in build/coverage/html
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n 2 $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

hooks: $(INSTALLED) ## Let git run the linters before each commit
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable clients/python --editable '.[hooks]'
	$(BIN)/pre-commit install

clean: ## Remove what was built and the data folders
	rm -rf $(VENV) data *.egg-info .mypy_cache .ruff_cache
