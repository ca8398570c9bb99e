# Two commands do everything: `make demo` shows the product at work, `make test` runs all its tests.
# A machine needs Python 3.11 to 3.13 with pip, and make. Everything else is installed into .venv.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo test check format bench soak generate mcpb lock clean

export PYTHON
# Node, which the checks and some tests use, trusts the certificates that the machine trusts.
export NODE_USE_SYSTEM_CA ?= 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS ?= 1

# Further arguments for pytest: make test ARGS="-k nickel".
ARGS ?=

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv ready for development
	@sh scripts/setup dev

demo: ## See the product at work: describe, validate, price, judge, compare, apply
	@sh scripts/setup demo
	@.venv/bin/prov demo

test: ## Run the whole test suite, with coverage for every package
	@sh scripts/setup dev
	@.venv/bin/python scripts/run_tests.py $(ARGS)

check: ## Lint, format, types and the layers of the house
	@sh scripts/setup dev
	@.venv/bin/python scripts/run_checks.py

format: ## Format the code and mend what the linter can mend
	@sh scripts/setup dev
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

bench: ## Measure against the goals and print the table
	@sh scripts/setup dev
	@.venv/bin/python -m benchmarks

soak: ## Run the heavy tests whole; `make test` runs a sample of them
	@sh scripts/setup dev
	@PROV_TESTS_SOAK=1 .venv/bin/python scripts/run_tests.py --whole $(ARGS)

generate: ## Write again the files that are derived from the code
	@sh scripts/setup dev
	@.venv/bin/python -m prov_server.generate

mcpb: ## Build the bundle that desktop clients install (dist/*.mcpb)
	@sh scripts/setup dev
	@.venv/bin/python scripts/build_mcpb.py

lock: ## Lock the requirements again (UPGRADE=1 takes newer versions)
	@sh scripts/setup dev
	@sh scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## Remove .venv, caches and test results
	@rm -rf .venv .envs .coverage .coverage.* .test-results dist build
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
