# Every target sets up .venv by itself; nothing but Python 3.11 or newer and make is needed.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-systems test-language accelerated test-accelerated bench-accelerated check bench \
	bench-quick soak idle storm fmt clean

help:
	@echo "make demo    see a program reach the right clients, and only those"
	@echo "make test    run the tests"
	@echo "make check   lint and type check"
	@echo "make accelerated   build the compiled form, in .venv-fast"
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

# The accelerated form, in an environment of its own.
SOURCES := $(wildcard hyperlambda/*.py slots/*.py native/*.c) setup.py pyproject.toml
FAST := .venv-fast/bin

.venv-fast/installed: .venv/developing $(SOURCES)
	rm -rf build/wheels
	HYPERLAMBDA_COMPILE=1 $(BIN)/python -m build --wheel --no-isolation \
		--outdir build/wheels . > build.log 2>&1 || (cat build.log; exit 1)
	@rm build.log
	$(PYTHON) -m venv --clear .venv-fast
	wheel=$$(echo build/wheels/*.whl); \
		$(FAST)/pip install --quiet --disable-pip-version-check "$$wheel[test]"
	@touch $@

# Those of the language: the rest is Python in both forms.
FAST_TESTS := $(addprefix tests/, test_accelerated.py test_allow.py test_async_slots.py \
	test_body.py test_conformance.py test_docs.py test_errors.py test_evaluator.py \
	test_expressions.py test_fuzz.py test_generator.py test_hostile_programs.py \
	test_iterators.py test_limits.py test_messages.py test_node.py test_parser.py \
	test_samples.py test_sealed.py test_siblings.py test_threads.py test_unwrapping.py \
	slots/test_json.py slots/test_numbers.py slots/test_counting.py \
	server/test_execution.py server/test_sending.py) --deselect=tests/test_fuzz.py::test_what_is_looked_for_is_found
# (the last patches a function, which compiled code does not see)

accelerated: .venv-fast/installed
	@$(FAST)/hyperlambda --version

# Where the checkout is not: its sources would be found first.
test-accelerated: .venv-fast/installed
	rm -rf build/away && mkdir -p build/away
	cp -r tests samples docs benchmarks README.md CHANGELOG.md pyproject.toml build/away
	cd build/away && ../../$(FAST)/python -m pytest $(FAST_TESTS) $(ARGS)

bench-accelerated: .venv-fast/installed
	rm -rf build/away && mkdir -p build/away
	cp -r tests samples docs benchmarks README.md CHANGELOG.md pyproject.toml build/away
	cd build/away && ../../$(FAST)/python -m benchmarks --quick parse evaluate deliver

demo: .venv/installed
	@$(BIN)/hyperlambda demo

# Without arguments in two halves at one time: one waits for servers and browsers while
# the other computes, and says what it has found at its end.
SYSTEMS := $(addprefix tests/, browser cluster commands proxy server)

test: .venv/developing
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	@$(MAKE) --no-print-directory -j2 test-systems test-language
endif

test-systems: .venv/developing
	$(BIN)/python -m pytest $(SYSTEMS)

test-language: .venv/developing
	@mkdir -p build
	@$(BIN)/python -m pytest $(addprefix --ignore=, $(SYSTEMS)) > build/language.log 2>&1; \
		status=$$?; cat build/language.log; exit $$status

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
	rm -rf .venv .venv-fast build dist *.egg-info
