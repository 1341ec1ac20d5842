#define _GNU_SOURCE
/* Connections that are lost at every message, and clients and servers that go away: what was answered is not asked for
 * again, and what comes of it is right. */
#include "base/crc32c.h"
#include "tests/support/transfer_cutter.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN, PARTS = 7, SIZE = PARTS * PART - 100, FRAMES = 26 };

/* A client that comes back at once, through the cutter. */
typedef struct net {
    bpt_world world;
    bpt_cutter cutter;
    uint8_t *bytes;
} net;

static void start(net *n, uint64_t cut_at, bool is_half) {
    const bpt_world_options with = {.way = 1, .reconnect_ms = 1, .client = {.part_size = PART}};
    bpt_world_init(&n->world, &with);
    bpt_world_serve(&n->world);
    bpt_cutter_init(&n->cutter, &n->world);
    n->cutter.cut_at = cut_at;
    n->cutter.is_half = is_half;
    n->world.with.address = n->cutter.address;
    bpt_world_connect(&n->world);
    n->bytes = bpt_bytes_new(41, SIZE);
}

static void stop(net *n) {
    bpt_cutter_fini(&n->cutter);
    bpt_world_fini(&n->world);
    free(n->bytes);
}

static void finish(net *n, bpt_job *job, bp_err err) {
    bpt_cutter_until(&n->cutter, job->done_count != 0);
    ck_assert_str_eq(bp_err_name(job->err), bp_err_name(err));
}

START_TEST(put_from_a_file_goes_on) {
    net n;
    bpt_job put = {0};
    start(&n, (uint64_t)_i / 2, _i % 2 != 0);
    bpt_file_write(bpt_world_path(&n.world, "source"), n.bytes, SIZE);
    bpt_job_put(&n.world, &put, (bp_put_config){.name = "a", .path = bpt_world_path(&n.world, "source")});
    finish(&n, &put, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert_uint_eq(n.cutter.sent_again, 0);
    stop(&n);
}
END_TEST

START_TEST(put_from_memory_goes_on) {
    net n;
    bpt_job put = {0};
    start(&n, (uint64_t)_i, false);
    bpt_job_put(&n.world, &put, (bp_put_config){.name = "a", .data = n.bytes, .size = SIZE});
    finish(&n, &put, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert_uint_eq(put.outcome.crc, bpi_crc32c(0, n.bytes, SIZE));
    ck_assert_uint_eq(n.cutter.sent_again, 0);
    stop(&n);
}
END_TEST

typedef struct writer {
    bpt_job job;
    const uint8_t *bytes;
    size_t at;
} writer;

static void write_on(bpt_job *job, const char *event) {
    writer *w = (writer *)job;
    size_t taken = 1;
    if (strcmp(event, "writable") != 0) return;
    while (w->at < SIZE && taken != 0) {
        const size_t left = SIZE - w->at, count = left < 3000 ? left : 3000;
        const bp_err err = bp_transfer_write(job->transfer, w->bytes + w->at, count, count == left, &taken);
        bpt_must(err == BP_OK || err == BP_PENDING);
        w->at += taken;
    }
}

START_TEST(what_is_written_is_kept_until_it_is_answered) {
    net n;
    start(&n, (uint64_t)_i / 2, _i % 2 != 0);
    writer w = {.job = {.on_event = write_on}, .bytes = n.bytes};
    bpt_job_put(&n.world, &w.job, (bp_put_config){.name = "a", .size = BP_SIZE_UNKNOWN});
    write_on(&w.job, "writable");
    finish(&n, &w.job, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert_uint_eq(n.cutter.sent_again, 0);
    stop(&n);
}
END_TEST

START_TEST(get_goes_on) {
    net n;
    bpt_job get = {0}, file = {0}, list = {0};
    start(&n, (uint64_t)_i / 2, _i % 2 != 0);
    bpt_file_write(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE);
    bpt_job_get(&n.world, &get, (bp_get_config){.name = "a"});
    bpt_job_get(&n.world, &file, (bp_get_config){.name = "a", .path = bpt_world_path(&n.world, "copy")});
    bpt_job_list(&n.world, &list, NULL);
    finish(&n, &get, BP_OK);
    finish(&n, &file, BP_OK);
    finish(&n, &list, BP_OK);
    ck_assert_uint_eq(get.got_size, SIZE);
    ck_assert_int_eq(memcmp(get.got, n.bytes, SIZE), 0);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "copy"), n.bytes, SIZE));
    ck_assert_uint_eq(get.found_count, 1);
    ck_assert_uint_eq(file.found_count, 1);
    ck_assert_str_eq(list.names, "a ");
    bpt_job_free(&get);
    stop(&n);
}
END_TEST

/* As many messages as it takes on each connection, and one more each time. */
START_TEST(connection_that_is_lost_again_and_again) {
    net n;
    bpt_job put = {0}, get = {0};
    start(&n, 12, true);
    n.cutter.is_tireless = true;
    bpt_file_write(bpt_world_path(&n.world, "source"), n.bytes, SIZE);
    bpt_file_write(bpt_world_path(&n.world, "objects/b"), n.bytes, SIZE);
    bpt_job_put(&n.world, &put, (bp_put_config){.name = "a", .path = bpt_world_path(&n.world, "source")});
    finish(&n, &put, BP_OK);
    bpt_job_get(&n.world, &get, (bp_get_config){.name = "b", .path = bpt_world_path(&n.world, "copy")});
    finish(&n, &get, BP_OK);
    ck_assert_uint_gt(n.cutter.cuts, 1);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "copy"), n.bytes, SIZE));
    stop(&n);
}
END_TEST

/* ---- another life ---- */

static void cancel_at_third(bpt_job *job, const char *event) {
    if (strcmp(event, "progress") == 0 && job->progress_count == 3) bp_transfer_cancel(job->transfer, true);
}

/* _i: where from. */
START_TEST(another_client_goes_on_with_a_token) {
    net n;
    bpt_job first = {.on_event = cancel_at_third}, again = {0};
    start(&n, UINT64_MAX, false);
    const char *source = _i == 0 ? bpt_world_path(&n.world, "source") : NULL;
    bpt_file_write(bpt_world_path(&n.world, "source"), n.bytes, SIZE);
    bp_put_config config = {.name = "a", .path = source, .data = _i == 0 ? NULL : n.bytes, .size = SIZE};
    bpt_job_put(&n.world, &first, config);
    finish(&n, &first, BP_ERR_CANCELLED);
    bpt_cutter_until(&n.cutter, bpt_world_client_buffers(&n.world) == 0);
    ck_assert(!bpt_file_exists(bpt_world_path(&n.world, "objects/a")));
    config.token = first.outcome.token;
    config.path = _i == 0 ? bpt_world_path(&n.world, "source") : NULL;
    bp_client_free_take(&n.world.client);
    bp_transfer_client_free_take(&n.world.transfers);
    n.world.with.address = n.cutter.address;
    bpt_world_connect(&n.world);
    const unsigned parts = n.cutter.parts;
    bpt_job_put(&n.world, &again, config);
    finish(&n, &again, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert_uint_eq(n.cutter.sent_again, 0);
    ck_assert_uint_le(n.cutter.parts - parts, PARTS - 3);
    ck_assert_uint_eq(again.outcome.crc, bpi_crc32c(0, n.bytes, SIZE));
    stop(&n);
}
END_TEST

START_TEST(what_is_written_again_passes_by) {
    net n;
    bpt_job first = {.on_event = cancel_at_third};
    start(&n, UINT64_MAX, false);
    bpt_job_put(&n.world, &first, (bp_put_config){.name = "a", .data = n.bytes, .size = SIZE});
    finish(&n, &first, BP_ERR_CANCELLED);
    writer w = {.job = {.on_event = write_on}, .bytes = n.bytes};
    bpt_job_put(&n.world, &w.job, (bp_put_config){.name = "a", .size = SIZE, .token = first.outcome.token});
    write_on(&w.job, "writable");
    finish(&n, &w.job, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    ck_assert_uint_eq(n.cutter.sent_again, 0);
    ck_assert_uint_eq(w.job.outcome.crc, bpi_crc32c(0, n.bytes, SIZE));
    stop(&n);
}
END_TEST

START_TEST(another_client_goes_on_with_a_file) {
    net n;
    bpt_job first = {.on_event = cancel_at_third}, again = {0}, list = {0};
    start(&n, UINT64_MAX, false);
    bpt_file_write(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE);
    bpt_job_get(&n.world, &first, (bp_get_config){.name = "a", .path = bpt_world_path(&n.world, "copy")});
    finish(&n, &first, BP_ERR_CANCELLED);
    ck_assert(!bpt_file_exists(bpt_world_path(&n.world, "copy")));
    bpt_job_list(&n.world, &list, NULL); /* what was still on its way comes before the answer */
    finish(&n, &list, BP_OK);
    const unsigned parts = n.cutter.parts;
    bpt_job_get(&n.world, &again,
                (bp_get_config){.name = "a",
                                .path = bpt_world_path(&n.world, "copy"),
                                .token = first.outcome.token,
                                .version = first.outcome.version});
    finish(&n, &again, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "copy"), n.bytes, SIZE));
    ck_assert_uint_eq(again.outcome.crc, bpi_crc32c(0, n.bytes, SIZE));
    ck_assert_uint_le(n.cutter.parts - parts, PARTS - 3);
    stop(&n);
}
END_TEST

/* Thrown away, the token is nobody's. */
START_TEST(discarded_put_cannot_be_gone_on_with) {
    net n;
    bpt_job first = {0}, again = {0};
    start(&n, UINT64_MAX, false);
    bpt_job_put(&n.world, &first, (bp_put_config){.name = "a", .size = BP_SIZE_UNKNOWN});
    bpt_cutter_until(&n.cutter, first.token_count == 1);
    bp_transfer_cancel(first.transfer, false);
    finish(&n, &first, BP_ERR_CANCELLED);
    bpt_job_put(&n.world, &again, (bp_put_config){.name = "a", .size = BP_SIZE_UNKNOWN, .token = first.outcome.token});
    finish(&n, &again, BP_ERR_NOT_FOUND);
    stop(&n);
}
END_TEST

/* Two at one token: the second is tried again until the first lets go of it. */
START_TEST(token_that_is_in_use_is_waited_for) {
    net n;
    bpt_job first = {0}, second = {0};
    start(&n, UINT64_MAX, false);
    bpt_job_put(&n.world, &first, (bp_put_config){.name = "a", .size = SIZE});
    bpt_cutter_until(&n.cutter, first.token_count == 1);
    bpt_job_put(&n.world, &second, (bp_put_config){.name = "a", .data = n.bytes, .size = SIZE, .token = first.token});
    for (int i = 0; i < 200; i++) bpt_cutter_turn(&n.cutter);
    ck_assert_uint_eq(second.done_count, 0);
    bp_transfer_cancel(first.transfer, true);
    finish(&n, &second, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&n.world, "objects/a"), n.bytes, SIZE));
    stop(&n);
}
END_TEST

static void never_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    (void)transfer, (void)outcome, (void)user;
    ck_abort_msg("it never began");
}

/* Without reconnecting a lost connection is the end of all transfers, with the reason. */
START_TEST(connection_that_does_not_come_back_ends_all) {
    net n;
    bpt_job put = {0};
    bp_transfer *none;
    start(&n, UINT64_MAX, false);
    n.world.with.reconnect_ms = 0;
    bp_client_free_take(&n.world.client);
    bp_transfer_client_free_take(&n.world.transfers);
    bpt_world_connect(&n.world);
    n.cutter.cut_at = 5;
    bpt_job_put(&n.world, &put, (bp_put_config){.name = "a", .data = n.bytes, .size = SIZE});
    bpt_cutter_until(&n.cutter, put.done_count != 0);
    ck_assert(put.err == BP_ERR_LOST || put.err == BP_ERR_END || put.err == BP_ERR_RESET);
    const bp_get_config get = {.name = "a", .on_done = never_done};
    bpt_err(bp_transfer_client_get(n.world.transfers, &get, &none), BP_ERR_CLOSED);
    ck_assert_ptr_null(none);
    stop(&n);
}
END_TEST

/* While there is no connection nobody could call back soon, and a transfer has nothing to give back. */
START_TEST(cancelled_without_a_connection_is_done_at_once) {
    net n;
    bpt_job put = {0}, begun = {0};
    start(&n, 12, false);
    bpt_job_put(&n.world, &begun, (bp_put_config){.name = "a", .data = n.bytes, .size = SIZE});
    bpt_cutter_until(&n.cutter, n.world.closes == 1);
    bpt_world_until(&n.world, bpt_world_client_buffers(&n.world) == 0);
    bpt_job_put(&n.world, &put, (bp_put_config){.name = "b", .size = SIZE});
    ck_assert_uint_eq(put.done_count + begun.done_count, 0);
    bp_transfer_cancel(put.transfer, false);
    ck_assert_uint_eq(put.done_count, 1);
    bp_transfer_cancel(begun.transfer, true);
    bpt_job_end(&begun, BP_ERR_CANCELLED);
    ck_assert_mem_ne(begun.outcome.token.bytes, (bp_token){{0}}.bytes, sizeof(bp_token));
    stop(&n);
}
END_TEST

BPT_SUITE(integration_transfer_resume) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(put_from_a_file_goes_on, 0, 2 * FRAMES);
    BPT_LOOP_TEST(put_from_memory_goes_on, 0, FRAMES);
    BPT_LOOP_TEST(what_is_written_is_kept_until_it_is_answered, 0, 2 * FRAMES);
    BPT_LOOP_TEST(get_goes_on, 0, 2 * 40);
    BPT_TEST(connection_that_is_lost_again_and_again);
    BPT_LOOP_TEST(another_client_goes_on_with_a_token, 0, 2);
    BPT_TEST(what_is_written_again_passes_by);
    BPT_TEST(another_client_goes_on_with_a_file);
    BPT_TEST(discarded_put_cannot_be_gone_on_with);
    BPT_TEST(token_that_is_in_use_is_waited_for);
    BPT_TEST(connection_that_does_not_come_back_ends_all);
    BPT_TEST(cancelled_without_a_connection_is_done_at_once);
}
