#!/bin/sh
# In a copy of the tree, built as BUILD_DIR is: a field is appended and a vector's bound raised so that its message
# changes class. Then `make generate && make && make test` must work with no other edit, and nothing may be recompiled
# that does not depend on the contract.      contract-change.sh BUILD_DIR
set -eu
build=$1
copy=$(mktemp -d /tmp/bufpool-change-XXXXXX)
trap 'rm -rf "$copy"' EXIT
fail() {
    echo "contract-change: $1" >&2
    exit 1
}

git ls-files -z | tar -c --null -T - | tar -x -C "$copy"
mkdir -p "$copy/$build"
cp -a "$build/." "$copy/$build"
cd "$copy"
make -j"$(nproc)" all tests >whole.log || fail "the copied tree does not build"
if grep -q ' -c ' whole.log; then fail "what was built already was built again"; fi
before=$(sed -n 's/^#define MARKET_ORDER_BOOK_CLASS \([0-9]*\).*/\1/p' generated/market_sizes.h)

sed -i -e 's/^\(schema: .*version: \)1,/\12,/' \
    -e 's/^\( *\)process_count: *{type: u32}$/&\n\1swap_used: {type: u64, unit: bytes, since: 2}/' \
    -e '/^ *[ab][a-z]*s: *{type: "Vec<Level>"/s/max_length: [0-9]*/max_length: 96/' contracts.yaml
grep -q swap_used contracts.yaml || fail "the field was not appended"
make -s generate
after=$(sed -n 's/^#define MARKET_ORDER_BOOK_CLASS \([0-9]*\).*/\1/p' generated/market_sizes.h)
[ "$before" != "$after" ] || fail "OrderBook stayed in class $before"

make -j"$(nproc)" all tests >change.log || fail "the changed tree does not build"
grep -q ' -c .*generated/market_messages.c' change.log || fail "generated code was not recompiled"
if grep -E ' -c .*[ ](src|codegen)/' change.log; then fail "sources that do not depend on the contract were recompiled"; fi
# Every suite; without what `make test` does aside, which the changed contract does not reach.
BPT_SLOW=4 make -s test BPT_ONLY=base_,codegen_,frame_,generated_,integration_,pool_,transport_
echo "contract-change: OrderBook moved from class $before to $after, every test passes"
