# Every target makes .venv when it is needed. `make help` lists them.

PYTHON ?= python3
DEVICE ?= auto
VENV := .venv
STARVOX := $(VENV)/bin/python -m starvox
# Chainer's source distribution does not build with setuptools 81 or later.
# pip before 25.3 reads PIP_CONSTRAINT in its isolated builds, later ones PIP_BUILD_CONSTRAINT.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(VENV)/bin/python -m pip
INSTALL = $(PIP) install --quiet --disable-pip-version-check

# With CUDA=12 or CUDA=13, or with NP=, another mark, so that a .venv made without it is completed.
SEVERAL := $(filter-out 1,$(NP))
EXTRAS := $(strip $(if $(CUDA),cuda$(CUDA)) $(if $(SEVERAL),mpi $(if $(CUDA),nccl$(CUDA))))
COMMA := ,
NOTHING :=
SPACE := $(NOTHING) $(NOTHING)
READY := $(VENV)/.ready$(if $(CUDA),-cuda$(CUDA))$(if $(SEVERAL),-mpi)

.DEFAULT_GOAL := help
.PHONY: help train resume plot replay evaluate keep report data ladder show test test-quick test-long bench lint format clean

help: ## this list
	@echo "make TARGET [NAME=value ...]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Names:"
	@echo "  EXP=47c97768         the experiment: a folder of experiments/"
	@echo "  DATA=manifest.csv    your own clips (data/README.md); default: synthetic speech"
	@echo "  CORPUS=demo          which synthetic speech: demo, or record (1421 speakers)"
	@echo "  HELD_OUT=clips.csv   clips to sample; default: held_out.csv beside DATA"
	@echo "  OUT=results/EXP      where the run goes"
	@echo "  DEVICE=auto          auto, cpu or cuda:N"
	@echo "  NP=1                 processes that train together (docs/parallel.md)"
	@echo "  ITERATIONS=N         stop early; default: the experiment's epochs"
	@echo "  SEED=0               of everything random"
	@echo "  SET=\"loss.identity_weight=0 ...\"  values for this run alone"
	@echo "  ARGS=\"...\"           more options, see: $(STARVOX) train --help"
	@echo "  PYTHON=python3.12    the Python that makes .venv (3.11 to 3.13)"
	@echo "  CUDA=12              install CuPy for CUDA 12 (or 13) into .venv"

train: need-exp $(READY) ## train an experiment: make train EXP=47c97768
	@$(STARVOX) train "$(EXP)" $(OPTIONS) $(if $(CORPUS),--corpus "$(CORPUS)") $(ARGS)

resume: need-exp $(READY) ## go on from the newest snapshot: make resume EXP=47c97768
	@$(STARVOX) resume "$(EXP)" $(OPTIONS) $(ARGS)

OPTIONS = $(if $(OUT),--out "$(OUT)") --device "$(DEVICE)" $(if $(DATA),--data "$(DATA)") \
	$(if $(HELD_OUT),--held-out "$(HELD_OUT)") $(if $(ITERATIONS),--iterations "$(ITERATIONS)") \
	$(if $(SEED),--seed "$(SEED)") $(if $(SEVERAL),--np "$(NP)") $(foreach pair,$(SET),--set "$(pair)")

# the results folder of EXP, unless OUT names another
RUN = $(or $(OUT),results/$(EXP))

plot: need-exp $(READY) ## the record's five figures from a run's log, PNG and SVG
	@$(STARVOX) plot "$(RUN)" -o "$(RUN)/curves" $(ARGS)

replay: need-exp $(READY) ## converted speech: make replay EXP=... WAV=in.wav SPEAKER=... BIRTHPLACE=... SEX=...
	@test -n "$(WAV)" || { echo "WAV= is missing: a sound file, a folder or a pattern" >&2; exit 2; }
	@$(STARVOX) replay "$(RUN)" "$(WAV)" --device "$(DEVICE)" $(if $(SPEAKER),--speaker "$(SPEAKER)") \
	$(if $(BIRTHPLACE),--birthplace "$(BIRTHPLACE)") $(if $(SEX),--sex "$(SEX)") $(ARGS)

evaluate: need-exp $(READY) ## does it copy its input or answer to the labels? in numbers
	@$(STARVOX) evaluate "$(RUN)" --device "$(DEVICE)" $(if $(DATA),--data "$(DATA)") $(ARGS)

keep: need-exp $(READY) ## put what should last of a finished run into experiments/EXP/runs: ARGS=--weights
	@$(STARVOX) keep "$(RUN)" --device "$(DEVICE)" $(if $(DATA),--data "$(DATA)") $(ARGS)

report: need-exp $(READY) ## one HTML page of a run
	@$(STARVOX) report "$(RUN)" $(ARGS)

ladder: $(READY) ## train the rungs of experiments/ladder that are missing, two at a time (scripts/ladder.py)
	@$(VENV)/bin/python scripts/ladder.py $(ARGS)

show: need-exp $(READY) ## every value of an experiment, and the file that set it
	@$(STARVOX) show "$(EXP)" $(ARGS)

data: $(READY) ## make synthetic speech in data/demo: make data, or CORPUS=record
	@$(STARVOX) data $(if $(CORPUS),--corpus "$(CORPUS)") $(ARGS)

test: $(VENV)/.ready-test ## the tests
	@OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile $(ARGS)

# audio, networks, losses, one iteration, configuration: no training, no command
QUICK := audio models plotting fast_cpu training/test_losses.py training/test_updater.py \
	training/test_iterator.py training/test_assemble.py test_config.py test_imports.py
test-quick: $(VENV)/.ready-test ## the tests of what the experiment is, in under a minute
	@OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile $(QUICK:%=tests/%) $(ARGS)

test-long: $(VENV)/.ready-test ## the tests that take minutes
	@$(VENV)/bin/python -m pytest -m long -s $(ARGS)

bench: $(VENV)/.ready-bench ## time and memory beside PyTorch: make bench, or EXP=... ARGS=--help
	@$(VENV)/bin/python -m benchmarks $(if $(EXP),--experiment "$(EXP)") --device "$(DEVICE)" \
	$(if $(DATA),--data "$(DATA)") $(if $(OUT),--out "$(OUT)") $(ARGS)

lint: $(VENV)/.ready-test ## style
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

format: $(VENV)/.ready-test ## mend the style
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

clean: ## remove .venv (results and data stay)
	rm -rf $(VENV)

.PHONY: need-exp
need-exp:
ifeq ($(strip $(EXP)),)
	@echo "EXP= is missing; the experiments are: $(notdir $(patsubst %/config.toml,%,$(wildcard experiments/*/config.toml)))" >&2
	@exit 2
endif

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); \
	ok or sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d; name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "making $(VENV) (once, a minute or two)"
	@$(PYTHON) -m venv $(VENV)

$(READY): setup.py constraints.txt | $(VENV)/bin/python
	@$(INSTALL) -e ".$(if $(EXTRAS),[$(subst $(SPACE),$(COMMA),$(EXTRAS))])"
	@touch $@

$(VENV)/.ready-test: $(READY)
	@$(INSTALL) -e ".[test]"
	@touch $@

$(VENV)/.ready-bench: $(READY)
	@$(INSTALL) -e ".[bench]"
	@touch $@
