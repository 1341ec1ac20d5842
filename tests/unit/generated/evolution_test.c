/* Values of older and newer versions of a contract: what is missing reads as its default, what is unknown is passed
 * over, and block lengths that nobody wrote are refused. */
#include "tests/support/suite.h"

#include "zoo.h"

#include <string.h>

/* The ends of Grown's groups and of GrownFlat's, as wire_test.c derives them. */
enum { GROWN_1 = 10, GROWN_2 = 34, GROWN_3 = 46, FLAT_1 = 4, FLAT_2 = 10 };

/* A value that a version wrote: its block, then the tail. */
static size_t grown_value(uint8_t out[ZOO_GROWN_ACCEPT_MAX], uint32_t block, const char *tail, size_t tail_length) {
    memset(out, 0, ZOO_GROWN_ACCEPT_MAX);
    out[0] = 42;
    if (block > GROWN_1) {
        out[10] = (uint8_t)block;
        out[12] = 100;
        out[16] = 5;
        out[32] = 3;
    }
    if (tail_length != 0) memcpy(out + block, tail, tail_length);
    return block + tail_length;
}

static void check_defaults(const zoo_grown *message, const zoo_grown_view *view) {
    const bp_text code = zoo_grown_get_code(view);
    ck_assert_uint_eq(message->first, 42);
    ck_assert(!message->has_flag && !zoo_grown_has_flag(view));
    ck_assert(!message->has_third && !zoo_grown_has_third(view));
    ck_assert_uint_eq(message->third, 4);
    ck_assert_uint_eq(zoo_grown_get_third(view), 4);
    ck_assert(!zoo_grown_has_list(view) && !zoo_grown_has_code(view));
    ck_assert_uint_eq(message->list_count, 0);
    ck_assert_uint_eq(zoo_grown_list_count(view), 0);
    ck_assert_str_eq(message->code, "none");
    ck_assert_uint_eq(message->code_length, 4);
    ck_assert(code.length == 4 && memcmp(code.data, "none", 4) == 0);
    bpt_ok(zoo_grown_validate(view, NULL));
}

START_TEST(the_first_version_is_read) {
    uint8_t value[ZOO_GROWN_ACCEPT_MAX];
    zoo_grown message;
    zoo_grown_view view;
    const size_t length = grown_value(value, GROWN_1, NULL, 0);
    memset(&message, 0xA5, sizeof message);
    bpt_ok(zoo_grown_decode(value, length, &message));
    bpt_ok(zoo_grown_view_init(value, length, &view));
    check_defaults(&message, &view);
    ck_assert(!zoo_grown_has_second(&view) && !zoo_grown_has_name(&view) && !zoo_grown_has_spot(&view));
    ck_assert_uint_eq(message.second, 9);
    ck_assert_uint_eq(zoo_grown_get_second(&view), 9);
    ck_assert_uint_eq(message.name_length, 0);
    ck_assert_uint_eq(zoo_grown_get_name(&view).length, 0);
    ck_assert_uint_eq(message.spot.x | message.spot.y, 0);
    ck_assert_uint_eq(zoo_grown_get_spot(&view).x, 0);
}
END_TEST

START_TEST(the_second_version_is_read) {
    uint8_t value[ZOO_GROWN_ACCEPT_MAX];
    zoo_grown message;
    zoo_grown_view view;
    const size_t length = grown_value(value, GROWN_2, "abc", 3);
    bpt_ok(zoo_grown_decode(value, length, &message));
    bpt_ok(zoo_grown_view_init(value, length, &view));
    check_defaults(&message, &view);
    ck_assert(zoo_grown_has_second(&view) && zoo_grown_has_name(&view) && zoo_grown_has_spot(&view));
    ck_assert_uint_eq(message.second, 100);
    ck_assert_str_eq(message.name, "abc");
    ck_assert_uint_eq(message.spot.x, 5);
    bpt_err(zoo_grown_decode(value, length + 1, &message), BP_ERR_MALFORMED);
    bpt_err(zoo_grown_decode(value, length - 1, &message), BP_ERR_TRUNCATED);
}
END_TEST

/* Unknown bytes of the block, and unknown tails behind the known ones, whatever they hold. */
START_TEST(a_newer_version_is_read) {
    uint8_t value[ZOO_GROWN_ACCEPT_MAX];
    zoo_grown message;
    zoo_grown_view view;
    const size_t length = grown_value(value, GROWN_3 + 5, "abc????", 7);
    memset(value + GROWN_3, 0xFF, 5);
    bpt_ok(zoo_grown_decode(value, length, &message));
    bpt_ok(zoo_grown_view_init(value, length, &view));
    ck_assert_str_eq(message.name, "abc");
    ck_assert(zoo_grown_has_code(&view));
    ck_assert_uint_eq(message.code_length, 0);
    value[45] = 1; /* slack of code, which is known */
    bpt_err(zoo_grown_decode(value, length, &message), BP_ERR_MALFORMED);
}
END_TEST

START_TEST(block_lengths_that_nobody_wrote_are_refused) {
    uint8_t value[ZOO_GROWN_ACCEPT_MAX];
    zoo_grown message;
    zoo_grown_view view;
    for (uint32_t block = 0; block <= GROWN_3 + 2; block++) {
        const bool is_known = block == GROWN_2 || block >= GROWN_3;
        const uint32_t tail = block < GROWN_2 ? GROWN_3 : block;
        const size_t length = grown_value(value, tail, "abc", 3);
        value[10] = (uint8_t)block;
        const bp_err err = zoo_grown_decode(value, length, &message);
        ck_assert_msg(is_known == (err == BP_OK), "block of %u: %s", block, bp_err_name(err));
        ck_assert_str_eq(bp_err_name(err), bp_err_name(zoo_grown_view_init(value, length, &view)));
    }
}
END_TEST

/* Without a tail the frame's length is the block's. */
START_TEST(a_message_without_tail_grows_by_its_length) {
    const uint8_t value[16] = {7, 0, 0, 0, 8, 0, 9, 0, 10, 0, 1, 1, 1, 1, 1, 1};
    zoo_grown_flat message;
    zoo_grown_flat_view view;
    for (size_t length = 0; length <= sizeof value; length++) {
        const bp_err err = zoo_grown_flat_decode(value, length, &message);
        ck_assert_str_eq(bp_err_name(err), bp_err_name(zoo_grown_flat_view_init(value, length, &view)));
        ck_assert_int_eq(err == BP_OK, length == FLAT_1 || length >= FLAT_2);
        if (err != BP_OK) continue;
        const bool is_new = length >= FLAT_2;
        ck_assert_uint_eq(message.first, 7);
        ck_assert_int_eq(zoo_grown_flat_has_third(&view), is_new);
        ck_assert_uint_eq(message.second, is_new ? 8 : 3);
        ck_assert_uint_eq(zoo_grown_flat_get_second(&view), is_new ? 8 : 3);
        ck_assert_uint_eq(message.third[1], is_new ? 10 : 0);
        ck_assert_uint_eq(zoo_grown_flat_third_at(&view, 1), is_new ? 10 : 0);
    }
}
END_TEST

START_TEST(a_new_struct_holds_the_defaults) {
    const zoo_defaults message = ZOO_DEFAULTS_INIT;
    ck_assert_uint_eq(message.a, 5);
    ck_assert(message.b == INT64_MIN);
    ck_assert(message.c == 0.5f);
    ck_assert_uint_eq(message.d.limb[2], UINT64_C(1) << 32);
    ck_assert_uint_eq(message.e, ZOO_COLOUR_GREEN);
    ck_assert(message.f);
    ck_assert_str_eq(message.g, "a\"b");
    ck_assert_uint_eq(message.g_length, 3);
}
END_TEST

BPT_SUITE(generated_evolution) {
    BPT_TEST(the_first_version_is_read);
    BPT_TEST(the_second_version_is_read);
    BPT_TEST(a_newer_version_is_read);
    BPT_TEST(block_lengths_that_nobody_wrote_are_refused);
    BPT_TEST(a_message_without_tail_grows_by_its_length);
    BPT_TEST(a_new_struct_holds_the_defaults);
}
