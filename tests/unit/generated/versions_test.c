/* Three versions of one contract, each compiled like a user's: what new readers make of old writers' values and old
 * readers of new writers'. */
#include "tests/sampler/sample.h"
#include "tests/support/suite.h"

#include "evolve_v1.h"
#include "evolve_v1_samples.h"
#include "evolve_v2.h"
#include "evolve_v2_samples.h"
#include "evolve_v3.h"
#include "evolve_v3_samples.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1024 };

/* A value that one version wrote. */
typedef struct written {
    uint8_t bytes[ROOM];
    uint32_t length;
} written;

#define WRITE(version, name, message)                                                                                  \
    (memset(&w, 0xEE, sizeof w), evolve_##version##_##name##_encode(message, w.bytes, ROOM, &w.length))

/* Reads what was written in both ways. */
#define READ(version, name, message, view)                                                                             \
    do {                                                                                                               \
        bpt_ok(evolve_##version##_##name##_decode(w.bytes, w.length, message));                                        \
        bpt_ok(evolve_##version##_##name##_view_init(w.bytes, w.length, view));                                        \
        bpt_ok(evolve_##version##_##name##_validate(view, NULL));                                                      \
    } while (0)

#define REFUSED(version, name, error)                                                                                  \
    do {                                                                                                               \
        evolve_##version##_##name none;                                                                                \
        evolve_##version##_##name##_view nothing;                                                                      \
        bpt_err(evolve_##version##_##name##_decode(w.bytes, w.length, &none), error);                                  \
        bpt_err(evolve_##version##_##name##_view_init(w.bytes, w.length, &nothing), error);                            \
    } while (0)

/* ---- a block that grows ----------------------------------------------------------------------------------------- */

START_TEST(a_field_that_an_old_writer_lacks_reads_as_its_default) {
    const evolve_v1_flat old = {.first = 5};
    evolve_v2_flat new;
    evolve_v2_flat_view view;
    written w;
    bpt_ok(WRITE(v1, flat, &old));
    READ(v2, flat, &new, &view);
    ck_assert_uint_eq(new.first, 5);
    ck_assert_uint_eq(new.second, 7);
    ck_assert_uint_eq(new.third, EVOLVE_V2_SIDE_SELL);
    ck_assert(!evolve_v2_flat_has_second(&view) && !evolve_v2_flat_has_third(&view));
    ck_assert_uint_eq(evolve_v2_flat_get_second(&view), 7);
    ck_assert_uint_eq(evolve_v2_flat_get_third(&view), EVOLVE_V2_SIDE_SELL);
}
END_TEST

START_TEST(what_a_new_writer_has_besides_is_passed_over) {
    const evolve_v3_flat new = {.first = 5, .second = 6, .third = EVOLVE_V3_SIDE_BUY, .fourth = 8};
    evolve_v1_flat old;
    evolve_v1_flat_view old_view;
    evolve_v2_flat middle;
    evolve_v2_flat_view view;
    written w;
    bpt_ok(WRITE(v3, flat, &new));
    ck_assert_uint_eq(w.length, 16);
    READ(v1, flat, &old, &old_view);
    ck_assert_uint_eq(old.first, 5);
    READ(v2, flat, &middle, &view);
    ck_assert_uint_eq(middle.second, 6);
    ck_assert(evolve_v2_flat_has_third(&view));
}
END_TEST

/* The oldest group ends at 4, those of version 2 at 7: a reader that starts at version 2 has no use for the first. */
START_TEST(min_compatible_sets_the_shortest_block) {
    const evolve_v1_flat old = {.first = 5};
    const evolve_v2_flat middle = {.first = 5, .third = EVOLVE_V2_SIDE_BUY};
    evolve_v3_flat new;
    evolve_v3_flat_view view;
    written w;
    bpt_ok(WRITE(v1, flat, &old));
    REFUSED(v3, flat, BP_ERR_TRUNCATED);
    bpt_ok(WRITE(v2, flat, &middle));
    READ(v3, flat, &new, &view);
    ck_assert(!evolve_v3_flat_has_fourth(&view));
    ck_assert_uint_eq(EVOLVE_V1_FLAT_ACCEPT_MIN, 4);
    ck_assert_uint_eq(EVOLVE_V2_FLAT_ACCEPT_MIN, 4);
    ck_assert_uint_eq(EVOLVE_V3_FLAT_ACCEPT_MIN, 7);
    ck_assert_uint_eq(EVOLVE_V3_FLAT_MIN, 16);
    ck_assert_uint_eq(EVOLVE_V3_FLAT_ACCEPT_MAX, EVOLVE_V3_FLAT_CLASS);
}
END_TEST

/* What no version wrote is no version's: block lengths between two ends. */
START_TEST(a_block_ends_where_some_group_ends_or_behind_the_last) {
    const evolve_v3_flat new = {.first = 5, .second = 6, .third = EVOLVE_V3_SIDE_BUY, .fourth = 8};
    written w;
    bpt_ok(WRITE(v3, flat, &new));
    for (w.length = 0; w.length <= 16; w.length++) {
        const bool for_two = w.length == 4 || w.length >= 7, for_three = w.length == 7 || w.length == 16;
        evolve_v2_flat two;
        evolve_v3_flat three;
        ck_assert_int_eq(evolve_v2_flat_decode(w.bytes, w.length, &two) == BP_OK, for_two);
        ck_assert_int_eq(evolve_v3_flat_decode(w.bytes, w.length, &three) == BP_OK, for_three);
    }
}
END_TEST

START_TEST(optional_fields_of_a_later_group_have_a_bitmap_of_their_own) {
    const evolve_v1_choices old = {.has_a = true, .a = 3};
    const evolve_v2_choices some = {.has_b = true, .b = true, .has_c = true, .c = 4};
    evolve_v1_choices back;
    evolve_v1_choices_view back_view;
    evolve_v2_choices new;
    evolve_v2_choices_view view;
    written w;
    bpt_ok(WRITE(v1, choices, &old));
    READ(v2, choices, &new, &view);
    ck_assert(new.has_a && new.a == 3 && !new.has_b && !new.has_c && !new.has_d);
    ck_assert_uint_eq(new.c, 9);
    ck_assert_uint_eq(new.d, EVOLVE_V2_SIDE_BUY);
    ck_assert_uint_eq(evolve_v2_choices_get_d(&view), EVOLVE_V2_SIDE_BUY);
    bpt_ok(WRITE(v2, choices, &some));
    READ(v1, choices, &back, &back_view);
    ck_assert(!back.has_a && back.has_b && back.b);
    READ(v2, choices, &new, &view);
    ck_assert(new.has_c && new.c == 4 && !new.has_d);
    ck_assert_uint_eq(new.d, EVOLVE_V2_SIDE_BUY); /* absent among its own version's fields as well */
}
END_TEST

/* ---- tails ------------------------------------------------------------------------------------------------------ */

START_TEST(block_len_may_arrive_in_a_later_version) {
    const evolve_v1_arrives old = {.id = 1, .kind = 2};
    const evolve_v3_arrives newest = {
        .id = 3, .kind = 4, .name = "abc", .name_length = 3, .data = {9, 9}, .data_length = 2};
    evolve_v1_arrives back;
    evolve_v1_arrives_view back_view;
    evolve_v2_arrives new;
    evolve_v2_arrives_view view;
    written w;
    bpt_ok(WRITE(v1, arrives, &old));
    ck_assert_uint_eq(w.length, 9);
    READ(v2, arrives, &new, &view);
    ck_assert(new.id == 1 && new.kind == 2 && new.name_length == 0 && !evolve_v2_arrives_has_name(&view));
    bpt_ok(WRITE(v3, arrives, &newest));
    ck_assert_uint_eq(w.length, 16 + 3 + 2);
    READ(v1, arrives, &back, &back_view);
    ck_assert(back.id == 3 && back.kind == 4);
    READ(v2, arrives, &new, &view);
    ck_assert_str_eq(new.name, "abc");
}
END_TEST

/* A reader that knows of block_len trusts it, not the length: the v2 reader has the block of 14 bytes as its last. */
START_TEST(a_block_len_below_the_group_that_brought_it_is_refused) {
    const evolve_v2_arrives some = {.id = 1, .name = "abc", .name_length = 3};
    evolve_v2_arrives new;
    written w;
    bpt_ok(WRITE(v2, arrives, &some));
    for (uint32_t block = 0; block <= 20; block++) {
        w.bytes[10] = (uint8_t)block;
        const bp_err expected = block < 14 ? BP_ERR_MALFORMED : block <= 14 ? BP_OK : BP_ERR_TRUNCATED;
        bpt_err(evolve_v2_arrives_decode(w.bytes, w.length, &new), expected);
    }
    w.bytes[10] = 14;
    for (w.length = 0; w.length < 17; w.length++) {
        const bp_err expected = w.length == 9 ? BP_OK : w.length < 9 ? BP_ERR_TRUNCATED : BP_ERR_MALFORMED;
        const bp_err err = evolve_v2_arrives_decode(w.bytes, w.length, &new);
        ck_assert(err == expected || (w.length >= 14 && err == BP_ERR_TRUNCATED));
    }
}
END_TEST

START_TEST(later_tails_stand_behind_the_known_ones) {
    const evolve_v1_note old = {.id = 1, .text = "hello", .text_length = 5};
    const evolve_v3_note newest = {.id = 2,
                                   .text = "abc",
                                   .text_length = 3,
                                   .more = {7, 8},
                                   .more_count = 2,
                                   .language = "de",
                                   .language_length = 2,
                                   .has_late = true,
                                   .late = {1},
                                   .late_count = 1};
    evolve_v1_note back;
    evolve_v1_note_view back_view;
    evolve_v2_note new;
    evolve_v2_note_view view;
    written w;
    bpt_ok(WRITE(v1, note, &old));
    READ(v2, note, &new, &view);
    ck_assert_str_eq(new.text, "hello");
    ck_assert_uint_eq(new.more_count, 0);
    ck_assert_str_eq(new.language, "en");
    REFUSED(v3, note, BP_ERR_TRUNCATED);
    bpt_ok(WRITE(v3, note, &newest));
    READ(v1, note, &back, &back_view);
    ck_assert_str_eq(back.text, "abc");
    READ(v2, note, &new, &view);
    ck_assert(new.more_count == 2 && new.more[1] == 8);
    ck_assert_str_eq(new.language, "de");
}
END_TEST

/* The block ends at 18. text has 3 bytes, more is aligned to 4 and late to 8, counted from the start of the value. */
START_TEST(a_run_is_aligned_to_its_element_and_an_empty_one_adds_no_padding) {
    static const struct {
        uint8_t text, more, late;
        uint32_t length;
    } cases[] = {{0, 0, 0, 18}, {3, 0, 0, 21},          {3, 1, 0, 24 + 4},          {3, 0, 1, 24 + 8},
                 {0, 1, 0, 24}, {3, 2, 1, 24 + 8 + 8}, {3, 1, 1, 24 + 4 + 4 + 8}, {0, 0, 1, 24 + 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const evolve_v3_note note = {.text = "abc",
                                     .text_length = cases[i].text,
                                     .more = {1, 2},
                                     .more_count = cases[i].more,
                                     .has_late = true,
                                     .late = {3},
                                     .late_count = cases[i].late};
        evolve_v3_note same;
        evolve_v3_note_view view;
        written w;
        bpt_ok(WRITE(v3, note, &note));
        ck_assert_uint_eq(w.length, cases[i].length);
        READ(v3, note, &same, &view);
        ck_assert(same.more_count == note.more_count && same.late_count == note.late_count);
        for (uint32_t at = 18; at < w.length; at++) { /* text, zeros, 1, 2, zeros, 3 */
            const bool is_text = at < 18u + cases[i].text;
            ck_assert(is_text ? w.bytes[at] >= 'a' : w.bytes[at] <= 3);
        }
    }
}
END_TEST

/* Relays forward the bytes; encoding again drops what the relay does not know. */
START_TEST(encoding_again_drops_what_is_not_known) {
    const evolve_v3_note newest = {.id = 2, .text = "abc", .text_length = 3, .more = {7}, .more_count = 1};
    const evolve_v1_note same = {.id = 2, .text = "abc", .text_length = 3};
    evolve_v1_note relayed;
    evolve_v1_note_view view;
    uint8_t expected[ROOM];
    uint32_t expected_length = 0;
    written w;
    bpt_ok(WRITE(v3, note, &newest));
    READ(v1, note, &relayed, &view);
    bpt_ok(WRITE(v1, note, &relayed));
    bpt_ok(evolve_v1_note_encode(&same, expected, ROOM, &expected_length));
    ck_assert_uint_eq(w.length, expected_length);
    ck_assert_mem_eq(w.bytes, expected, expected_length);
}
END_TEST

/* ---- names and messages ----------------------------------------------------------------------------------------- */

START_TEST(a_new_name_is_the_same_bytes) {
    const evolve_v1_renamed old = {.old_name = 0x01020304};
    const evolve_v3_renamed newest = {.newest_name = 0x01020304};
    uint8_t other[ROOM];
    uint32_t length = 0;
    written w;
    bpt_ok(WRITE(v1, renamed, &old));
    bpt_ok(evolve_v3_renamed_encode(&newest, other, ROOM, &length));
    ck_assert_uint_eq(w.length, length);
    ck_assert_mem_eq(w.bytes, other, length);
    ck_assert_uint_eq(EVOLVE_V1_MOODS_TYPE, EVOLVE_V2_TEMPERS_TYPE);
}
END_TEST

START_TEST(a_retired_message_is_not_in_the_schema) {
    ck_assert_uint_eq(EVOLVE_V1_MESSAGE_COUNT, EVOLVE_V2_MESSAGE_COUNT + 1);
    for (size_t i = 0; i < evolve_v2_schema.type_count; i++) {
        ck_assert_uint_ne(evolve_v2_schema.types[i].type, EVOLVE_V1_GONE_TYPE);
    }
}
END_TEST

START_TEST(an_open_enum_keeps_what_it_does_not_name_and_a_closed_one_refuses_it) {
    const evolve_v2_tempers mood = {.mood = EVOLVE_V2_MOOD_NUMB, .route = EVOLVE_V2_ROUTE_SEA};
    const evolve_v2_tempers route = {.mood = EVOLVE_V2_MOOD_CALM, .route = EVOLVE_V2_ROUTE_AIR};
    evolve_v1_moods old;
    evolve_v1_moods_view view;
    written w;
    bpt_ok(WRITE(v2, tempers, &mood));
    READ(v1, moods, &old, &view);
    ck_assert_uint_eq(old.mood, EVOLVE_V2_MOOD_NUMB);
    ck_assert_ptr_null(evolve_v1_mood_name(old.mood));
    bpt_ok(WRITE(v2, tempers, &route));
    REFUSED(v1, moods, BP_ERR_MALFORMED);
}
END_TEST

/* ---- all pairs -------------------------------------------------------------------------------------------------- */

static const struct {
    const sample_message *samples;
    size_t count;
    int version, min_compatible;
} versions[] = {
    {evolve_v1_samples, EVOLVE_V1_SAMPLE_COUNT, 1, 1},
    {evolve_v2_samples, EVOLVE_V2_SAMPLE_COUNT, 2, 1},
    {evolve_v3_samples, EVOLVE_V3_SAMPLE_COUNT, 3, 2},
};
enum { VERSIONS = sizeof versions / sizeof versions[0], PAIRS = VERSIONS * VERSIONS };

static const sample_message *sample_of(int version, uint16_t type) {
    for (size_t i = 0; i < versions[version].count; i++) {
        if (versions[version].samples[i].type == type) return &versions[version].samples[i];
    }
    return NULL;
}

/* What the reader read it writes and reads again. */
static void check_again(const sample_message *reader, const void *decoded) {
    uint8_t *const again = malloc(reader->max);
    void *const second = calloc(1, reader->struct_size);
    uint32_t length = 0;
    ck_assert(again != NULL && second != NULL);
    bpt_ok(reader->encode(decoded, again, reader->max, &length));
    bpt_ok(reader->decode(again, length, second));
    bpt_must(reader->equal(decoded, second));
    free(second);
    free(again);
}

static void check_meeting(const sample_message *writer, const sample_message *reader, sample_kind kind,
                          uint64_t *seed) {
    void *const message = calloc(1, writer->struct_size), *const decoded = calloc(1, reader->struct_size);
    void *const view = calloc(1, reader->view_size);
    uint8_t *const value = malloc(writer->max);
    uint32_t length = 0;
    ck_assert(message != NULL && decoded != NULL && view != NULL && value != NULL);
    writer->fill(message, kind, seed);
    bpt_ok(writer->encode(message, value, writer->max, &length));
    bpt_must(length >= reader->accept_min && length <= reader->accept_max);
    bpt_ok(reader->decode(value, length, decoded));
    bpt_ok(reader->view_init(value, length, view));
    bpt_ok(reader->validate(view, NULL));
    bpt_must(reader->view_equal(view, decoded) || writer->block < reader->block);
    check_again(reader, decoded);
    free(value);
    free(view);
    free(decoded);
    free(message);
}

/* Whatever a writer of an accepted version writes is read; the new value of a closed enum alone is not. */
START_TEST(all_that_one_version_writes_the_others_read) {
    const int writer_ix = _i / VERSIONS, reader_ix = _i % VERSIONS;
    uint64_t seed = (uint64_t)_i + 1;
    if (versions[writer_ix].version < versions[reader_ix].min_compatible) return;
    for (size_t i = 0; i < versions[writer_ix].count; i++) {
        const sample_message *writer = &versions[writer_ix].samples[i], *reader = sample_of(reader_ix, writer->type);
        const bool has_new_value = writer->type == EVOLVE_V1_MOODS_TYPE && writer_ix > reader_ix;
        const int rounds = writer->max > 65536 ? 3 : 300;
        for (int round = 0; round < rounds && reader != NULL && !has_new_value; round++) {
            check_meeting(writer, reader, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM, &seed);
        }
    }
}
END_TEST

BPT_SUITE(generated_versions) {
    BPT_TEST(a_field_that_an_old_writer_lacks_reads_as_its_default);
    BPT_TEST(what_a_new_writer_has_besides_is_passed_over);
    BPT_TEST(min_compatible_sets_the_shortest_block);
    BPT_TEST(a_block_ends_where_some_group_ends_or_behind_the_last);
    BPT_TEST(optional_fields_of_a_later_group_have_a_bitmap_of_their_own);
    BPT_TEST(block_len_may_arrive_in_a_later_version);
    BPT_TEST(a_block_len_below_the_group_that_brought_it_is_refused);
    BPT_TEST(later_tails_stand_behind_the_known_ones);
    BPT_TEST(a_run_is_aligned_to_its_element_and_an_empty_one_adds_no_padding);
    BPT_TEST(encoding_again_drops_what_is_not_known);
    BPT_TEST(a_new_name_is_the_same_bytes);
    BPT_TEST(a_retired_message_is_not_in_the_schema);
    BPT_TEST(an_open_enum_keeps_what_it_does_not_name_and_a_closed_one_refuses_it);
    BPT_LOOP_TEST(all_that_one_version_writes_the_others_read, 0, PAIRS);
}
