#include "tests/support/suite.h"
#include "transfer/plan.h"

enum { PART = 4096 };
#define LARGEST (BP_SIZE_UNKNOWN - 1)

static bpi_plan plan_of(uint64_t size, uint32_t window) {
    bpi_plan plan;
    bpi_plan_init(&plan, size, PART, window);
    return plan;
}

/* A plan of which `first` parts are done. */
static bpi_plan plan_from(uint64_t size, uint32_t window, uint64_t first) {
    bpi_plan plan = plan_of(size, window);
    ck_assert(bpi_plan_restore(&plan, first, 0));
    return plan;
}

static void do_whole(bpi_plan *plan, uint64_t part) {
    ck_assert(bpi_plan_begin(plan, part));
    ck_assert(bpi_plan_finish(plan, part));
}

/* ---- sizes ---- */

START_TEST(a_size_is_so_many_parts_of_which_the_last_may_be_shorter) {
    static const struct {
        uint64_t size, count;
        uint32_t last;
    } rows[] = {{1, 1, 1},
                {PART - 1, 1, PART - 1},
                {PART, 1, PART},
                {PART + 1, 2, 1},
                {100 * PART, 100, PART},
                {LARGEST - PART, (UINT64_C(1) << 52) - 1, PART - 2},
                {LARGEST, UINT64_C(1) << 52, PART - 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bpi_plan plan = plan_of(rows[i].size, 4);
        ck_assert_uint_eq(bpi_plan_count(&plan), rows[i].count);
        ck_assert_uint_eq(bpi_plan_length(&plan, rows[i].count - 1), rows[i].last);
        ck_assert_uint_eq(bpi_plan_length(&plan, 0), rows[i].count == 1 ? rows[i].last : PART);
        ck_assert_uint_eq(bpi_plan_length(&plan, rows[i].count), 0);
        ck_assert_uint_eq(bpi_plan_length(&plan, UINT64_MAX), 0);
    }
}
END_TEST

START_TEST(an_object_of_no_bytes_has_no_part_and_is_done) {
    bpi_plan plan = plan_of(0, 4);
    ck_assert_uint_eq(bpi_plan_count(&plan), 0);
    ck_assert(bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), 0);
    ck_assert_uint_eq(bpi_plan_next(&plan), BP_PART_NONE);
    ck_assert_uint_eq(bpi_plan_length(&plan, 0), 0);
    ck_assert(!bpi_plan_begin(&plan, 0));
    ck_assert(bpi_plan_restore(&plan, 0, 0));
    ck_assert(!bpi_plan_restore(&plan, 1, 0));
    ck_assert(!bpi_plan_restore(&plan, 0, 1));
}
END_TEST

START_TEST(parts_of_one_byte_are_as_many_as_bytes) {
    bpi_plan plan;
    bpi_plan_init(&plan, LARGEST, 1, 64);
    ck_assert_uint_eq(bpi_plan_count(&plan), LARGEST);
    ck_assert(bpi_plan_restore(&plan, LARGEST - 1, 0));
    ck_assert_uint_eq(bpi_plan_next(&plan), LARGEST - 1);
    ck_assert(!bpi_plan_begin(&plan, 0)); /* is not 2 behind the first one, as it is modulo 2^64 */
    ck_assert(!bpi_plan_begin(&plan, LARGEST));
    do_whole(&plan, LARGEST - 1);
    ck_assert(bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), LARGEST);
}
END_TEST

START_TEST(the_largest_object_can_be_ended) {
    bpi_plan plan = plan_from(LARGEST, 64, (UINT64_C(1) << 52) - 2);
    const uint64_t last = bpi_plan_count(&plan) - 1;
    do_whole(&plan, last);
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), LARGEST - PART);
    do_whole(&plan, last - 1);
    ck_assert(bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), LARGEST);
    ck_assert_uint_eq(bpi_plan_next(&plan), BP_PART_NONE);
}
END_TEST

/* ---- the end is told later ---- */

START_TEST(while_the_size_is_unknown_it_has_no_end_but_that_of_numbers) {
    bpi_plan plan = plan_of(BP_SIZE_UNKNOWN, 2);
    const uint64_t most = UINT64_C(1) << 52;
    ck_assert_uint_eq(bpi_plan_count(&plan), UINT64_MAX);
    ck_assert(!bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_length(&plan, most - 2), PART);
    ck_assert_uint_eq(bpi_plan_length(&plan, most), 0);
    ck_assert(bpi_plan_restore(&plan, most, 0));
    ck_assert(!bpi_plan_restore(&plan, most + 1, 0));
    ck_assert_uint_eq(bpi_plan_next(&plan), BP_PART_NONE);
    ck_assert(!bpi_plan_begin(&plan, most)); /* it would begin where no byte can be */
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), LARGEST);
    ck_assert(!bpi_plan_is_done(&plan));
    ck_assert(bpi_plan_end(&plan, LARGEST));
    ck_assert(bpi_plan_is_done(&plan));
}
END_TEST

START_TEST(an_end_that_parts_are_beyond_is_refused) {
    bpi_plan plan = plan_of(BP_SIZE_UNKNOWN, 8);
    do_whole(&plan, 0);
    ck_assert(bpi_plan_begin(&plan, 1));
    do_whole(&plan, 2);
    ck_assert(bpi_plan_begin(&plan, 3));
    ck_assert(bpi_plan_hold(&plan, 3));
    ck_assert(!bpi_plan_end(&plan, 3 * PART)); /* 3 is held */
    ck_assert(bpi_plan_begin(&plan, 5));
    ck_assert(!bpi_plan_end(&plan, 5 * PART)); /* 5 is under way */
    ck_assert(bpi_plan_undo(&plan, 5));
    ck_assert(!bpi_plan_end(&plan, BP_SIZE_UNKNOWN));
    ck_assert_uint_eq(bpi_plan_count(&plan), UINT64_MAX);
    ck_assert(bpi_plan_end(&plan, 3 * PART + 1));
    ck_assert_uint_eq(bpi_plan_count(&plan), 4);
    ck_assert(!bpi_plan_begin(&plan, 4));
}
END_TEST

START_TEST(a_size_is_said_once_or_again_but_never_another) {
    bpi_plan plan = plan_of(3 * PART, 8), late = plan_of(BP_SIZE_UNKNOWN, 8);
    ck_assert(bpi_plan_end(&plan, 3 * PART));
    ck_assert(!bpi_plan_end(&plan, 3 * PART - 1));
    ck_assert(!bpi_plan_end(&plan, BP_SIZE_UNKNOWN));
    ck_assert(bpi_plan_end(&late, 0));
    ck_assert(bpi_plan_is_done(&late));
    ck_assert(!bpi_plan_end(&late, 1));
}
END_TEST

START_TEST(what_is_done_may_be_all_once_the_end_is_known) {
    bpi_plan plan = plan_of(BP_SIZE_UNKNOWN, 2);
    do_whole(&plan, 0);
    do_whole(&plan, 1);
    ck_assert(!bpi_plan_is_done(&plan));
    ck_assert(!bpi_plan_end(&plan, PART));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), 2 * PART);
    ck_assert(bpi_plan_end(&plan, PART + 1));
    ck_assert(bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), PART + 1);
}
END_TEST

/* ---- transitions ---- */

START_TEST(nobody_works_outside_of_the_window_or_the_object) {
    bpi_plan plan = plan_of(6 * PART, 4);
    ck_assert(!bpi_plan_begin(&plan, 4));
    for (uint64_t part = 0; part < 4; part++) {
        ck_assert_uint_eq(bpi_plan_next(&plan), part);
        ck_assert(bpi_plan_begin(&plan, part));
    }
    ck_assert_uint_eq(bpi_plan_next(&plan), BP_PART_NONE);
    ck_assert_uint_eq(bpi_plan_under_way(&plan), 4);
    ck_assert(bpi_plan_finish(&plan, 1)); /* not the first one: the window stays */
    ck_assert_uint_eq(bpi_plan_next(&plan), BP_PART_NONE);
    ck_assert(bpi_plan_finish(&plan, 0)); /* and now it moves by two, to the end */
    ck_assert_uint_eq(bpi_plan_next(&plan), 4);
    ck_assert(bpi_plan_begin(&plan, 5));
    ck_assert(!bpi_plan_begin(&plan, 6));
    ck_assert(!bpi_plan_begin(&plan, 1)); /* done */
    ck_assert(!bpi_plan_begin(&plan, UINT64_MAX));
    ck_assert(!bpi_plan_begin(&plan, BP_PART_NONE - 1));
}
END_TEST

START_TEST(each_transition_begins_where_it_says_or_not_at_all) {
    bpi_plan plan = plan_of(4 * PART, 4);
    ck_assert(!bpi_plan_finish(&plan, 0) && !bpi_plan_undo(&plan, 0) && !bpi_plan_hold(&plan, 0));
    ck_assert(!bpi_plan_unhold(&plan, 0) && !bpi_plan_deliver(&plan, 0));
    ck_assert(bpi_plan_begin(&plan, 0));
    ck_assert(!bpi_plan_begin(&plan, 0) && !bpi_plan_unhold(&plan, 0) && !bpi_plan_deliver(&plan, 0));
    ck_assert(bpi_plan_undo(&plan, 0));
    ck_assert(!bpi_plan_undo(&plan, 0) && !bpi_plan_finish(&plan, 0));
    ck_assert(bpi_plan_begin(&plan, 0));
    ck_assert(bpi_plan_hold(&plan, 0));
    ck_assert(bpi_plan_is_held(&plan, 0) && !bpi_plan_is_held(&plan, 1) && !bpi_plan_is_held(&plan, 64));
    ck_assert(!bpi_plan_begin(&plan, 0) && !bpi_plan_finish(&plan, 0) && !bpi_plan_undo(&plan, 0));
    ck_assert(!bpi_plan_hold(&plan, 0));
    ck_assert(bpi_plan_unhold(&plan, 0));
    ck_assert(!bpi_plan_unhold(&plan, 0) && !bpi_plan_is_held(&plan, 0));
    ck_assert_uint_eq(bpi_plan_next(&plan), 0);
    ck_assert(bpi_plan_begin(&plan, 0) && bpi_plan_hold(&plan, 0));
    ck_assert(bpi_plan_deliver(&plan, 0));
    ck_assert(!bpi_plan_deliver(&plan, 0) && !bpi_plan_begin(&plan, 0) && !bpi_plan_finish(&plan, 0));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), PART);
}
END_TEST

START_TEST(held_parts_are_delivered_in_order) {
    bpi_plan plan = plan_of(3 * PART, 3);
    for (uint64_t part = 3; part-- > 0;) {
        ck_assert(bpi_plan_begin(&plan, part));
        ck_assert(!bpi_plan_deliver(&plan, 2));
        ck_assert(bpi_plan_hold(&plan, part));
    }
    for (uint64_t part = 0; part < 3; part++) {
        ck_assert(!bpi_plan_deliver(&plan, part + 1));
        ck_assert(bpi_plan_deliver(&plan, part));
    }
    ck_assert(bpi_plan_is_done(&plan));
}
END_TEST

START_TEST(a_lost_connection_takes_what_was_under_way_and_nothing_else) {
    bpi_plan plan = plan_of(5 * PART, 4);
    ck_assert(bpi_plan_begin(&plan, 0));
    do_whole(&plan, 1);
    ck_assert(bpi_plan_begin(&plan, 2));
    ck_assert(bpi_plan_hold(&plan, 2));
    ck_assert(bpi_plan_begin(&plan, 3));
    bpi_plan_lost(&plan);
    ck_assert_uint_eq(bpi_plan_under_way(&plan), 0);
    ck_assert(!bpi_plan_finish(&plan, 0)); /* the answer that came with the old one */
    ck_assert(bpi_plan_is_held(&plan, 2));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), PART);
    ck_assert_uint_eq(bpi_plan_next(&plan), 0);
    ck_assert(bpi_plan_begin(&plan, 0));
    ck_assert_uint_eq(bpi_plan_next(&plan), 3);
}
END_TEST

START_TEST(a_window_of_64_moves_by_64_at_once) {
    bpi_plan plan = plan_of(200 * PART, 64);
    for (uint64_t part = 63; part > 0; part--) do_whole(&plan, part);
    ck_assert(!bpi_plan_begin(&plan, 64));
    ck_assert_uint_eq(bpi_plan_next(&plan), 0);
    do_whole(&plan, 0);
    ck_assert_uint_eq(plan.first, 64);
    ck_assert_uint_eq(plan.done, 0);
    ck_assert_uint_eq(bpi_plan_next(&plan), 64);
    ck_assert(bpi_plan_begin(&plan, 127));
    ck_assert(!bpi_plan_begin(&plan, 128));
}
END_TEST

/* ---- earlier lives ---- */

START_TEST(what_an_earlier_life_did_is_not_done_again) {
    bpi_plan plan = plan_of(100 * PART - 1, 4);
    ck_assert(bpi_plan_restore(&plan, 10, 5 << 1)); /* 10 is missing, 11 and 13 are not */
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), 12 * PART);
    ck_assert_uint_eq(bpi_plan_next(&plan), 10);
    do_whole(&plan, 10);
    ck_assert_uint_eq(bpi_plan_next(&plan), 12);
    do_whole(&plan, 12);
    ck_assert_uint_eq(bpi_plan_next(&plan), 14);
    ck_assert(bpi_plan_restore(&plan, 7, 3)); /* bit 0: whoever says so means first to be 9 */
    ck_assert_uint_eq(plan.first, 9);
    ck_assert(bpi_plan_restore(&plan, 36, UINT64_MAX));
    ck_assert(bpi_plan_is_done(&plan));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), 100 * PART - 1);
}
END_TEST

START_TEST(an_earlier_life_may_have_had_a_wider_window) {
    bpi_plan plan = plan_of(100 * PART, 2);
    ck_assert(bpi_plan_restore(&plan, 0, UINT64_C(1) << 63 | 1 << 3));
    ck_assert_uint_eq(bpi_plan_done_bytes(&plan), 2 * PART);
    ck_assert(!bpi_plan_begin(&plan, 2)); /* its own is what this one works in */
    for (uint64_t part = 0; part < 3; part++) do_whole(&plan, part);
    ck_assert_uint_eq(bpi_plan_next(&plan), 4);
    for (uint64_t part = 4; part < 63; part++) do_whole(&plan, part);
    ck_assert_uint_eq(bpi_plan_next(&plan), 64);
}
END_TEST

START_TEST(parts_that_the_object_has_not_cannot_have_been_done) {
    bpi_plan plan = plan_of(10 * PART, 4);
    ck_assert(bpi_plan_begin(&plan, 2));
    ck_assert(!bpi_plan_restore(&plan, 11, 0));
    ck_assert(!bpi_plan_restore(&plan, UINT64_MAX, UINT64_MAX));
    ck_assert(!bpi_plan_restore(&plan, 9, 2));
    ck_assert(!bpi_plan_restore(&plan, 0, 1 << 10));
    ck_assert_uint_eq(bpi_plan_under_way(&plan), 1); /* as it was */
    ck_assert_uint_eq(bpi_plan_next(&plan), 0);
    ck_assert(bpi_plan_restore(&plan, 0, 1 << 9));
    ck_assert_uint_eq(bpi_plan_under_way(&plan), 0);
}
END_TEST

BPT_SUITE(transfer_plan) {
    BPT_TEST(a_size_is_so_many_parts_of_which_the_last_may_be_shorter);
    BPT_TEST(an_object_of_no_bytes_has_no_part_and_is_done);
    BPT_TEST(parts_of_one_byte_are_as_many_as_bytes);
    BPT_TEST(the_largest_object_can_be_ended);
    BPT_TEST(while_the_size_is_unknown_it_has_no_end_but_that_of_numbers);
    BPT_TEST(an_end_that_parts_are_beyond_is_refused);
    BPT_TEST(a_size_is_said_once_or_again_but_never_another);
    BPT_TEST(what_is_done_may_be_all_once_the_end_is_known);
    BPT_TEST(nobody_works_outside_of_the_window_or_the_object);
    BPT_TEST(each_transition_begins_where_it_says_or_not_at_all);
    BPT_TEST(held_parts_are_delivered_in_order);
    BPT_TEST(a_lost_connection_takes_what_was_under_way_and_nothing_else);
    BPT_TEST(a_window_of_64_moves_by_64_at_once);
    BPT_TEST(what_an_earlier_life_did_is_not_done_again);
    BPT_TEST(an_earlier_life_may_have_had_a_wider_window);
    BPT_TEST(parts_that_the_object_has_not_cannot_have_been_done);
}
