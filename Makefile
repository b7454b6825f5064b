# make demo      a real photograph: its defocus map and a sharper picture, as one panel
# make app       napari with a sample loaded and the widgets docked
# make test      lint, types, and all tests but the slow ones: what CI runs
# make test-fast tests that open no window and start no process
# make test-long all tests, the slow ones too
# make test-pyside  the tests of the viewer, with PySide6 in place of PyQt6; part of test-long
# make test-lowest  the tests of test-fast, with the lowest versions that pyproject.toml declares
# make coverage  the tests of test; which lines they leave out is in build/coverage/html
# make bench     speed and memory on this machine
# make docs      build the site of the documentation in build/site
# make links     request every external link of the documentation
# make pictures  draw the pictures of README and documentation again
# make golden    store the results that tests compare the weights with, after a deliberate change
# Each installs what it needs into .venv, and again only when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
CONSTRAINTS := constraints/ci.txt
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint $(CONSTRAINTS)
SCREEN = $(if $(DISPLAY),,xvfb-run --auto-servernum --server-args '-screen 0 1600x1000x24')
ONE_THREAD_EACH = OMP_NUM_THREADS=1
SELECTED = -m 'not slow'
ONE_PROCESS_PER_CORE = --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help demo app test test-fast test-long test-lowest test-pyside lint types tests tests-pyside \
	coverage bench docs links pictures golden clean

help:
	@sed -n 's/^# //p' Makefile

demo: $(VENV)/.runtime
	$(BIN)/python examples/demo.py

app: $(VENV)/.viewer
	$(BIN)/python examples/app.py

test: lint types tests

test-fast: SELECTED = -m 'not slow and not window and not process'
test-fast: tests

test-long: SELECTED =
test-long: lint types tests test-pyside

test-pyside:
	$(MAKE) tests-pyside VENV=.venv-pyside6

test-lowest:
	$(MAKE) test-fast VENV=.venv-lowest CONSTRAINTS=constraints/lowest.txt

lint: $(VENV)/.development
	$(BIN)/ruff check
	$(BIN)/ruff check --preview --select PLW1514 # no text in the encoding of the system
	$(BIN)/ruff format --check

types: $(VENV)/.development
	$(BIN)/mypy

tests: $(VENV)/.development
	$(ONE_THREAD_EACH) $(BIN)/python -m pytest $(ONE_PROCESS_PER_CORE) $(SELECTED) $(MEASURED)

tests-pyside: $(VENV)/.pyside
	QT_API=pyside6 $(ONE_THREAD_EACH) $(BIN)/python -m pytest $(ONE_PROCESS_PER_CORE) -m 'not slow' \
		--override-ini qt_api=pyside6 tests/viewer

coverage: MEASURED = --cov --cov-report=term --cov-report=html
coverage: tests

bench: $(VENV)/.development
	$(BIN)/python benchmarks/comparison.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/busy.py
	$(BIN)/python benchmarks/preview.py

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

links:
	$(PYTHON) docs/links.py --open

pictures: $(VENV)/.viewer
	$(BIN)/python docs/pictures.py
	$(BIN)/python docs/missed_focus.py
	$(BIN)/python docs/draw_architecture.py
	$(SCREEN) $(BIN)/python docs/screenshots.py

golden: $(VENV)/.development
	$(BIN)/python tests/models/test_golden.py

clean:
	rm -rf build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: EXTRAS =
$(VENV)/.viewer: EXTRAS = [all]
$(VENV)/.development: EXTRAS = [all,training,dev]
$(VENV)/.docs: EXTRAS = [docs]
$(VENV)/.runtime $(VENV)/.viewer $(VENV)/.development $(VENV)/.docs: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	@echo "installing napari-defocus$(EXTRAS) into $(VENV), once"
	$(INSTALL) --editable '.$(EXTRAS)'
	@touch $@

$(VENV)/.pyside: $(VENV)/.development
	$(BIN)/python -m pip uninstall --quiet --yes PyQt6 PyQt6-Qt6 PyQt6-sip
	$(INSTALL) PySide6
	@touch $@
