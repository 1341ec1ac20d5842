#define _GNU_SOURCE
/* The directory store from one end to the other, on a good day: what is put is got, whole, under its name and at once. */
#include "tests/support/store_rig.h"


static const uint64_t sizes[] = {0, 1, BPT_PART - 1, BPT_PART, BPT_PART + 1, 3 * BPT_PART, 70 * BPT_PART + 5};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

static const bp_dir_store_options fast = {.is_fast = true};

START_TEST(an_object_is_there_once_it_is_committed) {
    bpt_store of;
    bpt_store_start(&of, _i == 0 ? NULL : &fast);
    bpt_put put = bpt_put_of("a/b/c", sizes[_i], 7);
    bpt_ok(bpt_put_open(&of, &put));
    for (uint64_t part = 0; part < bpt_put_count(&put); part++) bpt_ok(bpt_put_part(&of, &put, part));
    ck_assert(!bpt_store_has(&of, "a"));
    bpt_err(bpt_get_whole(&of, "a/b/c", sizes[_i], 7), BP_ERR_NOT_FOUND);
    bpt_ok(bpt_put_commit(&of, &put));
    ck_assert_uint_ne(put.version, 0);
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "a/b/c", sizes[_i], 7));
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_store) {
    BPT_LOOP_TEST(an_object_is_there_once_it_is_committed, 0, SIZE_COUNT);
}
