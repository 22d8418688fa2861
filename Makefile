# Two commands do all the set-up: `make lab` and `make test`. Each installs what it needs, into .venv.

PYTHON ?= python3
BIN := .venv/bin
# A process a core for the tests, each file in one of them, in the order of their names: those of the browser, which take
# longest, come first, and no process is left alone with them at the end.
WORKERS := -n auto --dist loadfile --no-loadscope-reorder
PIP := -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help lab test lint coverage bench burst fuzz live browser tests wheel-tests notebooks pictures gallery faults clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: .venv/lab  ## Open JupyterLab on the notebooks, on the embedded sandbox
	@$(BIN)/amoexplore lab

test: lint tests wheel-tests  ## Check and test everything

lint: .venv/dev  ## Style, types, import contract, dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry amoexplore

# A real account of who runs the tests stays out of them.
tests coverage wheel-tests notebooks pictures gallery faults fuzz: export AMOEXPLORE_URL =
tests coverage wheel-tests notebooks pictures gallery faults fuzz: export AMOEXPLORE_TOKEN =
tests coverage wheel-tests notebooks pictures gallery faults fuzz: export AMOEXPLORE_WRITE =
# And nothing of theirs goes to the home folder.
tests coverage wheel-tests notebooks faults fuzz: export AMOEXPLORE_STATE = $(CURDIR)/build/state

tests: .venv/dev browser  # The suite on the checkout, with the notebooks and the browser
	$(BIN)/python -m pytest $(WORKERS)
	$(BIN)/python -m pytest --nbval --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 120 notebooks

# No part of `make test`: tracing makes the suite a quarter slower, and on Python 3.11 a thread that starts at the same
# moment as another can stumble over it and end ("Cannot install a trace function while another … is being installed").
coverage: .venv/dev browser  ## Say which lines the suite does not reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(WORKERS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# What a wheel can lack are files and dependencies. test_ground.py sees that no file is missing, imports every module and
# runs the README's code. The others read these files, or import what no module imports at its head: the command (tqdm,
# xlsxwriter), the pages (jinja2, matplotlib), pairs (keyring, filelock), clusters (dask), snapshots (fsspec, pyarrow,
# duckdb), the sandbox (its catalogue).
ON_THE_WHEEL := ground cli cli_bots webpage news pairs clusters snapshots
ON_THE_WHEEL := $(ON_THE_WHEEL:%=tests/test_%.py) tests/sandbox/test_server.py

wheel-tests: .venv/dev .venv-wheel/ready  # What needs files and dependencies, on the built wheel with its own and pytest's
	rm -rf dist build/wheel.log && mkdir -p build
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . > build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
	.venv-wheel/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl
	AMOEXPLORE_WHEEL=1 .venv-wheel/bin/pytest $(WORKERS) $(ON_THE_WHEEL)

bench: .venv-bench/ready  ## Measure the loader beside its rivals, some minutes, and write docs/performance.md anew
	.venv-bench/bin/python -m benchmarks $(BENCH)

burst: .venv/dev  ## Measure how close to 7 requests a second three processes come together
	$(BIN)/python benchmarks/burst.py

fuzz: .venv/dev  ## Search for input that the decoder or the sandbox cannot take, for some minutes
	AMOEXPLORE_FUZZ=1 $(BIN)/pytest tests/test_fuzz.py

live: .venv/dev  ## Read a real account, which AMOEXPLORE_URL and AMOEXPLORE_TOKEN name, and compare it with openapi.yaml
	AMOEXPLORE_LIVE=1 AMOEXPLORE_WRITE= $(BIN)/pytest tests/live

notebooks: .venv/dev  ## Run the notebooks anew and store their outputs
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb
	$(BIN)/python tests/support/notebooks.py notebooks/*.ipynb

pictures: .venv/dev browser  ## Make the pictures of the documentation anew
	AMOEXPLORE_PICTURES=docs/images $(BIN)/pytest -m browser

gallery: .venv/dev  ## Draw every chart for docs/gallery.md anew
	$(BIN)/python docs/gallery.py

faults: .venv/dev  ## Let everything go wrong that can, and write docs/reliability.md anew
	$(BIN)/python docs/reliability.py

clean:  ## Remove all that was installed and built
	rm -rf .venv .venv-bench .venv-wheel build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# A .venv that was only half made would stand in the way of every later run.
define make-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "amoexplore needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(1) \
	  || { rm -rf $(1); echo "Python could not make $(1); Debian has what it needs in the package python3-venv."; exit 1; }
endef

.venv/bin/python:
	$(call make-venv,.venv)

.venv-wheel/bin/python:
	$(call make-venv,.venv-wheel)

.venv-bench/bin/python:
	$(call make-venv,.venv-bench)

.venv/lab: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing JupyterLab and amoexplore into .venv: a minute or two, once."
	@$(BIN)/python $(PIP) --editable '.[all]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing everything into .venv: a minute or two, once."
	@$(BIN)/python $(PIP) --editable '.[dev]'
	@touch $@

.venv-wheel/ready: pyproject.toml constraints.txt | .venv-wheel/bin/python
	@.venv-wheel/bin/python $(PIP) '.[test]'
	@touch $@

.venv-bench/ready: pyproject.toml constraints.txt | .venv-bench/bin/python
	@.venv-bench/bin/python $(PIP) --editable '.[bench]'
	@touch $@

browser: .venv/dev  # Chromium for the browser tests: Debian's package as root, else Playwright's
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get; then \
	  echo "Installing Chromium from Debian's package."; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq --yes install chromium > /dev/null; \
	else $(BIN)/playwright install chromium; fi || echo "No Chromium is to be had here: browser tests will be skipped."
