#define _GNU_SOURCE
#include "tests/support/suite.h"
#include "transport/transport_internal.h"

#include <string.h>

enum { SIZE = 100 };

static int64_t blocks; /* that are allocated */

static void *counting_alloc(size_t size) {
    void *block = bpi_os_system.alloc(size);
    blocks += block != NULL;
    return block;
}

static void counting_free(void *block) {
    blocks -= block != NULL;
    bpi_os_system.free(block);
}

static void *no_alloc(size_t size) {
    (void)size;
    return NULL;
}

static void count_blocks(void) {
    blocks = 0;
    bpi_os.alloc = counting_alloc;
    bpi_os.free = counting_free;
}

static void take_many(bpi_spares *spares, void *taken[], unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        taken[i] = bpi_spares_take(spares, SIZE);
        ck_assert_ptr_nonnull(taken[i]);
        memset(taken[i], 0xA5, SIZE);
    }
}

static void give_many(bpi_spares *spares, void *taken[], unsigned count) {
    for (unsigned i = 0; i < count; i++) bpi_spares_give(spares, taken[i]);
}

START_TEST(who_gives_a_block_leaves_it_for_the_next_one) {
    bpi_spares spares = {0};
    count_blocks();
    void *block = bpi_spares_take(&spares, SIZE);
    bpi_spares_give(&spares, block);
    bpi_os.alloc = no_alloc;
    ck_assert_ptr_eq(bpi_spares_take(&spares, SIZE), block);
    ck_assert_ptr_null(bpi_spares_take(&spares, SIZE));
    ck_assert_uint_eq(spares.count, 0);
    bpi_spares_give(&spares, block);
    bpi_spares_free(&spares);
    ck_assert_int_eq(blocks, 0);
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(only_so_many_are_kept) {
    void *taken[BPI_SPARES_MAX + 10];
    bpi_spares spares = {0};
    count_blocks();
    take_many(&spares, taken, BPI_SPARES_MAX + 10);
    ck_assert_int_eq(blocks, BPI_SPARES_MAX + 10);
    give_many(&spares, taken, BPI_SPARES_MAX + 10);
    ck_assert_int_eq(blocks, BPI_SPARES_MAX);
    bpi_spares_free(&spares);
    ck_assert_int_eq(blocks, 0);
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(what_nobody_needed_since_the_last_time_is_given_back) {
    void *taken[10];
    bpi_spares spares = {0};
    count_blocks();
    take_many(&spares, taken, 10);
    give_many(&spares, taken, 10);
    ck_assert(bpi_spares_trim(&spares, false)); /* all of them were needed until now */
    ck_assert_int_eq(blocks, 10);
    take_many(&spares, taken, 3);
    give_many(&spares, taken, 3);
    ck_assert(bpi_spares_trim(&spares, false));
    ck_assert_int_eq(blocks, 3);
    take_many(&spares, taken, 2);
    ck_assert(!bpi_spares_trim(&spares, false)); /* the one that was left */
    ck_assert_int_eq(blocks, 2);
    give_many(&spares, taken, 2);
    ck_assert(bpi_spares_trim(&spares, false));
    ck_assert(!bpi_spares_trim(&spares, false));
    ck_assert_int_eq(blocks, 0);
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(what_is_kept_is_there_before_anybody_needs_it_and_at_rest) {
    void *taken[3];
    bpi_spares spares = {0};
    count_blocks();
    bpi_spares_keep_one(&spares, SIZE);
    ck_assert_int_eq(blocks, 1);
    for (int i = 0; i < 2; i++) ck_assert(!bpi_spares_trim(&spares, false));
    take_many(&spares, taken, 3);
    ck_assert_int_eq(blocks, 3);
    give_many(&spares, taken, 3);
    ck_assert(bpi_spares_trim(&spares, false));
    ck_assert(!bpi_spares_trim(&spares, false));
    ck_assert_int_eq(blocks, 1);
    take_many(&spares, taken, 3);
    give_many(&spares, taken, 3);
    bpi_spares_rest(&spares);
    ck_assert_int_eq(blocks, 1);
    bpi_spares_free(&spares);
    ck_assert_int_eq(blocks, 0);
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(what_could_not_be_made_is_kept_once_it_is) {
    void *taken[2];
    bpi_spares spares = {0};
    count_blocks();
    bpi_os.alloc = no_alloc;
    bpi_spares_keep_one(&spares, SIZE);
    ck_assert_ptr_null(bpi_spares_take(&spares, SIZE));
    bpi_os.alloc = counting_alloc;
    take_many(&spares, taken, 2);
    give_many(&spares, taken, 2);
    for (int i = 0; i < 2; i++) (void)bpi_spares_trim(&spares, false);
    ck_assert_int_eq(blocks, 1);
    bpi_spares_free(&spares);
    ck_assert_int_eq(blocks, 0);
    bpi_os = bpi_os_system;
}
END_TEST

BPT_SUITE(transport_spares) {
    BPT_TEST(who_gives_a_block_leaves_it_for_the_next_one);
    BPT_TEST(only_so_many_are_kept);
    BPT_TEST(what_nobody_needed_since_the_last_time_is_given_back);
    BPT_TEST(what_is_kept_is_there_before_anybody_needs_it_and_at_rest);
    BPT_TEST(what_could_not_be_made_is_kept_once_it_is);
}
