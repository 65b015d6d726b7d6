# Two commands matter: `make demo` to see it, `make test` to trust it. `make help` lists the rest.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help demo demo-setup test lint bench load soak machines screenshots

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: ## set up the trial on SQLite and serve it on PORT (default 8000) until Ctrl-C
	@$(PYTHON) -m scripts.demo

demo-setup: ## the same without serving
	@$(PYTHON) -m scripts.demo --setup

test: ## lint and the whole suite, on PostgreSQL with Redis and on SQLite, with its own services
	@$(PYTHON) -m scripts.suite

lint: ## style, import contracts, missing migrations, known faults of what we depend on
	@$(PYTHON) -m scripts.suite lint

bench: ## the benchmarks, on their own services; what they print is kept in var/bench
	@$(PYTHON) -m scripts.bench

load: ## a working morning on the whole city, until the machine does not keep up
	@$(PYTHON) -m scripts.load

soak: ## ten minutes of it at one pace, and the memory of web and worker meanwhile
	@$(PYTHON) -m scripts.load --soak 10

machines: ## several machines in network namespaces, struck one by one; as root
	@$(PYTHON) -m scripts.machines

screenshots: ## the pictures in docs/screenshots, taken from a fresh trial
	@$(PYTHON) -m scripts.screenshots
