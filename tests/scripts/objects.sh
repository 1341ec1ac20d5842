#!/bin/sh
# objects.sh OBJECTS MIB: puts an object of MIB mebibytes into a server and gets it back, over TCP and over a Unix socket,
# both processes with a pool of 64 MiB. Fails unless SHA-256 is the same, nothing half is left, the pools stayed within
# their limit, and the resident memory of either process within that and 32 MiB of its own. Takes three times the object
# of disk, under TMPDIR.
set -eu
objects=$1
mib=$2
limit=$((64 << 20))
resident_max=$(((64 + 32) << 10)) # KiB
place=$(mktemp -d "${TMPDIR:-/tmp}/bufpool-objects-XXXXXX")
server=
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$place"
}
trap end EXIT
trap 'exit 1' INT TERM

fail() {
    echo "objects: $*" >&2
    cat "$place"/*.log >&2 2>/dev/null || true
    exit 1
}

now() { date +%s%N; }

# The most that was ever resident of a process, in KiB, as long as it is there.
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

# Runs the client, and looks at its memory while it does.
client() {
    start=$(now)
    "$objects" "$@" >"$place/client.log" 2>&1 &
    client=$!
    client_peak=0
    while kill -0 $client 2>/dev/null; do
        seen=$(peak $client)
        [ -z "$seen" ] || client_peak=$seen
        sleep 0.05
    done
    wait $client || fail "$* failed"
    rate=$((mib * 1000000000 / ($(now) - start + 1)))
}

# The limit holds in what a process tells of its pool, and its resident memory is about that.
bounded() { # log, peak, who
    took=$(sed -n 's/.*memory at most \([0-9]*\) of .*/\1/p' "$1")
    [ -n "$took" ] && [ "$took" -le $limit ] || fail "$3 took $took bytes of $limit"
    [ "$2" -le $resident_max ] || fail "$3 had $2 KiB resident of $resident_max"
}

head -c "${mib}M" /dev/urandom >"$place/source"
sum=$(sha256sum <"$place/source")
mkdir "$place/store"

for address in tcp://127.0.0.1:0 "unix://$place/socket"; do
    rm -rf "$place/store/"*
    "$objects" serve -v -m $limit -a "$address" "$place/store" >"$place/server.out" 2>"$place/server.log" &
    server=$!
    until grep -q ' at ' "$place/server.out"; do
        kill -0 $server 2>/dev/null || fail "no server"
        sleep 0.05
    done
    at=$(sed 's/.* at //' "$place/server.out")
    client put -v -m $limit -a "$at" "$place/source" large
    put="$rate MiB/s"
    bounded "$place/client.log" "$client_peak" "put"
    [ "$(sha256sum <"$place/store/large")" = "$sum" ] || fail "what was put is another"
    client get -v -m $limit -a "$at" large "$place/back"
    bounded "$place/client.log" "$client_peak" "get"
    [ "$(sha256sum <"$place/back")" = "$sum" ] || fail "what was got is another"
    rm "$place/back"
    [ -z "$(find "$place/store/.bufpool" -name '*.part' 2>/dev/null)" ] || fail "something half is left"
    server_peak=$(peak $server)
    kill -INT $server
    wait $server || fail "the server broke"
    server=
    bounded "$place/server.log" "$server_peak" "server"
    echo "objects: $mib MiB, ${address%%:*}: put $put, get $rate MiB/s, SHA-256 equal, server took $took bytes of $limit, resident $server_peak KiB"
done
