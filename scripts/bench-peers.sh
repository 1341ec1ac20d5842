#!/bin/sh
# Prints which codecs, transports and check sums of other projects can be built here for the benchmark's rows, as words
# for the Makefile; says on stderr which are absent and what would install them.
set -eu

CC=${CC:-cc}

# Do headers and library link?  compiles LIBRARY HEADER…
compiles() {
    library=$1
    shift
    { for header; do printf '#include <%s>\n' "$header"; done; echo 'int main(void) { return 0; }'; } |
        "$CC" -x c - -o /dev/null "$library" >/dev/null 2>&1
}

has() { command -v "$1" >/dev/null 2>&1; }

absent() { echo "bench: absent: $1 (apt-get install $2)" >&2; }

if has protoc && has protoc-gen-nanopb && compiles -lprotobuf-nanopb pb_encode.h pb_decode.h; then
    echo NANOPB
else
    absent nanopb "nanopb libnanopb-dev"
fi
if has protoc-c && compiles -lprotobuf-c protobuf-c/protobuf-c.h; then
    echo PROTOBUF_C
else
    absent protobuf-c "protobuf-c-compiler libprotobuf-c-dev"
fi
if compiles -levent event2/bufferevent.h; then
    echo LIBEVENT
else
    absent libevent "libevent-dev"
fi
if compiles -lzmq zmq.h; then
    echo ZEROMQ
else
    absent ZeroMQ "libzmq3-dev"
fi
if compiles -lnng nng/nng.h; then
    echo NNG
else
    absent nng "libnng-dev"
fi
if compiles -lisal isa-l/crc.h; then
    echo ISAL
else
    absent libisal "libisal-dev"
fi
if compiles -lmpack mpack.h; then
    echo MPACK
else
    absent libmpack "libmpack-dev"
fi
