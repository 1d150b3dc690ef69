# Everything a bare machine needs: Python 3.11 or later, make, and the package registry.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint bench clean

run: $(READY)  ## judge the bundled reference and leave a report
	$(BIN)/conformance run

test: lint  ## everything that has to hold
	$(BIN)/python -m pytest -q -n auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## figures and ratios, side by side; bench/README.md explains them
	for each in startup throughput growth flight proxy detection kills; do $(BIN)/python bench/$$each.py && echo || exit 1; done

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
