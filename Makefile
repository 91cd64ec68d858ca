PYTHON ?= python
.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: test
test:  ## The core test suite: no GPU, no model, no network
	pytest -q

.PHONY: lint
lint:  ## Formatting and lint
	ruff format --check .
	ruff check .

.PHONY: types
types:  ## pyright strict, over the packages as they import
	mkdir -p build/types/perception_reward
	for d in service trainer_client annotations; do ln -sfn ../../../$$d build/types/perception_reward/$$d; done
	pyright --pythonpath "$$(command -v $(PYTHON))"

.PHONY: layers
layers:  ## The layers that DESIGN promises, held by import-linter
	lint-imports

.PHONY: format
format:  ## Format in place
	ruff format .
	ruff check --fix .
