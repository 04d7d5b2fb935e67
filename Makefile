# demo and test do all set-up on a machine that has Python >= 3.11 and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,

.PHONY: demo demo-ui browser docs test check bench bench-own bench-peers stress matrix neighbours newcomer suites format clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python -m tests.demo

demo-ui: demo
	$(BIN)/python -m amplitude_ai --store .demo/events.db ui --open

test: $(VENV)/.installed
	$(BIN)/python -m pytest

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: bench-own bench-peers

# make bench BESIDE=../old: a checkout of another commit takes turns with this one.
bench-own: $(VENV)/.installed
	$(BIN)/python -m benchmarks $(BESIDE)
	$(BIN)/python -m benchmarks.sockets $(BESIDE)
	$(BIN)/python -m benchmarks.start $(BESIDE)
	$(BIN)/python -m benchmarks.holds $(BESIDE)
	$(BIN)/python -m benchmarks.worker $(BESIDE)
	$(BIN)/python -m benchmarks.burst $(BESIDE)
	$(BIN)/python -m benchmarks.growth

bench-peers: $(VENV)/.installed
	$(BIN)/python -m benchmarks.peers

stress: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,stress]'
	$(BIN)/python -m tests.stress $(subst $(comma), ,$(SECTIONS))

# Chromium is the system's own (Debian: apt-get install chromium). SCREENSHOTS=docs renews the documentation's pictures.
browser: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,browser]'
	AMPLITUDE_AI_SCREENSHOTS=$(SCREENSHOTS) $(BIN)/python -m pytest tests/test_browser.py

matrix: $(VENV)/.installed
	$(BIN)/python -m tests.matrix $(subst $(comma), ,$(ROWS))

neighbours: $(VENV)/.installed
	$(BIN)/python -m tests.neighbours $(subst $(comma), ,$(ENVIRONMENTS))

# The ten minutes of docs/start.md in clean environments, timed. WRITE=--write puts the times there.
newcomer: $(VENV)/.installed
	$(BIN)/python -m tests.newcomer $(WRITE)

suites: $(VENV)/.installed
	$(BIN)/python -m tests.suites $(subst $(comma), ,$(LIBRARIES))

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .bench .matrix .neighbours .suites .pytest_cache .mypy_cache .ruff_cache .hypothesis
