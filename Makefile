# `make demo` and `make test` need Python 3.10 or newer and make; they set up the rest in .venv.
PYTHON ?= python3
# A further index for torch: https://download.pytorch.org/whl/cpu has builds without CUDA for Linux.
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
BUNDLE ?= fundus_classifier
DEMO := build/demo/$(BUNDLE)
# The real data of the optional tests and benchmarks; tests skip, and say so, where it is not set.
export MONAI_UNLEARN_DATA MONAI_UNLEARN_CASES MONAI_UNLEARN_STANDARDS

.PHONY: demo studio-screenshots test coverage check docs deploy-sdk mlflow matrix nightly clean

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; give another with PYTHON=…"; exit 2; }
	@echo "Setting up $(VENV) (once, about a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/python scripts/demo.py --bundle $(BUNDLE) --out $(DEMO)

# The pictures of docs/studio.md; they need Chromium.
studio-screenshots: $(VENV)/.installed
	@$(BIN)/python scripts/studio_screenshots.py build/studio_demo

# A thread a process: more of them get in the way of the two processes.
test: $(VENV)/.installed
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

# Counting which lines run takes as long again as the tests do.
coverage: $(VENV)/.installed
	@$(BIN)/coverage erase
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term

check: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .

# The site, with warnings as errors, and the snippets of its pages, those that take minutes too.
docs: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@MONAI_UNLEARN_NIGHTLY=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/docs --numprocesses 2

deploy-sdk: $(VENV)/.installed
	@$(BIN)/python scripts/deploy_sdk.py

mlflow: $(VENV)/.installed
	@$(BIN)/python scripts/mlflow_server.py

# The tests with each of Python 3.10 to 3.13 that this machine has: make matrix TESTS=tests/cohort
matrix:
	@TORCH_INDEX=$(TORCH_INDEX) $(PYTHON) scripts/python_matrix.py $(TESTS)

nightly: coverage docs
	@HYPOTHESIS_PROFILE=nightly MONAI_UNLEARN_NIGHTLY=1 $(BIN)/python -m pytest tests/cohort tests/index/test_mutants.py --numprocesses 2
	@# Long walks that the other tests skip.
	@MONAI_UNLEARN_NIGHTLY=1 $(BIN)/python -m pytest $$(grep -rl 'from nightly import' tests --include='test_*.py') --numprocesses 2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[nightly]'
	@$(BIN)/python scripts/mutation.py
	@# Each of 500 changes to a release or a ledger must be named.
	@$(BIN)/python benchmarks/tampering.py --results build
	@# 200 faults between a pull and Orthanc must lose nothing; without Orthanc it says so.
	@if [ -x /usr/sbin/Orthanc ]; then $(BIN)/python benchmarks/pacs_faults.py --results build; \
		else echo "Orthanc is not installed: apt-get install orthanc orthanc-dicomweb"; fi
	@# Memory must stay flat from 5,000 to 100,000 images of 64 pixels, and batches come as fast as from memory.
	@$(BIN)/python benchmarks/images_beyond_memory.py --results build

clean:
	rm -rf build $(VENV)
