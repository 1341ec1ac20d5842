/* Types that grow: strides of older and newer writers, and those that nobody writes. Bytes are worked out by hand:
 *
 *   Level    version 1: price u32 at 0, side at 4, gap to 8. Version 2: orders u32 at 8, tag u64 at 12 (the type is
 *            aligned to 4), end 20. Version 3: label (count and five bytes) at 20, gap to 28.
 *   Book     sequence at 0, block_len at 8, bids (count, stride) at 10, spare at 14, bitmap at 18; asks at 20: 24. */
#include "tests/support/suite.h"

#include "evolve_v1.h"
#include "evolve_v2.h"
#include "evolve_v3.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 24, BIDS = 10, SPARE = 14, BITMAP = 18, ASKS = 20, ROOM = 1024 };

/* A Book of version 2 with one bid, as encode writes it. */
static const uint8_t one_bid[44] = {
    1,  0, 0,  0, 0, 0, 0, 0, /* sequence */
    24, 0,                    /* block_len */
    1,  0, 20, 0,             /* bids: count, stride */
    0,  0, 0,  0,             /* spare is absent */
    0,  0,                    /* bitmap, padding */
    0,  0, 20, 0,             /* asks: an empty vector says its stride as well */
    4,  3, 2,  1, 2, 0, 0, 0, /* price, side, padding */
    5,  0, 0,  0,             /* orders */
    9,  8, 7,  6, 5, 4, 3, 2, /* tag */
};

/* What reading gives, the same by decode and by view. */
static bp_err read_both(const uint8_t *value, size_t length, evolve_v2_book *book, evolve_v2_book_view *view) {
    uint8_t *const copy = malloc(length); /* so that reading behind its end is found */
    memcpy(copy, value, length);
    const bp_err decoded = evolve_v2_book_decode(copy, length, book);
    const bp_err viewed = evolve_v2_book_view_init(copy, length, view);
    free(copy);
    ck_assert_str_eq(bp_err_name(decoded), bp_err_name(viewed));
    if (viewed == BP_OK) view->value = value;
    return decoded;
}

START_TEST(a_vector_writes_its_own_stride_behind_its_count) {
    evolve_v2_book book = {.sequence = 1, .bids_count = 1};
    uint8_t out[ROOM];
    uint32_t length = 0;
    book.bids[0] = (evolve_v2_level){.price = 0x01020304, .side = 2, .orders = 5, .tag = 0x0203040506070809};
    bpt_ok(evolve_v2_book_encode(&book, out, sizeof out, &length));
    ck_assert_uint_eq(length, sizeof one_bid);
    ck_assert_mem_eq(out, one_bid, sizeof one_bid);
    ck_assert_uint_eq(EVOLVE_V1_LEVEL_SIZE, 8);
    ck_assert_uint_eq(EVOLVE_V2_LEVEL_SIZE, 20);
    ck_assert_uint_eq(EVOLVE_V3_LEVEL_SIZE, 28);
    ck_assert_uint_eq(EVOLVE_V2_BOOK_MAX, 24 + 3 * 4 * 20);
}
END_TEST

/* The value above with another stride: two elements of the first version's bytes and whatever fills the rest. */
static size_t with_stride(uint8_t out[ROOM], uint32_t stride, uint8_t rest) {
    memset(out, rest, ROOM);
    memcpy(out, one_bid, BLOCK);
    out[BIDS] = 2;
    out[BIDS + 2] = (uint8_t)stride;
    out[BIDS + 3] = (uint8_t)(stride >> 8);
    for (uint32_t i = 0; i < 2; i++) memcpy(out + BLOCK + i * stride, one_bid + BLOCK, stride < 20 ? stride : 20);
    out[BLOCK + stride] = 77;
    return BLOCK + 2 * stride;
}

START_TEST(fields_that_an_older_stride_lacks_read_as_their_default) {
    evolve_v2_book book;
    evolve_v2_book_view view;
    uint8_t value[ROOM];
    char text[512];
    memset(&book, 0xA5, sizeof book);
    const size_t length = with_stride(value, 8, 0xFF);
    bpt_ok(read_both(value, length, &book, &view));
    const evolve_v2_level second = evolve_v2_book_bids_at(&view, 1);
    ck_assert_uint_eq(evolve_v2_book_bids_count(&view), 2);
    ck_assert(book.bids[0].price == 0x01020304 && book.bids[0].orders == 1 && book.bids[0].tag == 0);
    ck_assert(book.bids[1].price % 256 == 77 && book.bids[1].side == EVOLVE_V2_SIDE_SELL);
    ck_assert(second.price % 256 == 77 && second.orders == 1 && second.tag == 0);
    bpt_ok(evolve_v2_book_validate(&view, NULL));
    (void)evolve_v2_book_print(&view, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "\"orders\":1,\"tag\":"));
}
END_TEST

START_TEST(what_a_newer_stride_has_besides_is_passed_over) {
    static const uint32_t strides[] = {24, 28, 64, 400};
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        evolve_v2_book book;
        evolve_v2_book_view view;
        uint8_t value[ROOM];
        const size_t length = with_stride(value, strides[i], 0xFF);
        bpt_ok(read_both(value, length, &book, &view));
        ck_assert(book.bids[1].price % 256 == 77 && book.bids[1].orders == 5);
        ck_assert(evolve_v2_book_bids_at(&view, 1).tag == 0x0203040506070809);
    }
}
END_TEST

/* Known ends, and multiples of the alignment above the last. */
static bool is_stride(uint32_t stride) { return stride == 8 || (stride >= 20 && stride % 4 == 0); }

START_TEST(a_stride_that_nobody_writes_is_refused) {
    for (uint32_t stride = 0; stride <= 100; stride++) {
        evolve_v2_book book;
        evolve_v2_book_view view;
        uint8_t value[ROOM];
        const size_t length = with_stride(value, stride, 0);
        const bp_err err = read_both(value, length, &book, &view);
        ck_assert_msg((err == BP_OK) == is_stride(stride), "stride %u: %s", stride, bp_err_name(err));
        if (err != BP_OK) bpt_err(err, BP_ERR_MALFORMED);
    }
}
END_TEST

START_TEST(the_stride_of_an_empty_vector_is_checked_too) {
    evolve_v2_book book;
    evolve_v2_book_view view;
    uint8_t value[sizeof one_bid];
    for (uint32_t stride = 0; stride <= 100; stride++) {
        memcpy(value, one_bid, sizeof value);
        value[ASKS + 2] = (uint8_t)stride;
        bpt_err(read_both(value, sizeof value, &book, &view), is_stride(stride) ? BP_OK : BP_ERR_MALFORMED);
    }
}
END_TEST

START_TEST(strides_below_min_compatible_are_refused) {
    uint8_t value[ROOM];
    evolve_v3_book book;
    for (uint32_t stride = 0; stride <= 64; stride += 4) {
        const size_t length = with_stride(value, stride, 0);
        const bool is_read = stride == 20 || stride >= 28;
        bpt_err(evolve_v3_book_decode(value, length, &book), is_read ? BP_OK : BP_ERR_MALFORMED);
        if (stride == 20) ck_assert_str_eq(book.bids[1].label, "new");
    }
}
END_TEST

START_TEST(count_and_stride_of_an_absent_vector_are_zero) {
    evolve_v2_book book;
    evolve_v2_book_view view;
    for (uint32_t at = SPARE; at < SPARE + 4; at++) {
        uint8_t value[sizeof one_bid];
        memcpy(value, one_bid, sizeof value);
        value[at] = 20;
        ck_assert(read_both(value, sizeof value, &book, &view) != BP_OK);
    }
    uint8_t value[sizeof one_bid];
    memcpy(value, one_bid, sizeof value);
    value[BIDS] = 0;
    value[SPARE] = 1; /* an element of no bytes, behind the end: nothing may be read there */
    bpt_err(read_both(value, BLOCK, &book, &view), BP_ERR_MALFORMED);
    value[BIDS] = 1;
    value[BITMAP] = 1; /* present, without a stride */
    bpt_err(read_both(value, sizeof value, &book, &view), BP_ERR_MALFORMED);
    value[SPARE] = 0;
    value[SPARE + 2] = 8;
    bpt_ok(read_both(value, sizeof value, &book, &view));
    ck_assert(book.has_spare && book.spare_count == 0);
}
END_TEST

START_TEST(a_vector_that_an_old_writer_lacks_is_empty) {
    const evolve_v1_book old = {.sequence = 7, .bids_count = 1, .bids = {{.price = 3, .side = EVOLVE_V1_SIDE_BUY}}};
    evolve_v2_book book;
    evolve_v2_book_view view;
    uint8_t value[ROOM];
    uint32_t length = 0;
    bpt_ok(evolve_v1_book_encode(&old, value, sizeof value, &length));
    ck_assert_uint_eq(length, 20 + 8); /* the block ends at 19 */
    bpt_ok(read_both(value, length, &book, &view));
    ck_assert(!evolve_v2_book_has_asks(&view) && evolve_v2_book_asks_count(&view) == 0 && book.asks_count == 0);
    ck_assert(book.bids_count == 1 && book.bids[0].price == 3 && book.bids[0].orders == 1);
}
END_TEST

START_TEST(known_bytes_of_every_stride_are_checked) {
    static const struct {
        uint32_t stride, at;
        uint8_t value;
    } cases[] = {{8, 4, 0},  {8, 4, 3},  {8, 5, 1},  {8, 7, 1},  {20, 4, 3}, {20, 6, 1},
                 {28, 4, 3}, {28, 7, 1}, {64, 5, 1}, {64, 4, 0}, {8, 12, 3}, {8, 15, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evolve_v2_book book;
        evolve_v2_book_view view;
        uint8_t value[ROOM];
        const size_t length = with_stride(value, cases[i].stride, 0);
        value[BLOCK + cases[i].at] = cases[i].value;
        bpt_err(read_both(value, length, &book, &view), BP_ERR_MALFORMED);
    }
}
END_TEST

START_TEST(elements_beyond_the_value_are_refused) {
    evolve_v2_book book;
    evolve_v2_book_view view;
    uint8_t value[ROOM];
    const size_t length = with_stride(value, 28, 0);
    bpt_err(read_both(value, length - 1, &book, &view), BP_ERR_TRUNCATED);
    bpt_err(read_both(value, length + 1, &book, &view), BP_ERR_MALFORMED);
    value[BIDS + 3] = 0xFC; /* strides of 64 KiB */
    bpt_err(read_both(value, length, &book, &view), BP_ERR_TRUNCATED);
    value[BIDS] = 5;
    bpt_err(read_both(value, length, &book, &view), BP_ERR_BOUND);
}
END_TEST

/* 66535 elements of 64552 bytes are 2^32 + 24 bytes. */
START_TEST(count_times_stride_does_not_wrap) {
    const uint8_t value[8 + 24] = {0xE7, 0x03, 0x01, 0, 0x28, 0xFC, 8, 0};
    evolve_v2_wide_view view;
    evolve_v2_wide *const wide = malloc(sizeof *wide);
    ck_assert(wide != NULL);
    bpt_err(evolve_v2_wide_view_init(value, sizeof value, &view), BP_ERR_TRUNCATED);
    bpt_err(evolve_v2_wide_decode(value, sizeof value, wide), BP_ERR_TRUNCATED);
    free(wide);
}
END_TEST

START_TEST(a_new_value_of_a_type_holds_its_defaults) {
    const evolve_v3_level level = EVOLVE_V3_LEVEL_INIT;
    ck_assert_uint_eq(level.orders, 1);
    ck_assert_str_eq(level.label, "new");
    ck_assert_uint_eq(level.label_length, 3);
}
END_TEST

BPT_SUITE(generated_extensible) {
    BPT_TEST(a_vector_writes_its_own_stride_behind_its_count);
    BPT_TEST(fields_that_an_older_stride_lacks_read_as_their_default);
    BPT_TEST(what_a_newer_stride_has_besides_is_passed_over);
    BPT_TEST(a_stride_that_nobody_writes_is_refused);
    BPT_TEST(the_stride_of_an_empty_vector_is_checked_too);
    BPT_TEST(strides_below_min_compatible_are_refused);
    BPT_TEST(count_and_stride_of_an_absent_vector_are_zero);
    BPT_TEST(a_vector_that_an_old_writer_lacks_is_empty);
    BPT_TEST(known_bytes_of_every_stride_are_checked);
    BPT_TEST(elements_beyond_the_value_are_refused);
    BPT_TEST(count_times_stride_does_not_wrap);
    BPT_TEST(a_new_value_of_a_type_holds_its_defaults);
}
