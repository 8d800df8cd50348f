# Every target sets up .venv by itself; nothing but Python 3.11 or newer and make is needed.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test check bench bench-quick soak idle storm fmt clean

help:
	@echo "make demo    see a program reach the right clients, and only those"
	@echo "make test    run the tests"
	@echo "make check   lint and type check"
	@echo "make bench   measure speed beside other tools, into docs/benchmarks.md"
	@echo "make soak    let 2,000 clients come and go for 5 minutes"
	@echo "make idle    let clients of others do nothing for 5 minutes, and see that they stay"
	@echo "make storm   let clients drop and come back during 100,000 messages"

# What users need.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# What we need besides.
.venv/developing: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: .venv/installed
	@$(BIN)/hyperlambda demo

test: .venv/developing
	$(BIN)/python -m pytest $(ARGS)

check: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/developing
	$(BIN)/python -m benchmarks --write $(ARGS)

bench-quick: .venv/developing
	$(BIN)/python -m benchmarks --quick --check $(ARGS)

storm: .venv/developing
	STORM_MESSAGES=100000 $(BIN)/python -m pytest tests/cluster/test_history_storm.py $(ARGS)

soak: .venv/developing
	$(BIN)/python -m benchmarks.soak $(ARGS)

idle: .venv/developing
	IDLE_SECONDS=300 $(BIN)/python -m pytest -k idle tests/server $(ARGS)

fmt: .venv/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist *.egg-info
