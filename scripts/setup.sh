#!/bin/sh
# Installs what the build needs and is missing, through the system's package manager. Says first what and why; when it
# may not install, fails with the exact command to type.
#
#   setup.sh build    what building, the demo and the tests need
#   setup.sh ci       what the longer checks need besides
#   setup.sh bench    the other projects that `make bench` compares with
set -eu

CC=${CC:-cc}

# Does this program compile and link?  compiles HEADER LIBRARY
compiles() {
    printf '#include <%s>\nint main(void) { return 0; }\n' "$1" |
        "$CC" -x c - -o /dev/null "$2" >/dev/null 2>&1
}

# Does the dynamic linker find this library?  library SONAME
library() { [ -z "$(LD_PRELOAD=$1 true 2>&1)" ]; }

missing=
why=
need() { # PACKAGE REASON
    missing="$missing $1"
    why="$why  $1 - $2
"
}

tool() { # COMMAND PACKAGE REASON
    command -v "$1" >/dev/null 2>&1 || need "$2" "$3"
}

compiles yaml.h -lyaml || need libyaml-dev "the contract compiler reads YAML with it"
compiles uv.h -luv || need libuv1-dev "the transports run on it"
compiles check.h -lcheck || need check "the tests are written with it"
tool pkg-config pkg-config "the build asks it for linker flags"
if [ "${1:-build}" = ci ]; then
    tool clang "clang libclang-rt-14-dev" "the fuzzers are built with it"
    tool g++ g++ "public headers must compile as C++ too"
    tool valgrind valgrind "it looks for leaks"
    python3 -c "import jsonschema, yaml" 2>/dev/null ||
        need "python3-jsonschema python3-yaml" "the JSON Schema is checked with a real validator"
fi
if [ "${1:-build}" = bench ]; then
    tool protoc protobuf-compiler "nanopb's generator runs inside it"
    tool protoc-gen-nanopb nanopb "a codec to compare with"
    tool protoc-c protobuf-c-compiler "a codec and a generator to compare with"
    compiles pb_encode.h -lprotobuf-nanopb || need libnanopb-dev "the benchmark is linked with it"
    compiles protobuf-c/protobuf-c.h -lprotobuf-c || need libprotobuf-c-dev "the benchmark is linked with it"
    compiles mpack.h -lmpack || need libmpack-dev "a codec to compare with"
    [ "$(uname -m)" != x86_64 ] || compiles isa-l/crc.h -lisal || need libisal-dev "a check sum to compare with"
    compiles event2/bufferevent.h -levent || need libevent-dev "a transport to compare with"
    compiles zmq.h -lzmq || need libzmq3-dev "a transport to compare with"
    compiles nng/nng.h -lnng || need libnng-dev "a transport to compare with"
    library libjemalloc.so.2 || need libjemalloc2 "an allocator to compare with"
    library libmimalloc.so.2 || need libmimalloc2.0 "an allocator to compare with"
    library libtcmalloc_minimal.so.4 || need libtcmalloc-minimal4 "an allocator to compare with"
fi

[ -n "$missing" ] || exit 0
echo "bufpool: these packages are missing:"
printf '%s' "$why"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "bufpool: no apt-get here; install the same libraries (libyaml, libuv, check, pkg-config) by hand, then try again." >&2
    exit 1
fi
command="apt-get update && apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
    run=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    run=sudo
else
    echo "bufpool: they cannot be installed without root. Type:" >&2
    echo "  su -c '$command'" >&2
    exit 1
fi
echo "bufpool: installing them: $command"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the package list is meant to be split
if ! { $run apt-get update -q && $run apt-get install -y -q --no-install-recommends $missing; } >&2; then
    echo "bufpool: the package manager failed; after mending it, type: $command" >&2
    exit 1
fi
