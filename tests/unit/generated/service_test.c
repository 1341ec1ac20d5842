/* Tables, dispatch and packing of a generated service, without any transport. */
#include "tests/sampler/sample.h"
#include "tests/support/suite.h"

#include "market.h"
#include "market_samples.h"
#include "zoo.h"

#include <stdlib.h>
#include <string.h>

static int handled[MARKET_MESSAGE_COUNT];
static void *handled_user;
static bp_err handler_answer;

/* One handler per message, which counts in its own place. */
enum {
#define COUNT_IX(name, NAME) IX_##name,
    MARKET_MESSAGES(COUNT_IX)
#undef COUNT_IX
};
#define HANDLER(name, NAME)                                                                                            \
    static bp_err on_##name(bp_conn *conn, const market_##name##_view *view, void *user) {                             \
        ck_assert(conn == NULL && view->value != NULL);                                                                \
        handled[IX_##name]++;                                                                                          \
        handled_user = user;                                                                                           \
        return handler_answer;                                                                                         \
    }
MARKET_MESSAGES(HANDLER)
#undef HANDLER

static const market_handlers handlers = {
#define SLOT(name, NAME) .name = on_##name,
    MARKET_MESSAGES(SLOT)
#undef SLOT
};

static bp_err own_buf(bp_conn *conn, bp_buf *buf, void *user) {
    (void)conn;
    (void)user;
    bp_buf_release(buf);
    return BP_OK;
}

/* A good frame of message ix; the caller frees the value. */
static bp_frame frame_of(int ix) {
    const sample_message *const type = &market_samples[ix];
    uint64_t seed = 3;
    void *const message = calloc(1, type->struct_size);
    uint8_t *const value = calloc(1, type->max);
    bp_frame frame = {.type = type->type};
    ck_assert(message != NULL && value != NULL);
    type->fill(message, SAMPLE_RANDOM, &seed);
    bpt_ok(type->encode(message, value, type->max, &frame.length));
    free(message);
    frame.value = value;
    return frame;
}

static void frame_free(bp_frame *frame) { free((void *)(uintptr_t)frame->value); }

START_TEST(each_frame_reaches_its_handler) {
    int user = 0;
    bool is_invalid = false;
    const bp_service service = market_service(&handlers, &user);
    bp_frame frame = frame_of(_i);
    memset(handled, 0, sizeof handled);
    handler_answer = BP_OK;
    bpt_ok(service.dispatch(&service, NULL, &frame, &is_invalid));
    for (int i = 0; i < MARKET_MESSAGE_COUNT; i++) ck_assert_int_eq(handled[i], i == _i ? 1 : 0);
    ck_assert_ptr_eq(handled_user, &user);
    handler_answer = BP_ERR_LIMIT;
    bpt_err(service.dispatch(&service, NULL, &frame, &is_invalid), BP_ERR_LIMIT);
    ck_assert(!is_invalid);
    frame_free(&frame);
}
END_TEST

START_TEST(a_broken_frame_reaches_nobody) {
    static const market_handlers none;
    bool is_invalid = false;
    const bp_service service = market_service(&handlers, NULL);
    const bp_service passive = market_service(&none, NULL);
    bp_frame frame = frame_of(_i);
    memset(handled, 0, sizeof handled);
    bpt_ok(passive.dispatch(&passive, NULL, &frame, &is_invalid));
    ck_assert(!is_invalid);
    frame.length = market_samples[_i].accept_min - 1;
    bpt_err(service.dispatch(&service, NULL, &frame, &is_invalid), BP_ERR_TRUNCATED);
    ck_assert(is_invalid);
    bpt_err(passive.dispatch(&passive, NULL, &frame, &is_invalid), BP_ERR_TRUNCATED);
    ck_assert_int_eq(handled[_i], 0);
    frame_free(&frame);
}
END_TEST

START_TEST(a_frame_that_breaks_a_rule_reaches_nobody) {
    const sample_message *const type = &market_samples[_i];
    const bp_service service = market_service(&handlers, NULL);
    bool is_invalid = false;
    uint64_t seed = 5;
    void *const message = calloc(1, type->struct_size);
    bp_frame frame = frame_of(_i);
    ck_assert(message != NULL);
    memset(handled, 0, sizeof handled);
    type->fill(message, SAMPLE_RANDOM, &seed);
    if (type->spoil(message, 0) != NULL) {
        bpt_ok(type->encode(message, (uint8_t *)(uintptr_t)frame.value, type->max, &frame.length));
        bpt_err(service.dispatch(&service, NULL, &frame, &is_invalid), BP_ERR_RULE);
        ck_assert(is_invalid);
        ck_assert_int_eq(handled[_i], 0);
    }
    free(message);
    frame_free(&frame);
}
END_TEST

START_TEST(a_type_of_no_message_is_an_error) {
    const bp_service service = market_service(&handlers, NULL);
    const bp_frame frame = {.type = 0};
    bool is_invalid = false;
    bpt_err(service.dispatch(&service, NULL, &frame, &is_invalid), BP_ERR_FRAME_TYPE);
}
END_TEST

/* A message has one handler: of views, or of buffers. */
START_TEST(handlers_must_fit_together) {
    const bp_service nobody = market_service(NULL, NULL);
    bpt_err(nobody.check(&nobody), BP_ERR_ARGUMENT);
    const bp_service good = market_service(&handlers, NULL);
    bpt_ok(good.check(&good));
#define BOTH(name, NAME)                                                                                               \
    {                                                                                                                  \
        market_handlers both = handlers;                                                                               \
        both.name##_buf = own_buf;                                                                                     \
        const bp_service service = market_service(&both, NULL);                                                        \
        bpt_err(service.check(&service), BP_ERR_ARGUMENT);                                                             \
        both.name = NULL;                                                                                              \
        bpt_ok(service.check(&service));                                                                               \
    }
    MARKET_MESSAGES(BOTH)
#undef BOTH
}
END_TEST

START_TEST(a_packed_message_is_a_frame_in_a_buffer) {
    const sample_message *const type = &market_samples[_i];
    uint64_t seed = 7;
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&market_pool_config, &pool));
    void *const message = calloc(1, type->struct_size);
    void *const back = calloc(1, type->struct_size);
    ck_assert(message != NULL && back != NULL);
    for (int round = 0; round < 3; round++) {
        BP_AUTO_BUF(buf);
        uint32_t size = 0;
        type->fill(message, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM, &seed);
        bpt_ok(type->pack(pool, message, &buf));
        bpt_ok(type->size(message, &size));
        ck_assert_uint_eq(bp_buf_type(buf), type->type);
        ck_assert_uint_eq(bp_buf_length(buf), size);
        bpt_ok(type->decode(bp_buf_data(buf), bp_buf_length(buf), back));
        ck_assert(type->equal(message, back));
    }
    if (type->overfill(message, 0)) {
        bp_buf *buf = (bp_buf *)message;
        bpt_err(type->pack(pool, message, &buf), BP_ERR_BOUND);
        ck_assert_ptr_null(buf);
    }
    free(message);
    free(back);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(tables_say_what_the_constants_say) {
    static const uint32_t classes[] = {MARKET_CLASS_SIZES};
    uint32_t ix = 0;
    ck_assert_uint_eq(market_schema.abi, BP_ABI);
    ck_assert_uint_eq(market_schema.type_count, MARKET_MESSAGE_COUNT);
    ck_assert_ptr_eq(market_schema.pool_config, &market_pool_config);
    ck_assert_uint_eq(market_pool_config.class_count, MARKET_CLASS_COUNT);
    for (uint32_t i = 0; i < MARKET_CLASS_COUNT; i++) ck_assert_uint_eq(market_pool_config.classes[i].size, classes[i]);
#define CHECK(name, NAME)                                                                                              \
    {                                                                                                                  \
        const bp_type_info *const info = &market_schema.types[ix];                                                     \
        ck_assert(ix == 0 || info->type > info[-1].type);                                                              \
        ck_assert_uint_eq(info->type, MARKET_##NAME##_TYPE);                                                           \
        ck_assert_uint_eq(info->accept_min, MARKET_##NAME##_ACCEPT_MIN);                                               \
        ck_assert_uint_eq(info->accept_max, MARKET_##NAME##_ACCEPT_MAX);                                               \
        ck_assert_uint_eq(classes[info->class_ix], MARKET_##NAME##_CLASS);                                             \
        ck_assert_uint_eq(MARKET_##NAME##_CLASS - MARKET_##NAME##_MAX, MARKET_##NAME##_WASTE);                         \
        ck_assert(MARKET_##NAME##_ACCEPT_MIN <= MARKET_##NAME##_MIN && MARKET_##NAME##_MIN <= MARKET_##NAME##_MAX);    \
        ck_assert_uint_eq(MARKET_##NAME##_ACCEPT_MAX, MARKET_##NAME##_CLASS);                                          \
        ix++;                                                                                                          \
    }
    MARKET_MESSAGES(CHECK)
#undef CHECK
}
END_TEST

/* Nothing secret is printed; names and shape are. */
START_TEST(sensitive_messages_are_redacted) {
    const zoo_secret secret = {.pin = 1234, .name = "anna", .name_length = 4};
    zoo_secret_view view;
    uint8_t value[ZOO_SECRET_MAX];
    char text[128];
    uint32_t length = 0;
    bpt_ok(zoo_secret_encode(&secret, value, sizeof value, &length));
    bpt_ok(zoo_secret_view_init(value, length, &view));
    zoo_secret_print(&view, text, sizeof text);
    ck_assert_str_eq(text, "{\"pin\":\"***\",\"name\":\"***\"}");
    ck_assert(zoo_schema.types[7].is_sensitive && !zoo_schema.types[0].is_sensitive);
}
END_TEST

START_TEST(messages_are_printed_as_json) {
    zoo_optionals message = {.has_b = true, .b = true, .has_c = true, .c = ZOO_COLOUR_BLUE, .has_d = true, .d = {1, 2}};
    zoo_optionals_view view;
    uint8_t value[ZOO_OPTIONALS_MAX];
    char text[256];
    uint32_t length = 0;
    message.has_e = true;
    memcpy(message.e, "a\"\n\1", 4);
    message.e_length = 4;
    message.has_g = true;
    message.g_count = 2;
    message.has_h = true;
    bpt_ok(zoo_optionals_encode(&message, value, sizeof value, &length));
    bpt_ok(zoo_optionals_view_init(value, length, &view));
    zoo_optionals_print(&view, text, sizeof text);
    ck_assert_str_eq(text, "{\"b\":true,\"c\":\"blue\",\"d\":{\"x\":1,\"y\":2},\"e\":\"a\\\"\\n\\u0001\","
                           "\"g\":[{\"x\":0,\"y\":0},{\"x\":0,\"y\":0}],\"h\":[0,0,0]}");
}
END_TEST

BPT_SUITE(generated_service) {
    BPT_LOOP_TEST(each_frame_reaches_its_handler, 0, MARKET_MESSAGE_COUNT);
    BPT_LOOP_TEST(a_broken_frame_reaches_nobody, 0, MARKET_MESSAGE_COUNT);
    BPT_LOOP_TEST(a_frame_that_breaks_a_rule_reaches_nobody, 0, MARKET_MESSAGE_COUNT);
    BPT_TEST(a_type_of_no_message_is_an_error);
    BPT_TEST(handlers_must_fit_together);
    BPT_LOOP_TEST(a_packed_message_is_a_frame_in_a_buffer, 0, MARKET_MESSAGE_COUNT);
    BPT_TEST(tables_say_what_the_constants_say);
    BPT_TEST(sensitive_messages_are_redacted);
    BPT_TEST(messages_are_printed_as_json);
}
