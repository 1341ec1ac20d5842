/* What the program is asked about values, by the generated X_check_hooks and by services. */
#include "tests/support/suite.h"

#include "chain_dialect.h"
#include "gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ASKED_MAX = 512 };

/* Every question in its order, as text: "number 7". */
typedef struct notes {
    char asked[ASKED_MAX][32];
    unsigned count;
    const char *refused; /* the question that is answered with no */
} notes;

__attribute__((format(printf, 2, 3))) static bool note(void *user, const char *format, ...) {
    notes *n = user;
    va_list arguments;
    ck_assert_uint_lt(n->count, ASKED_MAX);
    va_start(arguments, format);
    vsnprintf(n->asked[n->count], sizeof n->asked[0], format, arguments);
    va_end(arguments);
    return strcmp(n->asked[n->count++], n->refused) != 0;
}

static bool known_number(uint64_t value, void *user) { return note(user, "number %llu", (unsigned long long)value); }
static bool known_signed(int64_t value, void *user) { return note(user, "signed %lld", (long long)value); }
static bool known_real(double value, void *user) { return note(user, "real %g", value); }
static bool known_u128(bp_u128 value, void *user) {
    return note(user, "u128 %llx:%llx", (unsigned long long)value.limb[1], (unsigned long long)value.limb[0]);
}
static bool known_u256(bp_u256 value, void *user) {
    return note(user, "u256 %llx:%llx", (unsigned long long)value.limb[3], (unsigned long long)value.limb[0]);
}
static bool known_text(bp_text value, void *user) { return note(user, "text %.*s", (int)value.length, value.data); }
static bool known_bytes(bp_bytes value, void *user) {
    return note(user, "bytes %zu %02x", value.length, value.length == 0 ? 0 : value.data[0]);
}

static gate_hooks hooks_of(notes *n) {
    return (gate_hooks){.known_number = known_number,
                        .known_signed = known_signed,
                        .known_real = known_real,
                        .known_u128 = known_u128,
                        .known_u256 = known_u256,
                        .known_text = known_text,
                        .known_bytes = known_bytes,
                        .user = n};
}

static void expect_asked(const notes *n, const char *const *expected, size_t count) {
    for (size_t i = 0; i < count && i < n->count; i++) ck_assert_str_eq(n->asked[i], expected[i]);
    ck_assert_uint_eq(n->count, count);
}
#define EXPECT_ASKED(notes, ...)                                                                                       \
    do {                                                                                                               \
        static const char *const expected[] = {__VA_ARGS__};                                                           \
        expect_asked(notes, expected, sizeof expected / sizeof expected[0]);                                           \
    } while (0)

/* A view of a message, over bytes that last as long as the test. */
static uint8_t bytes[16384];
static uint32_t length;
#define VIEW(name, view, message)                                                                                      \
    do {                                                                                                               \
        bpt_ok(gate_##name##_encode(message, bytes, sizeof bytes, &length));                                           \
        bpt_ok(gate_##name##_view_init(bytes, length, view));                                                          \
    } while (0)

static gate_values some_values(void) {
    gate_values v = {
        .a = 200, .b = UINT64_MAX, .c = true, .d = GATE_SIDE_SELL, .e = -128, .f = -300, .g = 0.5f, .h = -2.25};
    v.i = (bp_u128){{7, 9}};
    v.j = (bp_u256){{3, 0, 0, 8}};
    memcpy(v.k, "abc", 3);
    v.k_length = 3;
    memcpy(v.l, "longer", 6);
    v.l_length = 6;
    memset(v.m, 0xAB, 50);
    v.m_length = 50;
    v.n[0] = 0xCD;
    return v;
}

START_TEST(each_kind_of_value_reaches_its_hook_once) {
    notes n = {.refused = ""};
    const gate_hooks hooks = hooks_of(&n);
    const gate_values values = some_values();
    gate_values_view view;
    const char *field = "?";
    VIEW(values, &view, &values);
    bpt_ok(gate_values_check_hooks(&view, &hooks, &field));
    ck_assert_ptr_null(field);
    EXPECT_ASKED(&n, "number 200", "number 18446744073709551615", "number 1", "number 2", "signed -128", "signed -300",
                 "real 0.5", "real -2.25", "u128 9:7", "u256 8:3", "text abc", "text longer", "bytes 50 ab",
                 "bytes 20 cd");
}
END_TEST

/* Whichever is refused: its field is named, and nobody is asked after it. */
START_TEST(a_refused_value_is_named) {
    static const char *const fields[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"};
    notes all = {.refused = ""};
    gate_hooks hooks = hooks_of(&all);
    const gate_values values = some_values();
    gate_values_view view;
    VIEW(values, &view, &values);
    bpt_ok(gate_values_check_hooks(&view, &hooks, NULL));
    ck_assert_uint_eq(all.count, sizeof fields / sizeof fields[0]);
    for (unsigned i = 0; i < all.count; i++) {
        notes n = {.refused = all.asked[i]};
        const char *field = NULL;
        hooks.user = &n;
        bpt_err(gate_values_check_hooks(&view, &hooks, &field), BP_ERR_RULE);
        ck_assert_str_eq(field, fields[i]);
        ck_assert_uint_eq(n.count, i + 1);
        bpt_err(gate_values_check_hooks(&view, &hooks, NULL), BP_ERR_RULE);
    }
}
END_TEST

static gate_leg leg_of(uint16_t chain) {
    gate_leg leg = {.chain = chain, .key = {1}, .label_length = 1, .label = "x"};
    return leg;
}

static gate_route route_of(uint16_t chain) {
    gate_route route = {.weight = chain, .last = leg_of(chain), .legs_count = 2};
    route.legs[0] = leg_of((uint16_t)(chain + 1));
    route.legs[1] = leg_of((uint16_t)(chain + 2));
    route.pair[0] = leg_of((uint16_t)(chain + 3));
    route.pair[1] = leg_of((uint16_t)(chain + 4));
    return route;
}

/* Numbers tell where a leg is: those of field i begin at 100 * (i + 1). */
static void fill_nested(gate_nested *nested) {
    nested->route = route_of(100);
    nested->routes_count = 2;
    nested->routes[0] = route_of(200);
    nested->routes[1] = route_of(205);
    nested->legs_count = 1;
    nested->legs[0] = leg_of(300);
    for (uint16_t i = 0; i < 4; i++) nested->four[i / 2].items[i % 2] = leg_of((uint16_t)(400 + i));
}

static unsigned count_asked(const notes *n, const char *kind) {
    unsigned count = 0;
    for (unsigned i = 0; i < n->count; i++) count += strncmp(n->asked[i], kind, strlen(kind)) == 0;
    return count;
}

START_TEST(values_inside_types_and_vectors_are_asked_about) {
    static const char *const fields[] = {"route", "routes", "legs", "four"};
    static gate_nested nested;
    notes all = {.refused = ""};
    gate_hooks hooks = hooks_of(&all);
    gate_nested_view view;
    fill_nested(&nested);
    VIEW(nested, &view, &nested);
    bpt_ok(gate_nested_check_hooks(&view, &hooks, NULL));
    ck_assert_uint_eq(count_asked(&all, "number "), 3 * 5 + 1 + 4);
    ck_assert_uint_eq(count_asked(&all, "text "), 3 * 5 + 1 + 4);
    ck_assert_uint_eq(count_asked(&all, "bytes "), 2 * (3 * 5 + 1 + 4));
    ck_assert_uint_eq(count_asked(&all, "real "), 3);
    for (unsigned i = 0; i < all.count; i++) {
        unsigned number = 0;
        if (sscanf(all.asked[i], "number %u", &number) != 1) continue;
        notes n = {.refused = all.asked[i]};
        const char *field = NULL;
        hooks.user = &n;
        bpt_err(gate_nested_check_hooks(&view, &hooks, &field), BP_ERR_RULE);
        ck_assert_str_eq(field, fields[number / 100 - 1]);
    }
}
END_TEST

/* What an older writer's elements lack is asked about as what it reads as. */
START_TEST(values_of_grown_types_are_asked_about) {
    notes n = {.refused = ""};
    const gate_hooks hooks = hooks_of(&n);
    const gate_strided strided = {.grown_count = 2, .grown = {{.chain = 1, .venue = 2}, {.chain = 3, .venue = 4}}};
    gate_strided_view view;
    VIEW(strided, &view, &strided);
    bpt_ok(gate_strided_check_hooks(&view, &hooks, NULL));
    EXPECT_ASKED(&n, "number 1", "number 2", "number 3", "number 4");
    /* block_len, count, stride of version 1, and two elements of it */
    static const uint8_t older[] = {6, 0, 2, 0, 2, 0, 8, 0, 9, 0};
    bpt_ok(gate_strided_view_init(older, sizeof older, &view));
    n.count = 0;
    bpt_ok(gate_strided_check_hooks(&view, &hooks, NULL));
    EXPECT_ASKED(&n, "number 8", "number 77", "number 9", "number 77");
}
END_TEST

START_TEST(absent_values_are_not_asked_about) {
    notes n = {.refused = ""};
    const gate_hooks hooks = hooks_of(&n);
    gate_absent absent = {.b = 9};
    gate_absent_view view;
    VIEW(absent, &view, &absent);
    bpt_ok(gate_absent_check_hooks(&view, &hooks, NULL));
    EXPECT_ASKED(&n, "number 9");
    bpt_ok(gate_absent_view_init(bytes, GATE_ABSENT_ACCEPT_MIN, &view)); /* of a writer that had no b yet */
    ck_assert(!gate_absent_has_b(&view));
    n.count = 0;
    bpt_ok(gate_absent_check_hooks(&view, &hooks, NULL));
    ck_assert_uint_eq(n.count, 0);
    absent.has_a = absent.has_leg = true;
    absent.leg = leg_of(4);
    VIEW(absent, &view, &absent);
    bpt_ok(gate_absent_check_hooks(&view, &hooks, NULL));
    EXPECT_ASKED(&n, "number 0", "number 4", "text x", "bytes 0 00", "bytes 4 01", "number 9");
}
END_TEST

static bool refuse(uint64_t value, void *user) {
    ++*(unsigned *)user;
    return value != 3;
}

/* A missing answer to a declared question is no, to an implied one yes. */
START_TEST(only_implied_hooks_may_be_missing) {
    const gate_ruled ruled = {.a = 3};
    gate_ruled_view view;
    unsigned count = 0;
    gate_hooks hooks = {.user = &count};
    VIEW(ruled, &view, &ruled);
    bpt_err(gate_ruled_check_hooks(&view, NULL, NULL), BP_ERR_RULE);
    bpt_err(gate_ruled_check_hooks(&view, &hooks, NULL), BP_ERR_RULE);
    hooks.listed = refuse;
    bpt_err(gate_ruled_check_hooks(&view, &hooks, NULL), BP_ERR_RULE);
    ck_assert_uint_eq(count, 0);
    hooks = (gate_hooks){.known_number = refuse, .user = &count};
    bpt_err(gate_ruled_check_hooks(&view, &hooks, NULL), BP_ERR_RULE);
    ck_assert_uint_eq(count, 1);
    notes n = {.refused = ""};
    hooks = (gate_hooks){.known_number = known_number, .user = &n};
    bpt_ok(gate_ruled_check_hooks(&view, &hooks, NULL));
    hooks = (gate_hooks){.known_number = refuse, .listed = refuse, .user = &count};
    bpt_err(gate_ruled_check_hooks(&view, &hooks, NULL), BP_ERR_RULE);
}
END_TEST

/* ---- services --------------------------------------------------------------------------------------------------- */

START_TEST(a_service_refuses_to_start_without_a_declared_hook) {
    notes n = {.refused = ""};
    gate_hooks hooks = hooks_of(&n);
    gate_handlers on = {.hooks = NULL};
    const bp_service service = gate_service(&on, NULL);
    bpt_err(service.check(&service), BP_ERR_ARGUMENT);
    on.hooks = &hooks;
    bpt_ok(service.check(&service));
#define WITHOUT(name)                                                                                                  \
    hooks = hooks_of(&n);                                                                                              \
    hooks.name = NULL;                                                                                                 \
    bpt_err(service.check(&service), BP_ERR_ARGUMENT);
    WITHOUT(known_number)
    WITHOUT(known_signed)
    WITHOUT(known_real)
    WITHOUT(known_u128)
    WITHOUT(known_u256)
    WITHOUT(known_text)
    WITHOUT(known_bytes)
#undef WITHOUT
    const chain_dialect_handlers none = {.hooks = NULL};
    const bp_service implied = chain_dialect_service(&none, NULL);
    bpt_ok(implied.check(&implied));
}
END_TEST

static unsigned handled;

static bp_err on_ruled(bp_conn *conn, const gate_ruled_view *view, void *user) {
    (void)conn, (void)user;
    ck_assert_uint_eq(gate_ruled_get_a(view), 5);
    handled++;
    return BP_OK;
}

static bp_err dispatch_ruled(const bp_service *service, uint32_t a, bool *is_invalid) {
    const gate_ruled ruled = {.a = a};
    bpt_ok(gate_ruled_encode(&ruled, bytes, sizeof bytes, &length));
    const bp_frame frame = {.type = GATE_RULED_TYPE, .value = bytes, .length = length};
    *is_invalid = false;
    return service->dispatch(service, NULL, &frame, is_invalid);
}

/* Layout and rules, then hooks, then the handler. */
START_TEST(hooks_stand_between_rules_and_handlers) {
    notes n = {.refused = "number 6"};
    const gate_hooks hooks = hooks_of(&n);
    const gate_handlers on = {.ruled = on_ruled, .hooks = &hooks};
    const bp_service service = gate_service(&on, NULL);
    bool is_invalid;
    handled = 0;
    bpt_err(dispatch_ruled(&service, 10, &is_invalid), BP_ERR_RULE); /* above its max */
    ck_assert(is_invalid && n.count == 0);
    bpt_err(dispatch_ruled(&service, 6, &is_invalid), BP_ERR_RULE);
    ck_assert(is_invalid && n.count == 1 && handled == 0);
    bpt_ok(dispatch_ruled(&service, 5, &is_invalid));
    ck_assert(!is_invalid && n.count == 2 && handled == 1);
}
END_TEST

BPT_SUITE(generated_hooks) {
    BPT_TEST(each_kind_of_value_reaches_its_hook_once);
    BPT_TEST(a_refused_value_is_named);
    BPT_TEST(values_inside_types_and_vectors_are_asked_about);
    BPT_TEST(values_of_grown_types_are_asked_about);
    BPT_TEST(absent_values_are_not_asked_about);
    BPT_TEST(only_implied_hooks_may_be_missing);
    BPT_TEST(a_service_refuses_to_start_without_a_declared_hook);
    BPT_TEST(hooks_stand_between_rules_and_handlers);
}
