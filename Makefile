# Every target sets up what it needs in .venv (PYTHON says with which interpreter): run any of them first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Where the larger data sets lie, for tests and benchmarks that skip without them.
ifneq ($(wildcard ../shared/data),)
export HASHINDEX_DATA ?= $(abspath ../shared/data)
endif
# A failed native build is an error here, never a slower wheel.
export HASHINDEX_REQUIRE_NATIVE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

MARKED := not large
SUITES := scan radius nearest embeddings single build_and_memory keeping writing scaling adversarial planner postgres training

.PHONY: help demo reproduce test test-integrations check docs bench bench-large radii package emulate sanitize crash fuzz wheels clean

help:  ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(READY)  ## Train HashNet on real images, search the codes, check against faiss, write report.html
	$(BIN)/hashindex demo

reproduce: $(READY)  ## Train HashNet, its ablations and every baseline on handwritten digits (minutes); keeps the numbers
	$(BIN)/hashindex reproduce embedded \
	  --json benchmarks/results/reproduce_embedded.json --table benchmarks/results/reproduce_embedded.md

test: $(READY)  ## Run the tests
	$(BIN)/python -m pytest

test-integrations: $(READY)  ## Install the systems that adapters plug into, and test against them
	$(BIN)/python -m pip install -q -c constraints.txt --group integrations
	HASHINDEX_REQUIRE_PEERS=1 $(BIN)/python -m pytest tests/connect

check: $(READY)  ## Lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find csrc tests/native -name '*.h' -o -name '*.cpp' | xargs $(BIN)/clang-format --dry-run --Werror

docs: $(READY)  ## Build the documentation into docs/_build/html and run its examples
	$(BIN)/sphinx-build -q -W --keep-going -b doctest docs docs/_build/doctest
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

bench: $(READY)  ## Measure beside faiss, usearch, pynear and NumPy; rewrites docs/benchmarks/ and docs/comparison.md (one to two hours)
	folder=benchmarks/results/$$($(BIN)/python -c "from hashindex.engines.native import NativeEngine; print(NativeEngine().isa)"); \
	mkdir -p $$folder; \
	for suite in $(SUITES); do \
	  $(BIN)/python -m pytest benchmarks/test_$$suite.py -q -m "$(MARKED)" --benchmark-json=$$folder/$$suite.json || exit 1; \
	done
	$(BIN)/python benchmarks/report.py

radii: $(READY)  ## Measure distances of real hashes for docs/radius.md (HASHINDEX_DATA with vpdq and cifar10.zip); minutes
	$(BIN)/python benchmarks/radii.py
	$(BIN)/python benchmarks/report.py

bench-large: MARKED :=
bench-large: bench  ## The same with 1e8 codes, all pairs of 1e7, and a store of 1e9 codes (35 GB of the disk)

package: $(READY)  ## Build the source distribution and install it in empty environments
	$(BIN)/python -m pytest tests/packaging/test_packaging.py

wheels: $(READY)  ## Build manylinux2014 wheels of x86-64 and AArch64 into dist/ with Zig's compiler, and try both (qemu)
	$(BIN)/python -m pip install -q -c constraints.txt --group wheels
	tools/build_wheels.sh $(BIN)/python
	$(BIN)/python -m pytest tests/packaging/test_wheels.py

emulate: $(READY)  ## Run the kernels as other CPUs: AArch64, x86-64 with AVX-512, without it, without AVX2
	tests/native/emulate.sh $(BIN)/python

sanitize:  ## Run the native tests under ASan, UBSan and TSan
	tests/native/sanitize.sh

crash: $(READY)  ## Kill a writer, fail the disk and cut the power at every call that changes a store (strace; half an hour)
	$(BIN)/python tests/helpers/crashes.py
	$(BIN)/python tests/helpers/power_failures.py --random 20
	HASHINDEX_EXAMPLES=250 $(BIN)/python -m pytest -q tests/store/test_machine.py

fuzz: $(READY)  ## Load and search 100,000 damaged files, with the native core under ASan and UBSan
	tests/store/fuzz.sh $(BIN)/python

clean:  ## Remove what the other targets made
	rm -rf $(VENV) build dist docs/_build report.html

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

# Dependencies once, then the package itself whenever its build or the native code changes. The package is built with
# what stands here; pdqhash, where no wheel of it is found, with what it asks for itself.
$(VENV)/.dependencies: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install -q "pip>=25.1"
	$(BIN)/python -m pip install -q -c constraints.txt torch==2.13.0 \
	  "scikit-build-core>=0.11" "pybind11>=3.0" "cmake>=3.18" ninja build pdqhash
	touch $@

$(READY): $(VENV)/.dependencies CMakeLists.txt $(shell find csrc src -name '*.cpp' -o -name '*.h' -o -name '*.py')
	$(BIN)/python -m pip install -q -c constraints.txt --no-build-isolation --group check --group docs -e ".[demo,test,bench]"
	touch $@
