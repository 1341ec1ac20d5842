# bufpool: one build for library, compiler, tests, demo and benchmark. `make help` is the index.
#
#   MODE=release|debug|asan|tsan   each mode builds into build/<mode>, so that modes never mix
#   CC=gcc|clang                   DESTDIR=, prefix=   as usual for install

MODE ?= release
CC = gcc
AR = ar
PKG_CONFIG = pkg-config
prefix = /usr/local
bindir = $(prefix)/bin
libdir = $(prefix)/lib
includedir = $(prefix)/include
pkgconfigdir = $(libdir)/pkgconfig
INSTALL = install

B := build/$(MODE)
JOBS := $(shell nproc 2>/dev/null || echo 2)

# ---- flags --------------------------------------------------------------------------------------------------------
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror
MODE_release = -O2 -g
MODE_debug = -O0 -g -DBPI_DEBUG
MODE_asan = -O1 -g -DBPI_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
MODE_tsan = -O1 -g -DBPI_DEBUG -fsanitize=thread
ifeq ($(MODE_$(MODE)),)
$(error MODE=$(MODE) is not one of release debug asan tsan)
endif

# -latomic-free, C11; generated code and inline headers are compiled with the same warnings as our own.
CPPFLAGS = -Iinclude -Isrc -I. -Igenerated
CFLAGS =
ALL_CFLAGS = -std=c11 $(MODE_$(MODE)) $(WARNINGS) -fvisibility=hidden -pthread $(CFLAGS)
ALL_LDFLAGS = $(MODE_$(MODE)) -pthread $(LDFLAGS)

# Expanded only when a recipe runs, which is after `make setup` where set-up is part of the target.
pkg_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))
UV_LIBS = $(call pkg_libs,libuv,-luv)
YAML_LIBS = $(call pkg_libs,yaml-0.1,-lyaml)
CHECK_LIBS = $(call pkg_libs,check,-lcheck -lsubunit -lm -lrt)

# ---- what is built ------------------------------------------------------------------------------------------------
LIB_SOURCES := $(sort $(wildcard src/*/*.c src/*/generated/*.c))
CODEGEN_SOURCES := $(sort $(wildcard codegen/*.c))
TEMPLATES := $(sort $(wildcard codegen/templates/*.tmpl))
GENERATED_SOURCES := $(sort $(wildcard generated/*.c))
SUPPORT_SOURCES := $(sort $(wildcard tests/support/*.c))
TEST_SOURCES := $(sort $(wildcard tests/*.c tests/unit/*.c tests/unit/*/*.c tests/integration/*.c))
DEMO_SOURCES := $(sort $(wildcard examples/demo/*.c))
BOOK_SERVER_SOURCES := $(sort $(wildcard examples/book_server/*.c))
BOOK_CLIENT_SOURCES := $(sort $(wildcard examples/book_client/*.c))
OBJECTS_SOURCES := $(sort $(wildcard examples/objects/*.c))
OWN_POOL_SOURCES := $(sort $(wildcard examples/own_pool/*.c))
BENCH_SOURCES := $(sort $(wildcard bench/*.c))

objects = $(patsubst %.c,$(B)/%.o,$(1))
LIB_OBJECTS := $(call objects,$(LIB_SOURCES))
CODEGEN_OBJECTS := $(call objects,$(CODEGEN_SOURCES)) $(B)/codegen/templates.o
GENERATED_OBJECTS := $(call objects,$(GENERATED_SOURCES))
SUPPORT_OBJECTS := $(call objects,$(SUPPORT_SOURCES))
TEST_OBJECTS := $(call objects,$(TEST_SOURCES))
# Contracts of the tests' own, compiled like a user's, and instances of every message of these and of ours.
TEST_CONTRACTS := $(sort $(wildcard tests/contracts/*.yaml))
TEST_SCHEMAS := $(patsubst tests/contracts/%.yaml,%,$(TEST_CONTRACTS))
SAMPLE_TEMPLATES := $(sort $(wildcard tests/sampler/*.tmpl) $(wildcard codegen/templates/*differs*.tmpl) codegen/templates/subject_place.tmpl)
CONTRACT_DIR := $(B)/tests/contracts
CONTRACT_HEADERS := $(patsubst %,$(CONTRACT_DIR)/%.h,$(TEST_SCHEMAS)) $(patsubst %,$(CONTRACT_DIR)/%_samples.h,market $(TEST_SCHEMAS))
CONTRACT_OBJECTS := $(patsubst %,$(CONTRACT_DIR)/%_samples.o,market $(TEST_SCHEMAS)) \
  $(patsubst %,$(CONTRACT_DIR)/%_messages.o,$(TEST_SCHEMAS)) $(patsubst %,$(CONTRACT_DIR)/%_service.o,$(TEST_SCHEMAS))
# The tests that bufpoolc writes, as a user would run them.
WRITTEN_TEST_SCHEMAS = market bpi_transfer $(TEST_SCHEMAS)
WRITTEN_TESTS = $(patsubst %,$(CONTRACT_DIR)/%_test,$(WRITTEN_TEST_SCHEMAS))
# The codec rows' contract, and the same messages for codecs of other projects: those of BENCH_PEERS, which `make bench`
# finds out with scripts/bench-peers.sh. Transports of other projects need only their libraries.
BENCH_CONTRACT_DIR := $(B)/bench/contracts
BENCH_PEERS =
BENCH_PEER_OBJECTS = $(patsubst %,$(BENCH_CONTRACT_DIR)/%.o,$(BENCH_PEER_SOURCES))
BENCH_PEER_SOURCES = $(if $(filter NANOPB,$(BENCH_PEERS)),codec.pb) $(if $(filter PROTOBUF_C,$(BENCH_PEERS)),codec.pb-c)
BENCH_PEER_LIBS = $(if $(filter NANOPB,$(BENCH_PEERS)),-lprotobuf-nanopb) \
  $(if $(filter PROTOBUF_C,$(BENCH_PEERS)),-lprotobuf-c) $(if $(filter MPACK,$(BENCH_PEERS)),-lmpack) \
  $(if $(filter LIBEVENT,$(BENCH_PEERS)),-levent) $(if $(filter ZEROMQ,$(BENCH_PEERS)),-lzmq) \
  $(if $(filter NNG,$(BENCH_PEERS)),-lnng) $(if $(filter ISAL,$(BENCH_PEERS)),-lisal)
# The pool room once more, as a program in which a scheduler decides at every atomic operation who goes on.
SCHED_FLAGS = -include tests/sched/seam.h
SCHED_OBJECTS := $(call objects,$(sort $(wildcard tests/sched/*.c)))
SCHED_ROOM := $(patsubst src/%.c,$(B)/tests/sched/room/%.o,$(wildcard src/base/*.c src/pool/*.c))
DEMO_OBJECTS := $(call objects,$(DEMO_SOURCES))
BOOK_SERVER_OBJECTS := $(call objects,$(BOOK_SERVER_SOURCES))
BOOK_CLIENT_OBJECTS := $(call objects,$(BOOK_CLIENT_SOURCES))
OBJECTS_OBJECTS := $(call objects,$(OBJECTS_SOURCES))
OWN_POOL_OBJECTS := $(call objects,$(OWN_POOL_SOURCES))
BENCH_OBJECTS := $(call objects,$(BENCH_SOURCES))
BENCH_POOL_OBJECTS := $(call objects,$(sort $(wildcard bench/pool/*.c)) bench/main.c bench/allocator.c)
# Counts every allocation of the process it is linked into.
COUNT_OBJECT := $(B)/tests/support/alloc_count.o

# Sanitizers have stacks and thread-locals of their own.
SCHED_BUILT := $(if $(filter asan tsan,$(MODE)),,$(B)/bufpool-sched)

LIB := $(B)/libbufpool.a
BUFPOOLC := $(B)/bufpoolc
TESTS := $(B)/bufpool-tests
SCHED := $(B)/bufpool-sched
DEMO := $(B)/bufpool-demo
BOOK_SERVER := $(B)/book-server
BOOK_CLIENT := $(B)/book-client
OBJECTS := $(B)/objects
OWN_POOL := $(B)/own-pool
BENCH := $(B)/bufpool-bench
BENCH_POOL := $(B)/bufpool-bench-pool
SAMPLER := $(B)/sampler
RANDOM_CONTRACT := $(B)/random-contract
RANDOM_OBJECTS := $(B)/random-objects.a

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- the two commands ---------------------------------------------------------------------------------------------
.PHONY: demo test all generate help setup setup-ci setup-bench
demo: setup ## set up, build and run the demo: live telemetry and a market burst between two processes
	@$(MAKE) --no-print-directory -j$(JOBS) $(DEMO)
	@$(DEMO)

test: setup ## set up, build and run the tests (BPT_ONLY=pool_ runs the suites that begin so)
	@rm -f $(TABLE)
	@$(STEP) 'build' $(MAKE) --no-print-directory -j$(JOBS) check-generated tests
	@[ -n "$$BPT_ONLY" ] || $(STEP) 'random contracts, tests that bufpoolc writes, schedules' \
	  $(MAKE) --no-print-directory -j$(JOBS) $(TEST_ASIDE) RANDOM_MODE=quick RANDOM_COUNT=6 WRITTEN_TEST_SCHEMAS="market zoo"
	@sh tests/scripts/step.sh $(TABLE)
	@case "$$BPT_ONLY" in sched_*) $(SCHED) ;; *) $(TESTS) ;; esac

# How long each step of a tier took, printed at its end.
TABLE = build/times/$@
STEP = sh tests/scripts/step.sh $(TABLE)

# What `make test` does side by side, before the tests: their summary is its last line.
TEST_ASIDE = check-random check-written $(if $(SCHED_BUILT),run-schedules)
.PHONY: run-schedules
run-schedules: $(SCHED)
	@$(SCHED)

all: $(LIB) $(BUFPOOLC) $(DEMO) $(BOOK_SERVER) $(BOOK_CLIENT) $(OBJECTS) $(OWN_POOL) ## build the library, the compiler, the demo and the examples

generate: $(BUFPOOLC) ## write generated/ anew from contracts.yaml, and the library's own from src/transfer/transfer.yaml
	$(BUFPOOLC) generate contracts.yaml --out-dir generated
	$(BUFPOOLC) generate src/transfer/transfer.yaml --out-dir src/transfer/generated

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

setup: ## install what is missing (libyaml, libuv, check, pkg-config), saying what and why
	@CC='$(CC)' sh scripts/setup.sh build

setup-ci: ## install what `make ci` needs besides (clang, valgrind)
	@CC='$(CC)' sh scripts/setup.sh ci

setup-bench: ## install what `make bench` compares with (codecs, transports, allocators, check sums)
	@CC='$(CC)' sh scripts/setup.sh bench

# ---- more -----------------------------------------------------------------------------------------------------------
.PHONY: tests bench bench-quick bench-layouts ci check-generated check-schedules check-mutants check-written check-leaks check-soak check-objects lint check-headers check-schema docs check-change check-install clean install
tests: $(TESTS) $(SCHED_BUILT) $(BOOK_SERVER) $(BOOK_CLIENT) $(OBJECTS) $(OWN_POOL) $(BUFPOOLC) ## build the tests without running them

check-generated: $(BUFPOOLC) ## fail when generated files of the tree are not what their contracts say
	@$(BUFPOOLC) generate contracts.yaml --out-dir generated --check
	@$(BUFPOOLC) generate src/transfer/transfer.yaml --out-dir src/transfer/generated --check

check-written: $(WRITTEN_TESTS) ## run the tests that bufpoolc writes for our contract and for those of the tests
	@for test in $^; do $$test || exit 1; done

ci: setup setup-ci ## the longer checks: sanitizers, leaks, fuzzing, a minute of load, an edited contract, an installed copy
	@rm -f $(TABLE)
	@$(STEP) 'gcc, address and undefined: build' $(MAKE) --no-print-directory -j$(JOBS) MODE=asan tests check-written
	@$(STEP) 'gcc, address and undefined: tests' $(MAKE) --no-print-directory MODE=asan ci-tests
	@$(STEP) 'gcc, thread: build' $(MAKE) --no-print-directory -j$(JOBS) MODE=tsan tests
	@$(STEP) 'gcc, thread: tests; leaks' $(MAKE) --no-print-directory -j2 ci-threads check-leaks
	@$(STEP) 'clang: build' $(MAKE) --no-print-directory -j$(JOBS) CC=clang B=build/clang tests check-written
	@$(STEP) 'clang: tests' $(MAKE) --no-print-directory CC=clang B=build/clang ci-tests
	@$(STEP) 'rules, headers, schema, installed copy, large objects' $(MAKE) --no-print-directory lint check-headers check-schema check-install check-objects OBJECTS_MIB=512
	@$(STEP) 'edited contract, random contracts' $(MAKE) --no-print-directory -j2 check-change check-random
	@$(STEP) 'fuzzers, load' $(MAKE) --no-print-directory -j2 fuzz-all check-soak FUZZ_SECONDS=10 FUZZ_JOBS=2 SOAK_SECONDS=60
	@$(STEP)

# Check's processes free much; with the usual quarantine every test's search for leaks would walk through all of that.
CI_TESTS = BPT_SLOW=8 ASAN_OPTIONS=quarantine_size_mb=4
THREAD_SUITES = base_,frame_,generated_service,integration_kill,integration_session,integration_soak,integration_traffic,integration_transfer,pool_,support_,transfer_,transport_
.PHONY: ci-tests ci-threads some-tests
ci-tests:
	$(CI_TESTS) $(TESTS)
ci-threads: # two suites at a time: the search for leaks, which runs beside, ends long before
	@$(MAKE) --no-print-directory MODE=tsan some-tests SUITES=$(THREAD_SUITES) TEST_JOBS=2
TEST_JOBS = 1
some-tests:
	$(CI_TESTS) BPT_JOBS=$(TEST_JOBS) BPT_ONLY=$(SUITES) $(TESTS)

LEAK_SUITES = integration_book_server,integration_kill,integration_session,integration_traffic,generated_service,pool_size_class,pool_heap,pool_watch,pool_wrap,pool_copy_out,transport_conn,transport_send,transport_frame_io,transfer_dir_put,transfer_dir_resume,transfer_dir_list,transfer_store
check-leaks: $(TESTS) $(BOOK_SERVER) $(BOOK_CLIENT) $(BUFPOOLC) ## pool, transports and traffic under Valgrind: no leak, no invalid access
	BPT_SLOW=100 BPT_ONLY=$(LEAK_SUITES) valgrind --quiet --error-exitcode=1 --leak-check=full \
	  --soname-synonyms=somalloc=NONE $(TESTS)

SOAK_SECONDS = 1200
check-soak: $(TESTS) ## 200 connections at the memory limit, clients killed, servers drained; nothing lost, nothing grows (SOAK_SECONDS=1200)
	BPT_SOAK=$(SOAK_SECONDS) BPT_ONLY=integration_soak $(TESTS)

OBJECTS_MIB = 10240
check-objects: $(OBJECTS) ## an object far larger than the memory limit, put and got over TCP and Unix sockets (OBJECTS_MIB=10240)
	sh tests/scripts/objects.sh $(OBJECTS) $(OBJECTS_MIB)

lint: ## the rules that no compiler checks: what includes what, where atomics and the system are named
	@sh tests/scripts/lint.sh

check-headers: ## every public and generated header alone, as C11 and as C++17
	sh tests/scripts/headers.sh

check-change: all tests ## an edited contract in a copy of the tree builds and passes with no other edit
	sh tests/scripts/contract-change.sh $(B)

check-schema: $(BUFPOOLC) ## the JSON Schema under a real validator, on every good and bad contract of the tree
	python3 tests/scripts/check-schema.py $(BUFPOOLC)

docs: $(BUFPOOLC) ## write the tables of docs/CONTRACTS.md anew from those of the compiler
	sh scripts/docs.sh $(BUFPOOLC) docs/CONTRACTS.md

check-install: $(LIB) $(BUFPOOLC) ## programs build and run against an installed copy
	sh tests/scripts/install.sh

check-schedules: $(SCHED) ## the pool's hand-over under every schedule within wide bounds (BPT_ONLY=sched_recall, SCHEDULE= replays one)
	BPT_SCHED=full $(SCHED)

check-mutants: $(SCHED) ## defects put into the pool one after the other, each of which the schedules must find
	sh tests/scripts/sched-mutants.sh $(B)

# quick takes the build's compiler alone; full takes gcc and clang, C11 and C++17, and clang's sanitizers.
RANDOM_MODE = full
RANDOM_COUNT = 50
RANDOM_SEED = 1
.PHONY: check-random check-all
check-random: $(BUFPOOLC) $(SAMPLER) $(SAMPLE_TEMPLATES) $(LIB) $(RANDOM_CONTRACT) $(RANDOM_OBJECTS) ## random contracts: compiled strictly, held against the interpreter (RANDOM_COUNT=50)
	@CC='$(CC)' RANDOM_TEMPLATES='$(filter-out tests/sampler/samples.%,$(SAMPLE_TEMPLATES))' \
	  sh tests/scripts/random-contracts.sh $(B) $(RANDOM_MODE) $(RANDOM_COUNT) $(RANDOM_SEED)

# Ninety minutes on two cores: 20 of ci, 10 of ThreadSanitizer, 7 of schedules, 18 of random contracts, 30 of load and
# fuzzers. ThreadSanitizer sees what has threads or sockets, but for the compiler.
check-all: ci ## the longest checks: ci, ThreadSanitizer of gcc and clang, schedules within wide bounds, mutants, 500 random contracts, 200 pairs of versions, twenty minutes of load, five of each fuzzer
	@rm -f $(TABLE)
	@$(STEP) 'clang, thread: build' $(MAKE) --no-print-directory -j$(JOBS) MODE=tsan CC=clang B=build/clang-tsan tests
	@$(STEP) 'thread: the other tests; clang, thread: tests' $(MAKE) --no-print-directory -j2 all-threads all-threads-clang
	@$(STEP) 'build' $(MAKE) --no-print-directory -j$(JOBS) tests
	@$(STEP) 'schedules; wide bounds, mutants' $(MAKE) --no-print-directory -j2 check-schedules all-wide
	@$(STEP) 'random contracts' $(MAKE) --no-print-directory check-random RANDOM_COUNT=500 RANDOM_SEED=1000
	@$(STEP) 'fuzzers, load' $(MAKE) --no-print-directory -j2 fuzz-all check-soak FUZZ_SECONDS=300
	@$(STEP) 'large objects' $(MAKE) --no-print-directory check-objects
	@cat build/times/ci
	@$(STEP)

# What ci-threads leaves out, but for integration_secret: it reads all memory of a process, shadows included.
SOCKET_SUITES = integration_descriptors,integration_dry_pool,integration_evolution,integration_fault,integration_hostile,integration_memory,integration_own_pool,integration_proxy,integration_slow_consumer,integration_soak,integration_steady,integration_store
.PHONY: all-threads all-threads-clang all-wide
all-threads:
	@$(MAKE) --no-print-directory MODE=tsan some-tests SUITES=$(SOCKET_SUITES)
all-threads-clang:
	@$(MAKE) --no-print-directory MODE=tsan CC=clang B=build/clang-tsan some-tests SUITES=$(THREAD_SUITES)
all-wide: # tests that take wider bounds
	BPT_PAIRS=200 BPT_SEED=1000 BPT_ONLY=codegen_compat_truth $(TESTS)
	BPT_PEERS=10000 BPT_ONLY=integration_hostile $(TESTS)
	BPT_FAULTS=all BPT_ONLY=integration_fault_settings $(TESTS)
	BPT_PLAN_STEPS=10000000 BPT_ONLY=transfer_plan_property $(TESTS)
	@$(MAKE) --no-print-directory check-mutants

BENCH_MAKE = $(MAKE) --no-print-directory -j$(JOBS) BENCH_PEERS="$$(CC='$(CC)' sh scripts/bench-peers.sh | tr '\n' ' ')"
bench: setup setup-bench ## set up, peers included, and measure everything (BENCH_ARGS=--only "codec small")
	@$(BENCH_MAKE) $(BENCH) $(BENCH_POOL) $(BUFPOOLC)
	@$(BENCH_POOL) $(BENCH_ARGS)
	@$(BENCH) $(BENCH_ARGS)
	@sh scripts/codec-size.sh $(BENCH)

# The codec rows with the same code at other places: aligned to so many bytes, before or behind all else.
BENCH_LAYOUTS := $(foreach at,16 32 64,$(at)-first $(at)-last)
bench-layouts: setup ## codec ratios as medians over several layouts of the same code
	@$(BENCH_MAKE) $(BENCH_LAYOUTS:%=$(B)/bench/layout-%)
	@sh scripts/codec-layouts.sh $(BENCH_LAYOUTS:%=$(B)/bench/layout-%)

bench-quick: setup ## set up and measure in under two minutes, beside the peers that are there
	@$(BENCH_MAKE) $(BENCH) $(BENCH_POOL) $(BUFPOOLC)
	@$(BENCH_POOL) --quick
	@$(BENCH) --quick

FUZZ_SECONDS = 60
FUZZ_FLAGS = -g -O1 -DBPI_DEBUG -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZERS = fuzz-frame fuzz-dispatch fuzz-pool fuzz-codec fuzz-written fuzz-contract
.PHONY: fuzz-all $(FUZZERS)
FUZZ_JOBS = 1
fuzz-all: ## each fuzzer, one after the other, as one core is what a fuzzer takes (FUZZ_SECONDS=60 each, FUZZ_JOBS=1)
	@$(MAKE) --no-print-directory -j$(FUZZ_JOBS) $(FUZZERS)

fuzz-frame: ## fuzz the frame reader with clang's libFuzzer (FUZZ_SECONDS=60)
	@mkdir -p $(B)/fuzz/frame_reader
	clang -std=c11 $(CPPFLAGS) $(WARNINGS) $(FUZZ_FLAGS) -pthread -o $(B)/fuzz/frame_reader_fuzz \
	  tests/fuzz/frame_reader_fuzz.c $(wildcard src/base/*.c src/pool/*.c src/frame/*.c)
	$(B)/fuzz/frame_reader_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=30000 -artifact_prefix=$(B)/fuzz/ -print_final_stats=1 \
	  $(B)/fuzz/frame_reader tests/fuzz/corpus/frame_reader

fuzz-dispatch: $(CONTRACT_DIR)/gate_service.c ## fuzz a server of two contracts with any bytes from a peer (FUZZ_SECONDS=60)
	@mkdir -p $(B)/fuzz/dispatch
	clang -std=c11 $(CPPFLAGS) -I$(CONTRACT_DIR) $(WARNINGS) $(FUZZ_FLAGS) -pthread -o $(B)/fuzz/dispatch_fuzz tests/fuzz/dispatch_fuzz.c \
	  $(LIB_SOURCES) $(GENERATED_SOURCES) $(patsubst %,$(CONTRACT_DIR)/gate_%.c,messages service) $(UV_LIBS) -lm
	$(B)/fuzz/dispatch_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -artifact_prefix=$(B)/fuzz/ -print_final_stats=1 \
	  $(B)/fuzz/dispatch tests/fuzz/corpus/dispatch

FUZZ_POOL_SOURCES = tests/fuzz/pool_fuzz.c $(patsubst %,tests/support/pool_ops%.c,_model _print _system) tests/support/pool_ops.c
fuzz-pool: ## fuzz the pool with operations on three threads, against a plain model (FUZZ_SECONDS=60)
	@mkdir -p $(B)/fuzz/pool
	clang -std=c11 $(CPPFLAGS) $(WARNINGS) $(FUZZ_FLAGS) -pthread -o $(B)/fuzz/pool_fuzz \
	  $(FUZZ_POOL_SOURCES) $(wildcard src/base/*.c src/pool/*.c)
	$(B)/fuzz/pool_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=16000 -len_control=20 -artifact_prefix=$(B)/fuzz/ -print_final_stats=1 $(B)/fuzz/pool

FUZZ_CODEC_SOURCES = tests/fuzz/codec_fuzz.c tests/support/agree.c $(sort $(wildcard codegen/interp*.c)) src/base/print.c \
  src/base/utf8.c generated/market_messages.c $(patsubst %,$(CONTRACT_DIR)/%.c,market_samples zoo_samples zoo_messages)
fuzz-codec: $(CONTRACT_HEADERS) $(CONTRACT_OBJECTS) $(RANDOM_OBJECTS) $(GENERATED_OBJECTS) $(LIB) ## fuzz generated codecs against the interpreter (FUZZ_SECONDS=60)
	@mkdir -p $(B)/fuzz/codec
	clang -std=c11 $(CPPFLAGS) -I$(CONTRACT_DIR) $(WARNINGS) $(FUZZ_FLAGS) -pthread -o $(B)/fuzz/codec_fuzz $(FUZZ_CODEC_SOURCES) \
	  $(CONTRACT_DIR)/zoo_service.o $(B)/generated/market_service.o $(RANDOM_OBJECTS) $(LIB) $(YAML_LIBS) $(UV_LIBS) -lm
	$(B)/fuzz/codec_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=6000 -artifact_prefix=$(B)/fuzz/ -print_final_stats=1 \
	  $(B)/fuzz/codec tests/fuzz/corpus/codec

FUZZ_SCHEMAS = market zoo gate evolve_v3
fuzz-written: $(LIB) $(patsubst %,$(CONTRACT_DIR)/%_fuzz.c,$(FUZZ_SCHEMAS)) ## run the fuzzers that bufpoolc writes, from their seeds (FUZZ_SECONDS=60 in all)
	@for schema in $(FUZZ_SCHEMAS); do \
	  sh tests/scripts/fuzz-written.sh $$schema $(CONTRACT_DIR) $$(($(FUZZ_SECONDS) / $(words $(FUZZ_SCHEMAS)))) || exit 1; done

# Seeds are all contracts of the tree, words those of the language.
FUZZ_SEEDS = contracts.yaml $(wildcard tests/contracts/*.yaml tests/bad/*.yaml tests/bad/*.lock)
fuzz-contract: $(B)/codegen/templates.c ## fuzz the contract compiler as a reader of YAML (FUZZ_SECONDS=60)
	@mkdir -p $(B)/fuzz/contract $(B)/fuzz/contract_seeds
	@cp $(FUZZ_SEEDS) $(B)/fuzz/contract_seeds
	@sed -n -e 's/^CG_KEY([A-Z]*, \("[a-z_0-9]*"\).*/\1/p' codegen/keys.def | sort -u >$(B)/fuzz/contract.dict
	@sed -n -e 's/^CG_[A-Z]*(\("[A-Za-z0-9]*"\),.*/\1/p' codegen/types.def | sort -u >>$(B)/fuzz/contract.dict
	clang -std=c11 $(CPPFLAGS) $(WARNINGS) -Wno-overlength-strings $(FUZZ_FLAGS) -o $(B)/fuzz/contract_fuzz \
	  tests/fuzz/contract_fuzz.c $(filter-out codegen/main.c,$(CODEGEN_SOURCES)) $(B)/codegen/templates.c $(YAML_LIBS) -lm
	$(B)/fuzz/contract_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=10 -rss_limit_mb=2048 \
	  -dict=$(B)/fuzz/contract.dict -artifact_prefix=$(B)/fuzz/ -print_final_stats=1 $(B)/fuzz/contract $(B)/fuzz/contract_seeds

clean: ## remove everything that was built
	rm -rf build

install: $(LIB) $(BUFPOOLC) $(B)/bufpool.pc ## install library, headers, compiler and .pc file (DESTDIR=, prefix=)
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir) $(DESTDIR)$(pkgconfigdir)
	$(INSTALL) -d $(DESTDIR)$(includedir)/bufpool/detail
	$(INSTALL) -m 755 $(BUFPOOLC) $(DESTDIR)$(bindir)/
	$(INSTALL) -m 644 $(LIB) $(DESTDIR)$(libdir)/
	$(INSTALL) -m 644 $(B)/bufpool.pc $(DESTDIR)$(pkgconfigdir)/
	$(INSTALL) -m 644 include/bufpool/*.h include/bufpool/*.def $(DESTDIR)$(includedir)/bufpool/
	$(INSTALL) -m 644 include/bufpool/detail/*.h $(DESTDIR)$(includedir)/bufpool/detail/

# ---- how it is built ----------------------------------------------------------------------------------------------
FLAGS_STAMP := $(B)/flags
STAMP_TEXT = $(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(shell mkdir -p $(B); echo '$(STAMP_TEXT)' | cmp -s - $(FLAGS_STAMP) || echo '$(STAMP_TEXT)' > $(FLAGS_STAMP))

$(LIB): $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUFPOOLC): $(CODEGEN_OBJECTS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(YAML_LIBS) -lm

$(TESTS): $(TEST_OBJECTS) $(B)/examples/own_pool/block_pool.o $(CONTRACT_OBJECTS) $(SUPPORT_OBJECTS) $(GENERATED_OBJECTS) $(filter-out %/main.o,$(CODEGEN_OBJECTS)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(YAML_LIBS) $(UV_LIBS) -lm

$(SCHED): $(SCHED_OBJECTS) $(SCHED_ROOM) $(call objects,tests/main.c tests/support/suite_runner.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lm
$(SCHED_OBJECTS): private CPPFLAGS += $(SCHED_FLAGS)
$(SCHED_ROOM): $(B)/tests/sched/room/%.o: src/%.c tests/sched/seam.h $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(CC) $(SCHED_FLAGS) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(DEMO): $(DEMO_OBJECTS) $(COUNT_OBJECT) $(GENERATED_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(UV_LIBS)

$(BOOK_SERVER): $(BOOK_SERVER_OBJECTS) $(GENERATED_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(UV_LIBS)

$(BOOK_CLIENT): $(BOOK_CLIENT_OBJECTS) $(GENERATED_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(UV_LIBS)

$(OBJECTS): $(OBJECTS_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(UV_LIBS)

$(OWN_POOL): $(OWN_POOL_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(BENCH): $(BENCH_OBJECTS) $(BENCH_CONTRACT_DIR)/codec_messages.o $(BENCH_PEER_OBJECTS) $(COUNT_OBJECT) \
  $(GENERATED_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(BENCH_PEER_LIBS) $(UV_LIBS) -lm

$(BENCH_POOL): $(BENCH_POOL_OBJECTS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

# What is there decides how the peers' files are compiled, and with which others the bench is linked.
BENCH_STAMP := $(B)/bench/peers
.PHONY: bench-stamp
$(BENCH_STAMP): bench-stamp
	@mkdir -p $(@D)
	@echo '$(BENCH_PEERS)' | cmp -s - $@ || echo '$(BENCH_PEERS)' > $@
$(BENCH_POOL_OBJECTS): private CPPFLAGS += -Ibench
$(BENCH_OBJECTS): private CPPFLAGS += -I$(BENCH_CONTRACT_DIR) $(patsubst %,-DBENCH_HAS_%,$(BENCH_PEERS))
$(BENCH_OBJECTS): $(BENCH_STAMP) | $(BENCH_CONTRACT_DIR)/codec_messages.h $(patsubst %.o,%.h,$(BENCH_PEER_OBJECTS))
$(BENCH_CONTRACT_DIR)/codec_messages.h $(BENCH_CONTRACT_DIR)/codec_messages.c &: bench/contracts/codec.yaml $(BUFPOOLC)
	@mkdir -p $(@D)
	@$(BUFPOOLC) generate $< --out-dir $(@D)
	@touch $(@D)/codec_messages.h $(@D)/codec_messages.c
# Loops and functions of the codec rows begin with a cache line: one that does not may take a third more time.
$(B)/bench/codec_bench.o $(B)/bench/codec_hand.o $(BENCH_CONTRACT_DIR)/codec_messages.o: \
  private ALL_CFLAGS += -falign-functions=64 -falign-loops=64
$(BENCH_CONTRACT_DIR)/codec_messages.o: $(BENCH_CONTRACT_DIR)/codec_messages.c $(FLAGS_STAMP)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
BENCH_CODEC_SOURCES = bench/codec_bench.c bench/codec_hand.c $(BENCH_CONTRACT_DIR)/codec_messages.c
BENCH_OTHERS = $(filter-out $(call objects,$(BENCH_CODEC_SOURCES)),$(BENCH_OBJECTS)) $(BENCH_PEER_OBJECTS) $(COUNT_OBJECT) \
  $(GENERATED_OBJECTS)
$(BENCH_LAYOUTS:%=$(B)/bench/layout-%): $(B)/bench/layout-%: $(BENCH)
	$(CC) $(CPPFLAGS) -Ibench -I$(BENCH_CONTRACT_DIR) $(ALL_CFLAGS) \
	  $(addsuffix $(firstword $(subst -, ,$*)),-falign-functions= -falign-loops=) -o $@ \
	  $(if $(filter %-first,$*),$(BENCH_CODEC_SOURCES) $(BENCH_OTHERS),$(BENCH_OTHERS) $(BENCH_CODEC_SOURCES)) \
	  $(LIB) $(ALL_LDFLAGS) $(BENCH_PEER_LIBS) $(UV_LIBS) -lm
$(BENCH_CONTRACT_DIR)/codec.pb.h $(BENCH_CONTRACT_DIR)/codec.pb.c &: bench/contracts/codec.proto bench/contracts/codec.options
	@mkdir -p $(@D)
	protoc -Ibench/contracts --nanopb_opt=-Ibench/contracts --nanopb_out=$(@D) codec.proto
$(BENCH_CONTRACT_DIR)/codec.pb-c.h $(BENCH_CONTRACT_DIR)/codec.pb-c.c &: bench/contracts/codec.proto
	@mkdir -p $(@D)
	protoc-c -Ibench/contracts --c_out=$(@D) codec.proto
$(BENCH_CONTRACT_DIR)/codec.pb.o $(BENCH_CONTRACT_DIR)/codec.pb-c.o: %.o: %.c # others' code, with others' warnings
	$(CC) -std=c11 $(MODE_$(MODE)) -w -c -o $@ $<

# Each template becomes one string of the compiler, so that the installed binary stands alone.
$(B)/codegen/templates.c: $(TEMPLATES) scripts/embed-templates.sh
	@mkdir -p $(@D)
	sh scripts/embed-templates.sh $(TEMPLATES) > $@
$(B)/codegen/templates.o: $(B)/codegen/templates.c $(FLAGS_STAMP)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(SAMPLER): $(call objects,tests/sampler/main.c) $(filter-out %/main.o %/templates.o,$(CODEGEN_OBJECTS))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(YAML_LIBS) -lm

$(RANDOM_CONTRACT): $(call objects,tests/random/contract.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

# What every check of a random contract is linked with besides the code of the contract.
$(RANDOM_OBJECTS): $(call objects,$(addprefix tests/support/,agree.c mutate.c naive_layout.c)) $(filter-out %/main.o,$(CODEGEN_OBJECTS))
	@rm -f $@
	$(AR) rcs $@ $^

# The first template is rendered, the others may be included.
sample = $(SAMPLER) $(1) tests/sampler/samples.$(2).tmpl $(filter-out tests/sampler/samples.%,$(SAMPLE_TEMPLATES)) > $@
$(CONTRACT_DIR)/market_samples.h: contracts.yaml contracts.lock $(SAMPLE_TEMPLATES) $(SAMPLER)
	@mkdir -p $(@D)
	@$(call sample,$<,h)
$(CONTRACT_DIR)/market_samples.c: contracts.yaml contracts.lock $(SAMPLE_TEMPLATES) $(SAMPLER)
	@mkdir -p $(@D)
	@$(call sample,$<,c)
$(CONTRACT_DIR)/%_samples.h: tests/contracts/%.yaml $(SAMPLE_TEMPLATES) $(SAMPLER)
	@mkdir -p $(@D)
	@$(call sample,$<,h)
$(CONTRACT_DIR)/%_samples.c: tests/contracts/%.yaml $(SAMPLE_TEMPLATES) $(SAMPLER)
	@mkdir -p $(@D)
	@$(call sample,$<,c)
$(CONTRACT_DIR)/%.h $(CONTRACT_DIR)/%_sizes.h $(CONTRACT_DIR)/%_messages.h $(CONTRACT_DIR)/%_messages.c \
  $(CONTRACT_DIR)/%_service.h $(CONTRACT_DIR)/%_service.c $(CONTRACT_DIR)/%_test.c $(CONTRACT_DIR)/%_fuzz.c: tests/contracts/%.yaml $(BUFPOOLC)
	@mkdir -p $(@D)
	@$(BUFPOOLC) generate $< --out-dir $(@D) --with tests,fuzz
	@touch $(patsubst %,$(CONTRACT_DIR)/$*%,.h _sizes.h _messages.h _messages.c _service.h _service.c _test.c _fuzz.c)
$(CONTRACT_DIR)/market_test.c $(CONTRACT_DIR)/market_fuzz.c &: contracts.yaml $(BUFPOOLC)
	@mkdir -p $(@D)
	@$(BUFPOOLC) generate $< --out-dir $(@D) --only tests,fuzz
	@touch $(patsubst %,$(CONTRACT_DIR)/market_%.c,test fuzz)
# Not optimised: what is tested is another file, and there is much of this one.
build_written = $(CC) $(CPPFLAGS) -I$(CONTRACT_DIR) $(ALL_CFLAGS) -O0 $(ALL_LDFLAGS) -o $@ $(filter %.c %.o %.a,$^)
$(CONTRACT_DIR)/market_test: $(CONTRACT_DIR)/market_test.c $(B)/generated/market_messages.o $(LIB)
	@$(build_written)
$(CONTRACT_DIR)/bpi_transfer_test.c: src/transfer/transfer.yaml $(BUFPOOLC)
	@mkdir -p $(@D)
	@$(BUFPOOLC) generate $< --out-dir $(@D) --only tests
	@touch $@
$(CONTRACT_DIR)/bpi_transfer_test: private CPPFLAGS += -Isrc/transfer/generated
$(CONTRACT_DIR)/bpi_transfer_test: $(CONTRACT_DIR)/bpi_transfer_test.c $(LIB)
	@$(build_written)
$(CONTRACT_DIR)/%_test: $(CONTRACT_DIR)/%_test.c $(CONTRACT_DIR)/%_messages.o $(LIB)
	@$(build_written)
$(TEST_OBJECTS) $(CONTRACT_OBJECTS): private CPPFLAGS += -I$(CONTRACT_DIR)
$(TEST_OBJECTS) $(CONTRACT_OBJECTS): | $(CONTRACT_HEADERS)
$(CONTRACT_OBJECTS): %.o: %.c $(FLAGS_STAMP)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.o: %.c $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bufpool.pc: Makefile include/bufpool/base.h
	@mkdir -p $(@D)
	@version=$$(sed -n 's/^#define BP_VERSION "\(.*\)"/\1/p' include/bufpool/base.h); \
	printf '%s\n' 'prefix=$(prefix)' 'libdir=$(libdir)' 'includedir=$(includedir)' 'bufpoolc=$(bindir)/bufpoolc' '' \
	  'Name: bufpool' 'Description: pooled buffers and typed messages, sized by contract' "Version: $$version" \
	  'Requires: libuv' 'Libs: -L$${libdir} -lbufpool -pthread' 'Cflags: -I$${includedir}' > $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
