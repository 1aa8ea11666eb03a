# Two commands on a fresh Debian 12 or Ubuntu with Swift 6.3 on PATH: `make run` and `make test`.
# One build serves all: the tests, the client tests and the benchmarks use the very binary that `make run` starts.

CONFIG ?= config/entrepot.yaml
DATA   ?= ./data
BENCH  ?=

.DEFAULT_GOAL := help
.PHONY: help run build test check clients soak bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

run: ## install what is missing, build, serve CONFIG (config/entrepot.yaml) with DATA (./data)
	@scripts/packages build
	@scripts/build product
	@exec .build/release/entrepot serve --config $(CONFIG) --data $(DATA)

build: ## build the release binary and all tests
	@scripts/packages build
	@scripts/build tests

test: ## install what the tests need, build, run every test
	@scripts/packages build test
	@scripts/python-clients
	@scripts/build tests
	@scripts/test

check: ## formatting, lint and the architecture's rules
	@swift format lint --strict --recursive --parallel Package.swift Sources plugins Tests
	@scripts/packages build
	@scripts/build tests
	@scripts/test --filter ArchitectureTests

clients: ## the built binary against real clients alone
	@scripts/packages build test
	@scripts/python-clients
	@scripts/build tests
	@scripts/test --filter ClientTests

soak: ## the client tests at their full size: 2 GiB layers, 1,000 kills
	@scripts/packages build test
	@scripts/python-clients
	@scripts/build tests
	@ENTREPOT_FULL=1 scripts/test --filter ClientTests

bench: ## measure beside nginx and docker-registry, and with a million rows; BENCH="--rounds 5 --write" for docs/performance.md
	@scripts/packages build bench
	@scripts/build bench
	@python3 Benchmarks/bench.py $(BENCH)

clean: ## remove what was built; never touches DATA
	@rm -rf .build .build-venv .build-venv-helm
