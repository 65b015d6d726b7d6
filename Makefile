# `make help` lists what there is.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help test lint

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

test: ## lint and the whole suite, on PostgreSQL with Redis and on SQLite, with its own services
	@$(PYTHON) -m scripts.suite

lint: ## style, import contracts, missing migrations
	@$(PYTHON) -m scripts.suite lint

