/* What a connection remembers, by the generated X_check_session: fields that may not fall, and who must come first. */
#include "tests/support/suite.h"

#include "gate.h"

#include <math.h>
#include <string.h>

static uint8_t bytes[1024];
static uint32_t length;

static bp_err counts(gate_session *session, const gate_counts *message, const char **field) {
    gate_counts_view view;
    bpt_ok(gate_counts_encode(message, bytes, sizeof bytes, &length));
    bpt_ok(gate_counts_view_init(bytes, length, &view));
    return gate_counts_check_session(session, &view, field);
}

/* ---- fields that may not fall ----------------------------------------------------------------------------------- */

static const char *const fields[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* One field at its step -1, 0 or 1, on both sides of zero where it has them; 2 is its least, and 3 its largest value.
 */
static void set(gate_counts *m, int ix, int step) {
    const uint64_t up = (uint64_t)(step + 1);
    m->has_m = true;
    switch (ix) {
    case 0: m->a = step == 2 ? 0 : step == 3 ? UINT8_MAX : (uint8_t)(127 + step); break;
    case 1: m->b = step == 2 ? 0 : step == 3 ? UINT16_MAX : (uint16_t)(32767 + step); break;
    case 2: m->c = step == 2 ? 0 : step == 3 ? UINT32_MAX : INT32_MAX + (uint32_t)step; break;
    case 3: m->d = step == 2 ? 0 : step == 3 ? UINT64_MAX : INT64_MAX + up; break;
    case 4: m->e = step == 2 ? INT8_MIN : step == 3 ? INT8_MAX : (int8_t)step; break;
    case 5: m->f = step == 2 ? INT16_MIN : step == 3 ? INT16_MAX : (int16_t)step; break;
    case 6: m->g = step == 2 ? INT32_MIN : step == 3 ? INT32_MAX : (int32_t)step; break;
    case 7: m->h = step == 2 ? INT64_MIN : step == 3 ? INT64_MAX : (int64_t)step; break;
    case 8: m->i = step == 2 ? -HUGE_VALF : step == 3 ? HUGE_VALF : 0.25f * (float)step; break;
    case 9: m->j = step == 2 ? -HUGE_VAL : step == 3 ? HUGE_VAL : 1e-300 * step; break;
    /* The low limbs go the other way. */
    case 10: m->k = step == 2 ? (bp_u128){{0}} : (bp_u128){{9 - up, up}}; break;
    case 11: m->l = step == 2 ? (bp_u256){{0}} : (bp_u256){{9 - up, 0, 0, up}}; break;
    case 12: m->m = step == 2 ? INT32_MIN : step == 3 ? INT32_MAX : step; break;
    default: m->n = step == 2 ? 0 : step == 3 ? UINT32_MAX : INT32_MAX + (uint32_t)step; break;
    }
}

static gate_counts all_at(int step) {
    gate_counts m = GATE_COUNTS_INIT;
    for (int i = 0; i < FIELDS; i++) set(&m, i, step);
    return m;
}

START_TEST(a_value_may_rise_or_stay_but_not_fall) {
    gate_session session = {0};
    gate_counts m = all_at(0);
    const char *field = "?";
    bpt_ok(counts(&session, &m, &field));
    ck_assert_ptr_null(field);
    bpt_ok(counts(&session, &m, NULL));
    const gate_session before = session;
    set(&m, _i, -1);
    bpt_err(counts(&session, &m, &field), BP_ERR_RULE);
    ck_assert_str_eq(field, fields[_i]);
    bpt_err(counts(&session, &m, NULL), BP_ERR_RULE);
    ck_assert(memcmp(&session, &before, sizeof session) == 0);
    set(&m, _i, 1);
    bpt_ok(counts(&session, &m, NULL));
    set(&m, _i, 0);
    bpt_err(counts(&session, &m, &field), BP_ERR_RULE);
    ck_assert_str_eq(field, fields[_i]);
}
END_TEST

/* The first value may be any, the least included; behind it every other may follow, up to the largest. */
START_TEST(a_new_session_takes_any_value) {
    gate_session low = {0}, high = {0};
    gate_counts least = all_at(2), negative = all_at(-1), most = all_at(3);
    bpt_ok(counts(&low, &least, NULL));
    bpt_ok(counts(&low, &negative, NULL));
    bpt_ok(counts(&low, &most, NULL));
    bpt_ok(counts(&high, &most, NULL));
    bpt_ok(counts(&high, &most, NULL));
    bpt_err(counts(&low, &least, NULL), BP_ERR_RULE);
}
END_TEST

/* What rose in a message that was refused for something else is not remembered. */
START_TEST(a_refused_message_changes_nothing) {
    gate_session session = {0};
    gate_counts m = all_at(0);
    bpt_ok(counts(&session, &m, NULL));
    const gate_session before = session;
    m = all_at(1);
    set(&m, _i, -1);
    bpt_err(counts(&session, &m, NULL), BP_ERR_RULE);
    ck_assert(memcmp(&session, &before, sizeof session) == 0);
    m = all_at(0);
    bpt_ok(counts(&session, &m, NULL));
}
END_TEST

START_TEST(nan_is_refused) {
    const char *field = NULL;
    for (int is_first = 0; is_first < 2; is_first++) {
        gate_session session = {0};
        gate_counts m = all_at(0);
        if (!is_first) bpt_ok(counts(&session, &m, NULL));
        if (_i == 0)
            m.i = NAN;
        else
            m.j = NAN;
        bpt_err(counts(&session, &m, &field), BP_ERR_RULE);
        ck_assert_str_eq(field, _i == 0 ? "i" : "j");
        m = all_at(0);
        bpt_ok(counts(&session, &m, NULL));
    }
}
END_TEST

START_TEST(absent_values_are_skipped) {
    gate_session session = {0};
    gate_counts m = all_at(0);
    gate_counts_view view;
    const char *field = NULL;
    m.has_m = false;
    m.m = 0;
    bpt_ok(counts(&session, &m, NULL));
    m.has_m = true;
    m.m = -5; /* under the zero that stood in its place */
    bpt_ok(counts(&session, &m, NULL));
    m.has_m = false;
    m.m = 0;
    bpt_ok(counts(&session, &m, NULL));
    m.has_m = true;
    m.m = -6;
    bpt_err(counts(&session, &m, &field), BP_ERR_RULE);
    ck_assert_str_eq(field, "m");
    m.m = -5;
    bpt_ok(counts(&session, &m, NULL));
    bpt_ok(gate_counts_view_init(bytes, GATE_COUNTS_ACCEPT_MIN, &view)); /* of a writer that had no n yet */
    ck_assert(!gate_counts_has_n(&view));
    bpt_ok(gate_counts_check_session(&session, &view, NULL));
    set(&m, 13, -1);
    bpt_err(counts(&session, &m, &field), BP_ERR_RULE);
    ck_assert_str_eq(field, "n");
}
END_TEST

START_TEST(sessions_know_nothing_of_each_other) {
    gate_session one = {0}, other = {0};
    gate_counts high = all_at(1), low = all_at(0);
    bpt_ok(counts(&one, &high, NULL));
    bpt_ok(counts(&other, &low, NULL));
    bpt_err(counts(&one, &low, NULL), BP_ERR_RULE);
    memset(&one, 0, sizeof one);
    bpt_ok(counts(&one, &low, NULL));
}
END_TEST

/* ---- who must come first ---------------------------------------------------------------------------------------- */

static bp_err hello(gate_session *session) {
    gate_hello_view view;
    bpt_ok(gate_hello_view_init(bytes, 0, &view));
    return gate_hello_check_session(session, &view, NULL);
}

static bp_err meta(gate_session *session, const char **field) {
    const gate_meta message = {.id = 1};
    gate_meta_view view;
    bpt_ok(gate_meta_encode(&message, bytes, sizeof bytes, &length));
    bpt_ok(gate_meta_view_init(bytes, length, &view));
    return gate_meta_check_session(session, &view, field);
}

static bp_err trade(gate_session *session, uint64_t sequence, const char **field) {
    const gate_trade message = {.sequence = sequence};
    gate_trade_view view;
    bpt_ok(gate_trade_encode(&message, bytes, sizeof bytes, &length));
    bpt_ok(gate_trade_view_init(bytes, length, &view));
    return gate_trade_check_session(session, &view, field);
}

#define EXPECT_EARLY(call, missing)                                                                                    \
    do {                                                                                                               \
        bpt_err(call, BP_ERR_ORDER);                                                                                   \
        ck_assert_str_eq(field, missing);                                                                              \
    } while (0)

START_TEST(what_is_required_must_have_come) {
    gate_session session = {0};
    const char *field = NULL;
    EXPECT_EARLY(meta(&session, &field), "Hello");
    EXPECT_EARLY(trade(&session, 1, &field), "Hello");
    bpt_err(meta(&session, NULL), BP_ERR_ORDER);
    bpt_ok(hello(&session));
    EXPECT_EARLY(trade(&session, 1, &field), "Meta"); /* a refused one has not come */
    bpt_ok(meta(&session, &field));
    ck_assert_ptr_null(field);
    bpt_ok(trade(&session, 7, &field));
    bpt_ok(hello(&session)); /* again, and late: nobody minds */
    bpt_ok(trade(&session, 7, &field));
    bpt_err(trade(&session, 6, &field), BP_ERR_RULE);
    ck_assert_str_eq(field, "sequence");
}
END_TEST

/* Too early and falling: the order is what is told, and the sequence is not remembered. */
START_TEST(what_came_too_early_is_forgotten) {
    gate_session session = {0};
    bpt_ok(hello(&session));
    bpt_err(trade(&session, 9, NULL), BP_ERR_ORDER);
    bpt_ok(meta(&session, NULL));
    bpt_ok(trade(&session, 3, NULL));
}
END_TEST

BPT_SUITE(generated_session) {
    BPT_LOOP_TEST(a_value_may_rise_or_stay_but_not_fall, 0, FIELDS);
    BPT_TEST(a_new_session_takes_any_value);
    BPT_LOOP_TEST(a_refused_message_changes_nothing, 0, FIELDS);
    BPT_LOOP_TEST(nan_is_refused, 0, 2);
    BPT_TEST(absent_values_are_skipped);
    BPT_TEST(sessions_know_nothing_of_each_other);
    BPT_TEST(what_is_required_must_have_come);
    BPT_TEST(what_came_too_early_is_forgotten);
}
