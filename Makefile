# make demo      a real photograph: its defocus map and a sharper picture, as one panel
# make app       napari with a sample loaded and the widgets docked
# make test      lint, types, tests
# make bench     speed and memory on this machine
# make pictures  the pictures of the README, anew
# make golden    the results that the tests hold the weights to, anew: after a change on purpose
# Each installs what it needs into .venv, and again only when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints/ci.txt
SCREEN = $(if $(DISPLAY),,xvfb-run --auto-servernum --server-args '-screen 0 1600x1000x24')
ONE_THREAD_EACH = OMP_NUM_THREADS=1
ONE_PROCESS_PER_CORE = --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help demo app test lint types tests bench pictures golden clean

help:
	@sed -n 's/^# //p' Makefile

demo: $(VENV)/.runtime
	$(BIN)/python examples/demo.py

app: $(VENV)/.viewer
	$(BIN)/python examples/app.py

test: lint types tests

lint: $(VENV)/.development
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.development
	$(BIN)/mypy

tests: $(VENV)/.development
	$(ONE_THREAD_EACH) $(BIN)/python -m pytest $(ONE_PROCESS_PER_CORE)

bench: $(VENV)/.development
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/batch.py

pictures: $(VENV)/.viewer
	$(BIN)/python docs/pictures.py
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
$(VENV)/.runtime $(VENV)/.viewer $(VENV)/.development: pyproject.toml constraints/ci.txt | $(BIN)/python
	@echo "installing napari-defocus$(EXTRAS) into $(VENV), once"
	$(INSTALL) --editable '.$(EXTRAS)'
	@touch $@
