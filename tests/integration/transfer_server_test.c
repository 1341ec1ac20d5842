#define _GNU_SOURCE
/* The service that serves objects, over real sockets, with a peer that does as the contract says. */
#include "tests/support/transfer_peer.h"

#include <string.h>

static bpt_peers s;

static void start(int way) { bpt_peers_start(&s, &(bpt_peers_options){.way = way}); }

static const uint64_t sizes[] = {0, 1, BPT_PART_SIZE - 1, BPT_PART_SIZE, BPT_PART_SIZE + 1, 10 * BPT_PART_SIZE + 77};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(what_is_put_is_got) {
    start(_i % BPT_WAYS);
    const uint64_t size = sizes[_i / BPT_WAYS];
    bpt_serve_put(&s.peers[0], 1, "a/b", size);
    ck_assert(bpt_mem_has(s.store, "a/b", size, BPT_SEED));
    bpt_serve_get(&s.peers[0], 2, "a/b", size);
    bpt_peers_settle(&s);
    const bp_transfer_stats stats = bpt_peers_stats(&s);
    ck_assert_uint_eq(stats.transfers_open, 0);
    ck_assert_uint_eq(stats.transfers_done, 2);
    ck_assert_uint_eq(stats.transfers_failed, 0);
    ck_assert_uint_eq(stats.bytes_in, size);
    ck_assert_uint_eq(stats.bytes_out, size);
    ck_assert_uint_eq(stats.parts_in, (size + BPT_PART_SIZE - 1) / BPT_PART_SIZE);
    ck_assert_uint_eq(stats.parts_out, stats.parts_in);
    bpt_peers_fini(&s);
}
END_TEST

BPT_SUITE(integration_transfer_server) {
    BPT_LOOP_TEST(what_is_put_is_got, 0, SIZES * BPT_WAYS);
}
