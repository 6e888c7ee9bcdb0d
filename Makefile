# The habits of this course. `make demo` and `make test` need nothing but Python 3.11 or newer and make:
# both set up .venv/ first, if it is not there or older than the list of dependencies.

PYTHON ?= python3
BIN := .venv/bin
# nbgrader starts its neighbours by name, so the environment's programs come first; one thread a process (see README)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test notebooks execute lab grade book bench lint clean

help:
	@echo "make demo       build the student edition, grade a class of known submissions, write a report"
	@echo "make test       all tests that need no network"
	@echo "make notebooks  rebuild notebooks/ from solutions/"
	@echo "make execute    run every solution on its own data set and keep its outputs, for reading"
	@echo "make lab        open the student edition in JupyterLab   (LAB=... for its options, e.g. --allow-root)"
	@echo "make grade      grade submitted/ into graded/   (SUBMITTED=... OUT=... to choose others)"
	@echo "make book       make a site of the lessons, answers folded, to read in a browser"
	@echo "make bench      measure speed and quality beside the rivals"
	@echo "make lint       ruff"
	@echo "make clean      remove .venv/ and what the commands above leave behind"

# JupyterLab greets nobody with a question about news from the network.
.venv/installed: pyproject.toml constraints.txt
	@echo "== Setting up .venv/ (once; a few minutes, mostly the download of PyTorch)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[grading,book,dev]"
	@$(BIN)/jupyter labextension disable @jupyterlab/apputils-extension:announcements 2>/dev/null
	@touch $@

demo: .venv/installed
	@echo "== Grading a class of known submissions (two to five minutes)"
	@$(BIN)/course demo

# Two processes. A module stays in one, as its tests share what was graded once; tests/conftest.py puts the longest first.
test: .venv/installed
	@echo "== Running the tests (ten to twenty minutes; MovieLens tests run if COURSE_DATA_DIR is set)"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

notebooks: .venv/installed
	@$(BIN)/course build

execute: .venv/installed
	@$(BIN)/course build --execute

lab: .venv/installed
	@cd notebooks && $(BIN:%=../%)/jupyter lab $(LAB)

SUBMITTED ?= submitted
OUT ?= graded
grade: .venv/installed
	@$(BIN)/course grade $(SUBMITTED) --out $(OUT)

book: .venv/installed
	@$(BIN)/course book

bench: .venv/installed
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

clean:
	rm -rf .venv .course book/_build demo .pytest_cache .ruff_cache .hypothesis course_utils.egg-info
