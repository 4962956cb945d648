# Two commands: `make run` and `make test`. Both install what is missing.
#   make run ARGS="--config tidegate.toml"       hands flags to `tidegate serve`
#   make run FLIGHTS_ARGS="--replicate 60"       hands flags to the plugin flights
#   make run PROFILE=debug                       builds quickly, runs slowly
#   make run PORT=3025 BUS_PORT=3026             where the gateway and its bus listen
PROFILE ?= release
PORT ?= 2025
BUS_PORT ?= 2026
ARGS ?=
FLIGHTS_ARGS ?=
SOAK_MINUTES ?= 2
export PROFILE PORT BUS_PORT ARGS FLIGHTS_ARGS SOAK_MINUTES

.PHONY: help setup build run test lint fmt bench reliability clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.* ## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install what is missing
	@exec scripts/setup

build: ## build the front end, the gateway and the plugins
	@scripts/setup run
	@exec scripts/build "$(PROFILE)"

run: ## build and start the gateway with its plugins on http://127.0.0.1:2025
	@exec scripts/run

test: ## run every check and every test
	@exec scripts/test

lint: ## formatting, clippy, licences, scripts, container files
	@scripts/setup
	@exec scripts/lint

fmt: ## format the Rust sources
	@cargo fmt --all

bench: ## measure the gateway beside the floor
	@scripts/setup run
	@exec bench/run

reliability: ## try to break the gateway; SOAK_MINUTES=30 for the long soak
	@scripts/setup run
	@exec bench/reliability

clean: ## remove what was built and installed inside this folder
	@exec scripts/clean
