/* Code that was generated for a contract with a lock: frames of the published version are read as they were written. */
#include "tests/support/suite.h"

#include "locked.h"

#include <string.h>

/* A message that was published empty: such a value has no byte, and nobody needs a place for it. */
START_TEST(an_empty_value_needs_no_memory) {
    locked_pulse_view view;
    bpt_ok(locked_pulse_view_init(NULL, 0, &view));
    bpt_ok(locked_pulse_validate(&view, NULL));
    ck_assert(!locked_pulse_has_note(&view) && !locked_pulse_has_blob(&view) && !locked_pulse_has_steps(&view));
    ck_assert_uint_eq(locked_pulse_get_level(&view), 3);
    ck_assert_uint_eq(locked_pulse_rates_count(&view), 0);
    ck_assert_uint_eq(locked_pulse_steps_count(&view), 0);
    ck_assert_uint_eq(locked_pulse_get_note(&view).length, 0);
    ck_assert_ptr_nonnull(locked_pulse_get_note(&view).data);
    ck_assert_ptr_nonnull(locked_pulse_get_blob(&view).data);
}
END_TEST

START_TEST(an_empty_value_is_decoded) {
    locked_pulse message;
    memset(&message, 0xA5, sizeof message);
    bpt_ok(locked_pulse_decode(NULL, 0, &message));
    ck_assert_uint_eq(message.note_length | message.blob_length | message.rates_count | message.steps_count, 0);
    ck_assert_uint_eq(message.level, 3);
    ck_assert(!message.has_blob);
}
END_TEST

/* First declared, first placed: that is of the published lines, not of today's. */
START_TEST(moved_lines_are_read_where_they_were) {
    static const uint8_t value[] = {9,   0,           /* block_len */
                                    1,   0,   2,   0, /* bytes of third and fourth */
                                    1,   7,   0,      /* bitmap: first alone; first, second */
                                    'a', 'b', 'c'};   /* third, fourth */
    locked_order_view view;
    bpt_ok(locked_order_view_init(value, sizeof value, &view));
    ck_assert(locked_order_has_first(&view) && !locked_order_has_second(&view) && !locked_order_has_fifth(&view));
    ck_assert_uint_eq(locked_order_get_first(&view), 7);
    ck_assert(locked_order_get_third(&view).length == 1 && locked_order_get_third(&view).data[0] == 'a');
    ck_assert(locked_order_get_fourth(&view).length == 2 && locked_order_get_fourth(&view).data[1] == 'c');
}
END_TEST

BPT_SUITE(generated_locked) {
    BPT_TEST(an_empty_value_needs_no_memory);
    BPT_TEST(an_empty_value_is_decoded);
    BPT_TEST(moved_lines_are_read_where_they_were);
}
