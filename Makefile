# Two commands do all the set-up: `make lab` and `make test`. Each installs what it needs, into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WHEEL_BIN := .venv-wheel/bin

.DEFAULT_GOAL := help
.PHONY: help lab test lint bench browser tests wheel-tests notebooks pictures clean

help:  ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

lab: .venv/lab  ## Open JupyterLab on the notebooks, on the embedded sandbox
	@$(BIN)/amoexplore lab

test: lint tests wheel-tests  ## Check and test everything

lint: .venv/dev  ## Style, types, import contract, dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry amoexplore

tests: .venv/dev browser  # The suite on the checkout, with the notebooks and the browser, and its coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/python -m pytest --nbval --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 120 notebooks
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

wheel-tests: .venv-wheel/ready  # The suite on the built wheel, with nothing but its own dependencies and pytest
	$(WHEEL_BIN)/pytest --ignore tests/browser --ignore tests/contract/test_openapi.py

bench: .venv/dev  ## Measure the loader beside what one writes by hand
	$(BIN)/python benchmarks/load.py

notebooks: .venv/dev  ## Run the notebooks anew and store their outputs
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb
	$(BIN)/python tests/support/notebooks.py notebooks/*.ipynb

pictures: .venv/dev browser  ## Make the pictures of the documentation anew
	AMOEXPLORE_PICTURES=docs/images $(BIN)/pytest -m browser

clean:  ## Remove all that was installed and built
	rm -rf .venv .venv-wheel build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "amoexplore needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/lab: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing JupyterLab and amoexplore into .venv: a minute or two, once."
	$(PIP) install --constraint constraints.txt --editable '.[lab]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing everything into .venv: a minute or two, once."
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv-wheel/ready: .venv/dev $(shell find amoexplore notebooks README.md -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*')
	rm -rf dist build .venv-wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	$(PYTHON) -m venv .venv-wheel
	$(WHEEL_BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt "$$(echo dist/*.whl)[test]"
	@touch $@

browser: .venv/dev  # Chromium for the browser tests: Debian's package as root, else Playwright's
	@if command -v chromium chromium-browser google-chrome > /dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "Installing Chromium from Debian's package."; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq --yes install chromium > /dev/null; \
	else $(BIN)/playwright install chromium; fi || echo "No Chromium is to be had here: browser tests will be skipped."
