# Every target makes .venv when it is needed. `make help` lists them.

PYTHON ?= python3
VENV := .venv
STARVOX := $(VENV)/bin/python -m starvox

# What a user gives is text: make does not expand it, and the shell takes it from the environment, in quotes.
# ARGS alone is read by the shell, so that quotes in it group words.
TEXTS := EXP DATA CORPUS HELD_OUT OUT DEVICE NP ITERATIONS SEED SET WAV SPEAKER BIRTHPLACE SEX CUDA
$(foreach name,$(TEXTS),$(eval override $(name) := $$(value $(name))))
export $(TEXTS)

# With CUDA=12 or CUDA=13, or with NP=, another mark, so that a .venv made without it is completed.
SEVERAL := $(filter-out 1,$(NP))
ifneq ($(filter-out 12 13,$(CUDA)),)
$(error CUDA= is 12 or 13)
endif
EXTRAS := $(strip $(if $(CUDA),cuda$(CUDA)) $(if $(SEVERAL),mpi $(if $(CUDA),nccl$(CUDA))))
COMMA := ,
NOTHING :=
SPACE := $(NOTHING) $(NOTHING)
READY := $(VENV)/.ready$(if $(CUDA),-cuda$(CUDA))$(if $(SEVERAL),-mpi)

.DEFAULT_GOAL := help
.PHONY: help train resume reproduce plot replay evaluate keep report listen data ladder show test test-quick test-long check-gpu bench lint format clean

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
	@$(SETTINGS) exec $(STARVOX) train "$$EXP" $(OPTIONS) $${CORPUS:+--corpus="$$CORPUS"} $(ARGS)

resume: need-exp $(READY) ## go on from the newest snapshot: make resume EXP=47c97768
	@$(SETTINGS) exec $(STARVOX) resume "$$EXP" $(OPTIONS) $(ARGS)

reproduce: $(READY) ## 47c97768 to its end, then its evaluation, curves and report; resumes what is there
	@$(MAKE) --no-print-directory EXP=47c97768 OUT= $(if $(wildcard results/47c97768/snapshot_iter_*.npz),resume,train)
	@$(MAKE) --no-print-directory EXP=47c97768 OUT= evaluate plot report

# `exec`, so that a signal to make reaches the training, and make waits for its end.
OPTIONS = $${OUT:+--out="$$OUT"} $${DEVICE:+--device="$$DEVICE"} $${DATA:+--data="$$DATA"} \
	$${HELD_OUT:+--held-out="$$HELD_OUT"} $${ITERATIONS:+--iterations="$$ITERATIONS"} \
	$${SEED:+--seed="$$SEED"} $(if $(SEVERAL),--np="$$NP") "$$@"
# an option for each word of SET, none of them taken for a pattern of files
SETTINGS = set -f; set --; for pair in $$SET; do set -- "$$@" --set="$$pair"; done; set +f;

# the results folder of EXP, unless OUT names another
RUN = "$${OUT:-results/$$EXP}"

plot: need-exp $(READY) ## the record's five figures from a run's log, PNG and SVG
	@exec $(STARVOX) plot $(RUN) -o $(RUN)/curves $(ARGS)

replay: need-exp $(READY) ## converted speech: make replay EXP=... WAV=in.wav SPEAKER=... BIRTHPLACE=... SEX=...
	@test -n "$$WAV" || { echo "WAV= is missing: a sound file, a folder or a pattern" >&2; exit 2; }
	@exec $(STARVOX) replay $(RUN) "$$WAV" $${DEVICE:+--device="$$DEVICE"} $${SPEAKER:+--speaker="$$SPEAKER"} \
	$${BIRTHPLACE:+--birthplace="$$BIRTHPLACE"} $${SEX:+--sex="$$SEX"} $(ARGS)

evaluate: need-exp $(READY) ## does it copy its input or answer to the labels? in numbers
	@exec $(STARVOX) evaluate $(RUN) $${DEVICE:+--device="$$DEVICE"} $${DATA:+--data="$$DATA"} $(ARGS)

keep: need-exp $(READY) ## put what should last of a finished run into experiments/EXP/runs: ARGS=--weights
	@exec $(STARVOX) keep $(RUN) $${DEVICE:+--device="$$DEVICE"} $${DATA:+--data="$$DATA"} $(ARGS)

report: need-exp $(READY) ## one HTML page of a run
	@exec $(STARVOX) report $(RUN) $(ARGS)

listen: $(READY) ## docs/listen/index.html: the kept runs to hear and see (scripts/listen.py)
	@exec $(VENV)/bin/python scripts/listen.py $(ARGS)

ladder: $(READY) ## train the rungs of experiments/ladder that are missing, two at a time, and tabulate them
	@exec $(VENV)/bin/python scripts/ladder.py $(ARGS)
	@exec $(VENV)/bin/python scripts/ladder_report.py

show: need-exp $(READY) ## every value of an experiment, and the file that set it
	@exec $(STARVOX) show "$$EXP" $(ARGS)

data: $(READY) ## make synthetic speech in data/demo: make data, or CORPUS=record
	@exec $(STARVOX) data $${CORPUS:+--corpus="$$CORPUS"} $(ARGS)

test: $(VENV)/.ready-test ## the tests
	@exec env OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile $(ARGS)

# audio, networks, losses, one iteration, configuration: no training, no command
QUICK := audio models plotting fast_cpu training/test_losses.py training/test_updater.py \
	training/test_iterator.py training/test_assemble.py test_config.py test_imports.py
test-quick: $(VENV)/.ready-test ## the tests of what the experiment is, in under a minute
	@exec env OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile $(QUICK:%=tests/%) $(ARGS)

test-long: $(VENV)/.ready-test ## the tests that take minutes
	@exec $(VENV)/bin/python -m pytest -m long -s $(ARGS)

check-gpu: $(VENV)/.ready-test ## this machine's GPU: tests, an iteration against the CPU's, speed: make check-gpu CUDA=12
	@exec $(VENV)/bin/python scripts/check_gpu.py $${EXP:+--experiment="$$EXP"} $${OUT:+--out="$$OUT"} $(ARGS)

bench: $(VENV)/.ready-bench ## time and memory beside PyTorch: make bench, or EXP=... ARGS=--help
	@exec $(VENV)/bin/python -m benchmarks $${EXP:+--experiment="$$EXP"} $${DEVICE:+--device="$$DEVICE"} \
	$${DATA:+--data="$$DATA"} $${OUT:+--out="$$OUT"} $(ARGS)

lint: $(VENV)/.ready-test ## style and types
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

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

# One make at a time installs; another waits for it, and finds it done. A .venv without pip, as a kill
# leaves it, is made anew. Chainer's source distribution does not build with setuptools 81 or later: pip before
# 25.3 reads PIP_CONSTRAINT in its isolated builds, later ones PIP_BUILD_CONSTRAINT.
export LOCKED := import fcntl, os, sys; file = open("constraints.txt"); fcntl.flock(file, fcntl.LOCK_EX); \
	os.set_inheritable(file.fileno(), True); os.execvp(sys.argv[1], sys.argv[1:])
export SUITED := import sys; ok = (3, 11) <= sys.version_info < (3, 14); \
	ok or sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d; name another: make PYTHON=python3.12" % sys.version_info[:2])
INSTALL = @$(PYTHON) -c "$$LOCKED" sh -ec 'test ! -e $@ || test "$$(find $^ -newer $@)" || exit 0; \
	$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || { $(PYTHON) -c "$$SUITED"; \
	echo "making $(VENV) (once, a minute or two)"; $(PYTHON) -m venv --clear $(VENV); }; \
	export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt; \
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e "$(1)"; touch $@'

$(READY): setup.py constraints.txt
	$(call INSTALL,.$(if $(EXTRAS),[$(subst $(SPACE),$(COMMA),$(EXTRAS))]))

$(VENV)/.ready-test: $(READY)
	$(call INSTALL,.[test])

$(VENV)/.ready-bench: $(READY)
	$(call INSTALL,.[bench])
