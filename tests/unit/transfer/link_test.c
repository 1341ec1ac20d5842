#define _GNU_SOURCE
/* Strands of a link speak in turn, and nothing of what they say is lost or overtaken, however full the queue, and
 * however little memory there is. */
#include "tests/support/alloc_count.h"
#include "tests/support/frame_rig.h"
#include "tests/support/hogs.h"
#include "transfer/link.h"
#include "transport/send_internal.h"

enum { TALKERS = 3, QUEUE = 4096, MANY = 20000, WARM_UP = MANY, POOL_LIMIT = 4 << 20, PART_BYTES = 5000 };

/* A strand that says PartDone of parts 0, 1, 2 ... */
typedef struct talker {
    bpi_strand strand;
    uint64_t said, wanted;
    bool is_last;       /* ends itself with its last word */
    bpi_strand *victim; /* ends this one when it speaks first */
    uint64_t heard;     /* by the client */
} talker;

typedef struct scene {
    bpt_rig rig;
    bpi_link link;
    talker talkers[TALKERS];
    uint32_t order[16]; /* whom the client heard, at first */
    uint64_t heard, parts;
    bool is_in_turn; /* each strand has the same to say, and is due from the beginning */
    uint64_t allocations_warm, allocations_end;
    bp_err last_err; /* what speaking answered last, but for BP_OK and BP_MORE */
} scene;

static scene s;

static bp_err speak(bpi_link *link, bpi_strand *strand) {
    talker *t = (talker *)strand;
    bpi_transfer_part_done done = {.transfer = strand->number, .part = t->said};
    uint8_t value[BPI_TRANSFER_PART_DONE_MAX];
    uint32_t length;
    bpt_must(link == &s.link);
    if (t->said == t->wanted) {
        if (t->is_last) bpi_link_remove(link, strand);
        return BP_MORE;
    }
    bpt_must(bpi_transfer_part_done_encode(&done, value, sizeof value, &length) == BP_OK);
    const bp_err err = bpi_link_say(link, BPI_TRANSFER_PART_DONE_TYPE, value, length);
    if (err != BP_OK) s.last_err = err;
    if (err != BP_OK) return err;
    if (t->victim != NULL) bpi_link_remove(link, t->victim);
    t->victim = NULL;
    t->said++;
    return BP_OK;
}

static void hear_done(const bp_frame *frame) {
    bpi_transfer_part_done done;
    bpt_must(bpi_transfer_part_done_decode(frame->value, frame->length, &done) == BP_OK);
    talker *t = &s.talkers[(done.transfer - 1) % TALKERS];
    bpt_must(done.part == t->heard);
    t->heard++;
    bpt_must(!s.is_in_turn || done.transfer == s.heard % TALKERS + 1);
    if (s.heard < sizeof s.order / sizeof s.order[0]) s.order[s.heard] = done.transfer;
    s.heard++;
    if (s.heard == WARM_UP) s.allocations_warm = bpt_alloc_count();
    s.allocations_end = bpt_alloc_count();
}

static bp_err hear(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    (void)service, (void)conn, (void)is_invalid;
    if (frame->type == BPI_TRANSFER_PART_DONE_TYPE) hear_done(frame);
    s.parts += frame->type == BPI_TRANSFER_PART_TYPE;
    return BP_OK;
}

static void on_drain(bpt_side *side, bp_conn *conn) {
    (void)side;
    bpt_must(conn == s.link.conn);
    bpi_link_drained(&s.link);
}

static void on_close(bpt_side *side, bp_conn *conn) {
    (void)side, (void)conn;
    ck_assert_uint_eq(s.link.free_envelopes, (1u << BPI_LINK_ENVELOPES) - 1);
    bpi_link_cut(&s.link);
}

static void add_service(bp_conn_config *config) {
    config->services[config->service_count++] = (bp_service){.schema = &bpi_transfer_schema, .dispatch = hear};
}

static void start_with(int way, bp_full policy, uint32_t queue, bp_pool *pool) {
    s = (scene){0};
    bpt_rig_init(&s.rig);
    bp_server_config server = bpt_rig_server_config(&s.rig, way);
    bp_client_config client = bpt_rig_client_config(&s.rig, 0, way);
    server.conn.full_policy = policy;
    server.conn.send_queue_bytes = queue;
    server.conn.pool = pool;
    add_service(&server.conn);
    add_service(&client.conn);
    s.rig.server.on_drain = on_drain;
    s.rig.server.on_close = on_close;
    bpt_rig_listen(&s.rig, &server, way);
    bpt_rig_connect(&s.rig, 0, &client);
    bpt_rig_until(&s.rig, s.rig.server.opens == 1 && s.rig.clients[0].opens == 1);
    bpi_link_init(&s.link, s.rig.server.conn);
}

static bp_pool *limited_pool(void) {
    bp_pool_config config = bpt_frame_pool_config;
    bp_pool *pool = NULL;
    config.memory_limit = POOL_LIMIT;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

static void start(int way) { start_with(way, BP_FULL_REFUSE, 0, NULL); }

static talker *add(uint32_t ix, uint64_t wanted) {
    talker *t = &s.talkers[ix];
    ck_assert(bpi_link_add(&s.link, &t->strand, ix + 1, speak));
    t->wanted = wanted;
    return t;
}

static void add_all(uint64_t wanted) {
    for (uint32_t i = 0; i < TALKERS; i++) add(i, wanted);
    for (uint32_t i = 0; i < TALKERS; i++) bpi_link_due(&s.link, &s.talkers[i].strand);
}

static void finish(void) {
    if (s.link.conn != NULL) bp_conn_close(s.link.conn, BP_OK);
    bpt_rig_until(&s.rig, s.link.conn == NULL);
    bpi_link_fini(&s.link);
    bpt_rig_fini(&s.rig);
}

static void hear_all(uint64_t wanted) {
    bpt_rig_until(&s.rig, s.heard == TALKERS * wanted);
    for (int i = 0; i < TALKERS; i++) {
        ck_assert_uint_eq(s.talkers[i].heard, wanted);
        ck_assert(!s.talkers[i].strand.is_due);
    }
    ck_assert_ptr_null(s.link.first);
    ck_assert_ptr_null(s.link.last);
}

/* ---- numbers ---- */

START_TEST(numbers_ascend_and_are_found_until_they_end) {
    static bpi_strand strands[3 * BPI_LINK_BUCKETS], late;
    const uint32_t count = sizeof strands / sizeof strands[0];
    start(0);
    ck_assert(!bpi_link_add(&s.link, &late, 0, speak));
    for (uint32_t i = 0; i < count; i++) ck_assert(bpi_link_add(&s.link, &strands[i], 2 * i + 1, speak));
    ck_assert(!bpi_link_add(&s.link, &late, 2 * count - 1, speak)); /* there, over, or passed over: all the same */
    ck_assert(!bpi_link_add(&s.link, &late, 2, speak));
    for (uint32_t i = 0; i < count; i++) ck_assert_ptr_eq(bpi_link_find(&s.link, 2 * i + 1), &strands[i]);
    ck_assert_ptr_null(bpi_link_find(&s.link, 2));
    ck_assert_ptr_null(bpi_link_find(&s.link, UINT32_MAX));
    for (uint32_t i = 0; i < count; i += 2) bpi_link_remove(&s.link, &strands[i]);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(bpi_link_find(&s.link, 2 * i + 1), i % 2 == 0 ? NULL : &strands[i]);
    }
    ck_assert(!bpi_link_add(&s.link, &late, 1, speak));
    ck_assert(bpi_link_add(&s.link, &late, UINT32_MAX, speak));
    ck_assert_ptr_eq(bpi_link_find(&s.link, UINT32_MAX), &late);
    finish();
}
END_TEST

START_TEST(a_thousand_parts_in_a_row_for_nobody_are_too_many) {
    start(0);
    const talker *t = add(0, 0);
    for (int i = 1; i < BPI_LINK_STALE_MAX; i++) ck_assert(bpi_link_count_part(&s.link, NULL));
    ck_assert(bpi_link_count_part(&s.link, &t->strand));
    for (int i = 1; i < BPI_LINK_STALE_MAX; i++) ck_assert(bpi_link_count_part(&s.link, NULL));
    ck_assert(!bpi_link_count_part(&s.link, NULL));
    finish();
}
END_TEST

/* ---- turns ---- */

START_TEST(strands_speak_in_turn) {
    start(_i);
    s.link.is_stuck = true; /* until all of them are due */
    add_all(3);
    bpi_link_drained(&s.link);
    hear_all(3);
    for (uint32_t i = 0; i < 9; i++) ck_assert_uint_eq(s.order[i], i % TALKERS + 1);
    finish();
}
END_TEST

START_TEST(a_strand_may_end_itself_and_others_as_it_speaks) {
    start(0);
    s.link.is_stuck = true;
    add_all(2);
    s.talkers[0].victim = &s.talkers[2].strand;
    s.talkers[1].is_last = true;
    bpi_link_drained(&s.link);
    bpt_rig_until(&s.rig, s.heard == 4);
    ck_assert_uint_eq(s.talkers[2].said, 0);
    ck_assert_ptr_nonnull(bpi_link_find(&s.link, 1));
    ck_assert_ptr_null(bpi_link_find(&s.link, 2));
    ck_assert_ptr_null(bpi_link_find(&s.link, 3));
    finish();
}
END_TEST

/* Whatever becomes of other frames there: neither refused nor dropped, and the connection stays. */
static const bp_full policies[] = {BP_FULL_REFUSE, BP_FULL_DROP_NEW, BP_FULL_CLOSE};

START_TEST(a_full_queue_holds_up_and_loses_nothing) {
    start_with(_i % BPT_WAYS, policies[_i / BPT_WAYS], QUEUE, NULL);
    ck_assert(bpi_link_is_possible(s.link.conn));
    bp_conn_pause(s.rig.clients[0].conn);
    s.is_in_turn = s.link.is_stuck = true;
    add_all(MANY);
    bpi_link_drained(&s.link);
    ck_assert(s.link.is_stuck);
    bpt_err(s.last_err, BP_PENDING);
    bpt_rig_turn(&s.rig, 10000); /* the socket is full as well */
    ck_assert(s.link.is_stuck);
    ck_assert_uint_lt(s.talkers[0].said, MANY);
    ck_assert_uint_le(bp_conn_queued_bytes(s.link.conn), QUEUE);
    bp_conn_resume(s.rig.clients[0].conn);
    hear_all(MANY);
    bp_conn_stats stats;
    bp_conn_stats_read(s.link.conn, &stats);
    ck_assert_uint_eq(stats.frames_dropped + stats.sends_refused, 0);
    finish();
}
END_TEST

START_TEST(where_old_frames_are_dropped_there_are_no_transfers) {
    start_with(0, BP_FULL_DROP_OLD, 0, NULL);
    ck_assert(!bpi_link_is_possible(s.link.conn));
    finish();
}
END_TEST

/* The pool has nothing left, and the socket takes nothing: a few messages wait in envelopes, the others unsaid. */
START_TEST(a_dry_pool_holds_up_and_loses_nothing) {
    static bpt_hogs hogs;
    bp_pool *pool = limited_pool();
    start_with(_i, BP_FULL_REFUSE, 0, pool);
    bp_conn_pause(s.rig.clients[0].conn);
    bpt_hogs_fill(&hogs, pool);
    add_all(MANY);
    for (int i = 0; i < 10000 && s.link.free_envelopes != 0; i++) {
        bpt_rig_turn(&s.rig, 1);
        for (uint32_t k = 0; k < TALKERS; k++) s.talkers[k].wanted += 100;
        for (uint32_t k = 0; k < TALKERS; k++) bpi_link_due(&s.link, &s.talkers[k].strand);
    }
    ck_assert_uint_eq(s.link.free_envelopes, 0);
    ck_assert(s.link.is_stuck);
    bp_conn_resume(s.rig.clients[0].conn);
    hear_all(s.talkers[0].wanted);
    if (bpt_alloc_is_counted() && bpt_way_is_pooled(_i)) ck_assert_uint_eq(s.allocations_end, s.allocations_warm);
    bpt_hogs_free(&hogs);
    finish();
    bp_pool_release_take(&pool);
}
END_TEST

/* Between the program's begin and end nothing else may be sent on the loop. */
START_TEST(what_is_due_while_the_program_sends_is_said_behind_it) {
    uint8_t *value;
    start(_i);
    bpt_ok(bp_conn_frame_begin(s.link.conn, BPT_SMALL_TYPE, BPT_SMALL_MAX, &value));
    add_all(2);
    ck_assert(s.link.is_stuck);
    bpt_frame_fill(value, BPT_SMALL_MAX, 5);
    bpt_ok(bp_conn_frame_end(s.link.conn, BPT_SMALL_MAX));
    hear_all(2);
    ck_assert_uint_eq(s.rig.clients[0].frames, 1);
    finish();
}
END_TEST

START_TEST(a_part_is_handed_over_or_stays_the_callers) {
    start_with(_i, BP_FULL_REFUSE, QUEUE, NULL);
    uint32_t taken = 0;
    bp_buf *buf = NULL;
    bp_conn_pause(s.rig.clients[0].conn);
    for (bp_err err = BP_OK; err == BP_OK; taken += err == BP_OK) {
        if (taken % 50 == 0) bpt_rig_turn(&s.rig, 50);
        static uint8_t data[PART_BYTES];
        const bpi_transfer_part part = {.transfer = 1, .data = data, .data_length = sizeof data};
        bpt_ok(bpi_transfer_part_pack(bp_conn_pool(s.link.conn), &part, &buf));
        err = bpi_link_hand_take(&s.link, &buf);
        if (err == BP_OK) ck_assert_ptr_null(buf);
        if (err != BP_OK) bpt_err(err, BP_PENDING);
    }
    ck_assert_ptr_nonnull(buf);
    bp_buf_release(buf);
    bp_conn_resume(s.rig.clients[0].conn);
    bpt_rig_until(&s.rig, s.parts == taken);
    finish();
}
END_TEST

START_TEST(a_cut_link_says_nothing_and_needs_nothing) {
    start_with(_i, BP_FULL_REFUSE, QUEUE, NULL);
    bp_conn_pause(s.rig.clients[0].conn);
    add_all(MANY);
    ck_assert(s.link.is_stuck);
    bp_conn_close(s.rig.clients[0].conn, BP_OK);
    bpt_rig_until(&s.rig, s.link.conn == NULL);
    const uint64_t said = s.talkers[0].said;
    bpi_link_due(&s.link, &s.talkers[0].strand);
    bpi_link_drained(&s.link);
    ck_assert_uint_eq(s.talkers[0].said, said);
    ck_assert(!s.talkers[0].strand.is_due);
    for (int i = 0; i < TALKERS; i++) bpi_link_remove(&s.link, &s.talkers[i].strand);
    bpt_err(bpi_link_say(&s.link, BPI_TRANSFER_PART_DONE_TYPE, NULL, 0), BP_ERR_CLOSED);
    finish();
}
END_TEST

/* ---- the contract ---- */

START_TEST(a_class_is_added_for_each_power_of_two_once) {
    bp_pool *pool = limited_pool();
    bp_pool_stats stats;
    start_with(0, BP_FULL_REFUSE, 0, pool);
    bp_pool_stats_read(pool, &stats);
    const uint32_t before = stats.class_count;
    static const uint32_t sizes[] = {300000, 262144, 1, 4096, 524288, 262145, 1 << 24};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) bpi_link_fit_pool(&s.link, sizes[i]);
    bp_pool_stats_read(pool, &stats);
    ck_assert_uint_eq(stats.class_count, before + 3); /* 4 KiB, 256 KiB, 512 KiB; 16 MiB are too many for this pool */
    ck_assert_uint_eq(bp_pool_stride(pool, bpi_part_frame_size(300000)), (bpi_part_frame_size(1 << 19) + 15) / 16 * 16);
    ck_assert_uint_eq(bp_pool_stride(pool, bpi_part_frame_size(262144)), (bpi_part_frame_size(1 << 18) + 15) / 16 * 16);
    finish();
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(no_part_is_longer_than_the_narrowed_schema_says_and_no_log_travels) {
    bpi_narrow_schema narrow;
    const bp_schema *schemas[] = {&narrow.schema};
    bp_type_map *map = NULL;
    static uint8_t data[PART_BYTES];
    bpi_transfer_part part = {.data = data, .data_length = sizeof data};
    uint32_t size;
    bpi_narrow_schema_init(&narrow, PART_BYTES);
    bpt_ok(bp_type_map_new(schemas, 1, &map));
    bpt_ok(bpi_transfer_part_size(&part, &size));
    ck_assert_uint_eq(bp_type_map_find(map, BPI_TRANSFER_PART_TYPE, NULL)->accept_max, size);
    for (uint32_t i = 0; i < bpi_transfer_schema.type_count; i++) {
        const bp_type_info *whole = &bpi_transfer_schema.types[i];
        const bp_type_info *here = bp_type_map_find(map, whole->type, NULL);
        ck_assert_int_eq(here != NULL, whole->type < BPI_TRANSFER_LOG_PUT_TYPE);
        if (here == NULL) continue;
        ck_assert_uint_eq(here->accept_min, whole->accept_min);
        if (here->type != BPI_TRANSFER_PART_TYPE) ck_assert_uint_eq(here->accept_max, whole->accept_max);
    }
    ck_assert_uint_eq(narrow.schema.contract_hash, bpi_transfer_schema.contract_hash);
    bp_type_map_free_take(&map);
}
END_TEST

START_TEST(the_pool_of_the_narrowed_schema_has_a_class_for_its_parts) {
    bpi_narrow_schema narrow;
    bp_pool *pool = NULL;
    bp_buf *buf = NULL;
    bp_pool_stats stats;
    bpi_narrow_schema_init(&narrow, BP_PART_SIZE_DEFAULT);
    bp_pool_config config = *narrow.schema.pool_config;
    config.memory_limit = 64 << 20;
    bpt_ok(bp_pool_new(&config, &pool));
    bpt_ok(bp_pool_acquire(pool, bpi_part_frame_size(BP_PART_SIZE_DEFAULT), &buf));
    bp_pool_stats_read(pool, &stats);
    ck_assert_uint_eq(stats.total.in_use, 1);
    ck_assert_uint_eq(stats.exact_in_use, 0);
    bp_buf_release(buf);
    bp_pool_release_take(&pool);
}
END_TEST

BPT_SUITE(transfer_link) {
    BPT_TEST(numbers_ascend_and_are_found_until_they_end);
    BPT_TEST(a_thousand_parts_in_a_row_for_nobody_are_too_many);
    BPT_LOOP_TEST(strands_speak_in_turn, 0, BPT_WAYS);
    BPT_TEST(a_strand_may_end_itself_and_others_as_it_speaks);
    BPT_LOOP_TEST(a_full_queue_holds_up_and_loses_nothing, 0, 3 * BPT_WAYS);
    BPT_TEST(where_old_frames_are_dropped_there_are_no_transfers);
    BPT_LOOP_TEST(a_dry_pool_holds_up_and_loses_nothing, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_is_due_while_the_program_sends_is_said_behind_it, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_part_is_handed_over_or_stays_the_callers, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_cut_link_says_nothing_and_needs_nothing, 0, BPT_WAYS);
    BPT_TEST(a_class_is_added_for_each_power_of_two_once);
    BPT_TEST(no_part_is_longer_than_the_narrowed_schema_says_and_no_log_travels);
    BPT_TEST(the_pool_of_the_narrowed_schema_has_a_class_for_its_parts);
}
