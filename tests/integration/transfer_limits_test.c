#define _GNU_SOURCE
/* Transfers and memory: nobody allocates for a part, a thousand go through what a few dozen parts take, who keeps parts
 * is told when there are none left, and every part is of the program's own pool. And transfers and time. */
#include "examples/own_pool/block_pool.h"
#include "tests/support/alloc_count.h"
#include "tests/support/pool_support.h"
#include "tests/support/system_faults.h"
#include "tests/support/transfer_world.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN, STRIDE = 4128, SLAB = 65536 };

/* ---- allocations (the third acceptance) ---- */

enum { WARM = 150, STEADY = 350, STEADY_PARTS = 400 };
typedef struct steady {
    unsigned parts;
    bool is_over;
    uint64_t before, after;
    bp_err err;
    bp_transfer *transfer;
    const uint8_t *bytes;
    uint64_t at;
} steady;

static void count_part(steady *s) {
    s->parts++;
    if (s->parts == WARM) s->before = bpt_alloc_count();
    if (s->parts == STEADY) s->after = bpt_alloc_count();
}

static void steady_progress(bp_transfer *transfer, const bp_progress *progress, void *user) {
    (void)transfer, (void)progress;
    count_part(user);
}

static bp_err steady_body(bp_transfer *transfer, uint64_t offset, bp_bytes bytes, bp_buf *buf, void *user) {
    const steady *s = user;
    (void)transfer, (void)buf;
    bpt_must(memcmp(bytes.data, s->bytes + offset, bytes.length) == 0);
    return BP_OK;
}

static void steady_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    steady *s = user;
    (void)transfer;
    s->is_over = true;
    s->err = outcome->err;
}

static void steady_write(bp_transfer *transfer, void *user) {
    steady *s = user;
    const uint64_t size = STEADY_PARTS * (uint64_t)PART;
    size_t taken;
    if (s->at == size) return;
    (void)!bp_transfer_write(transfer, s->bytes + s->at, size - s->at, true, &taken);
    s->at += taken;
}

/* _i: put from a file, from memory, written; get to a callback, to a file. */
START_TEST(no_part_allocates) {
    bpt_world world;
    steady s = {0};
    const uint64_t size = STEADY_PARTS * (uint64_t)PART;
    const bpt_world_options with = {.client = {.part_size = PART}};
    uint8_t *bytes = bpt_bytes_new(51, size);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, size);
    s.bytes = bytes;
    const bp_put_config put = {.name = "b",
                               .path = _i == 0 ? bpt_world_path(&world, "objects/a") : NULL,
                               .data = _i == 1 ? bytes : NULL,
                               .size = size,
                               .on_done = steady_done,
                               .on_progress = steady_progress,
                               .on_writable = steady_write,
                               .user = &s};
    const bp_get_config get = {.name = "a",
                               .path = _i == 4 ? bpt_world_path(&world, "b") : NULL,
                               .on_body = _i == 3 ? steady_body : NULL,
                               .on_done = steady_done,
                               .on_progress = steady_progress,
                               .user = &s};
    if (_i < 3)
        bpt_ok(bp_transfer_client_put(world.transfers, &put, &s.transfer));
    else
        bpt_ok(bp_transfer_client_get(world.transfers, &get, &s.transfer));
    if (_i == 2) steady_write(s.transfer, &s);
    bpt_world_until(&world, s.is_over);
    bpt_ok(s.err);
    ck_assert_uint_eq(s.parts, STEADY_PARTS);
    if (bpt_alloc_is_counted()) ck_assert_uint_eq(s.after - s.before, 0);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* ---- a thousand at once (the second) ---- */

enum { THOUSAND = 1000, EACH = 3 * PART - 5 };

static void begin_one(bpt_world *world, bpt_job *job, const uint8_t *bytes, int ix) {
    char name[32];
    snprintf(name, sizeof name, "t%d", ix);
    if (ix % 2 == 0)
        bpt_job_put(world, job, (bp_put_config){.name = name, .data = bytes + ix, .size = EACH});
    else
        bpt_job_get(world, job, (bp_get_config){.name = "source", .offset = (uint64_t)ix, .length = EACH});
}

/* 64 parts of memory on either side, as 64 MiB are of 1 MiB. */
START_TEST(a_thousand_at_once_finish_in_the_memory_of_a_few) {
    bpt_world world;
    bp_pool_stats stats;
    char name[32];
    static bpt_job jobs[THOUSAND];
    const uint64_t memory = 64 * STRIDE + 2 * SLAB;
    const int count = (int)bpt_scaled(THOUSAND);
    const bpt_world_options with = {.client = {.part_size = PART},
                                    .client_memory = memory,
                                    .server_memory = memory,
                                    .way = _i};
    uint8_t *bytes = bpt_bytes_new(52, EACH + THOUSAND);
    memset(jobs, 0, sizeof jobs);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/source"), bytes, EACH + THOUSAND);
    for (int i = 0; i < count; i++) begin_one(&world, &jobs[i], bytes, i);
    for (int i = 0; i < count; i++) {
        bpt_job_end(&jobs[i], BP_OK);
        snprintf(name, sizeof name, "objects/t%d", i);
        if (i % 2 == 0) bpt_must(bpt_file_is(bpt_world_path(&world, name), bytes + i, EACH));
        if (i % 2 != 0) bpt_must(jobs[i].got_size == EACH && memcmp(jobs[i].got, bytes + i, EACH) == 0);
        bpt_job_free(&jobs[i]);
    }
    bp_pool_stats_read(bp_client_pool(world.client), &stats);
    ck_assert_uint_le(stats.committed_peak_bytes, memory);
    ck_assert_uint_eq(stats.forced_grants, 0);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* What the server takes at once is less than what the client would send. */
START_TEST(server_decides_how_many_are_in_flight) {
    enum { OBJECT = 30 * PART };
    bpt_world world;
    bpt_job put = {0}, get = {0}, file = {0};
    const bpt_world_options with = {.client = {.part_size = PART, .parts_in_flight = 16},
                                    .server = {.parts_in_flight = (uint32_t)_i}};
    uint8_t *bytes = bpt_bytes_new(58, OBJECT);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, OBJECT);
    bpt_job_put(&world, &put, (bp_put_config){.name = "b", .data = bytes, .size = OBJECT});
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_get(&world, &file, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "c")});
    bpt_job_end(&put, BP_OK);
    bpt_job_end(&get, BP_OK);
    bpt_job_end(&file, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/b"), bytes, OBJECT));
    ck_assert(bpt_file_is(bpt_world_path(&world, "c"), bytes, OBJECT));
    ck_assert_int_eq(memcmp(get.got, bytes, OBJECT), 0);
    bpt_job_free(&get);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* ---- who keeps parts ---- */

enum { KEPT_MAX = 64 };
typedef struct hoard {
    bp_pool *elsewhere; /* NULL: the buffers are kept as they are */
    bp_buf *bufs[KEPT_MAX];
    unsigned count;
} hoard;

static bp_err hoard_part(bpt_job *job, uint64_t offset, bp_bytes bytes, bp_buf *buf) {
    hoard *h = job->data;
    (void)offset, (void)bytes;
    bpt_must(h->count < KEPT_MAX);
    bp_buf *kept = bp_buf_retain(buf);
    const bp_err err = h->elsewhere == NULL ? BP_OK : bp_buf_copy_out(&kept, h->elsewhere);
    h->bufs[h->count++] = kept;
    return err;
}

static void drop_hoard(hoard *h) {
    while (h->count != 0) bp_buf_release(h->bufs[--h->count]);
}

/* More parts than there is memory for are kept; one beside it, that keeps none, finishes once they are given back. */
START_TEST(who_keeps_all_parts_is_told_that_there_is_no_memory) {
    bpt_world world;
    hoard kept = {0};
    bpt_job get = {.on_body = hoard_part, .data = &kept}, other = {0};
    const bpt_world_options with = {.client = {.part_size = PART, .memory_ms = 100},
                                    .client_memory = 2 * SLAB + 8 * STRIDE};
    uint8_t *bytes = bpt_bytes_new(53, 60 * PART);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, 60 * PART);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_clock_hurry(true);
    bpt_job_end(&get, BP_ERR_LIMIT);
    bpt_clock_hurry(false);
    ck_assert_uint_gt(kept.count, 0);
    ck_assert_uint_eq(get.outcome.part, kept.count); /* the one that it could not have */
    drop_hoard(&kept);
    bpt_job_get(&world, &other, (bp_get_config){.name = "a"});
    bpt_job_end(&other, BP_OK);
    ck_assert_uint_eq(other.got_size, 60 * PART);
    bpt_job_free(&get);
    bpt_job_free(&other);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

START_TEST(who_copies_parts_out_may_keep_them) {
    bpt_world world;
    hoard kept = {0};
    bpt_job get = {.on_body = hoard_part, .data = &kept};
    const bpt_world_options with = {.client = {.part_size = PART}, .client_memory = 2 * SLAB + 8 * STRIDE};
    uint8_t *bytes = bpt_bytes_new(54, 60 * PART);
    bpt_ok(bp_heap_pool_new(0, &kept.elsewhere));
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, 60 * PART);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_OK);
    ck_assert_uint_eq(kept.count, 60);
    drop_hoard(&kept);
    bp_pool_release_take(&kept.elsewhere);
    bpt_job_free(&get);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

static void pause_at_first(bpt_job *job, const char *event) {
    if (strcmp(event, "body") == 0) bp_transfer_pause(job->transfer);
}

/* A paused get has asked for all parts that there is memory for; another one needs it. */
START_TEST(paused_get_gives_back_what_others_wait_for) {
    bpt_world world;
    bpt_job paused = {.on_event = pause_at_first}, other = {0};
    const bpt_world_options with = {.server = {.parts_in_flight = 64},
                                    .client = {.part_size = PART, .parts_in_flight = 64},
                                    .client_memory = 2 * SLAB + 8 * STRIDE};
    uint8_t *bytes = bpt_bytes_new(57, 200 * PART);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, 200 * PART);
    bpt_job_get(&world, &paused, (bp_get_config){.name = "a"});
    bpt_world_until(&world, paused.got_size != 0);
    bpt_job_get(&world, &other, (bp_get_config){.name = "a", .parts_in_flight = 2});
    bpt_clock_hurry(true);
    bpt_job_end(&other, BP_OK);
    paused.on_event = NULL;
    bp_transfer_resume(paused.transfer);
    bpt_job_end(&paused, BP_OK);
    bpt_clock_hurry(false);
    ck_assert_uint_eq(other.got_size, 200 * PART);
    ck_assert_uint_eq(paused.got_size, 200 * PART);
    ck_assert_int_eq(memcmp(paused.got, bytes, 200 * PART), 0);
    bpt_job_free(&paused);
    bpt_job_free(&other);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* ---- the program's own pool (the seventh) ---- */

/* A pool that cannot wait: who is refused asks again. */
START_TEST(every_part_is_of_the_programs_own_pool) {
    enum { BLOCKS = 6, OBJECT = 20 * PART };
    bpt_world world;
    bpt_job put = {0}, get = {0};
    const bp_class blocks[] = {{.size = STRIDE}};
    const bp_pool_config config = {.classes = blocks, .class_count = 1, .memory_limit = BLOCKS * STRIDE};
    bpt_world_options with = {.client = {.part_size = PART}};
    uint8_t *bytes = bpt_bytes_new(55, OBJECT);
    bpt_ok(block_pool_factory(&config, NULL, &with.client_pool));
    bpt_world_start(&world, &with);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .data = bytes, .size = OBJECT});
    bpt_job_end(&put, BP_OK);
    const uint64_t of_put = bpt_stats(with.client_pool).total.acquires;
    ck_assert_uint_ge(of_put, 20);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_OK);
    ck_assert_uint_ge(bpt_stats(with.client_pool).total.acquires, of_put + 20);
    ck_assert_uint_eq(get.got_size, OBJECT);
    ck_assert_int_eq(memcmp(get.got, bytes, OBJECT), 0);
    ck_assert_uint_le(bpt_stats(with.client_pool).total.high_water, BLOCKS);
    bpt_job_free(&get);
    bpt_world_fini(&world);
    bp_pool_release_take(&with.client_pool);
    free(bytes);
}
END_TEST

START_TEST(pool_that_can_never_hold_a_part_is_told_at_once) {
    bpt_world world;
    bpt_job put = {0};
    const bp_class blocks[] = {{.size = 1024}};
    const bp_pool_config config = {.classes = blocks, .class_count = 1, .memory_limit = 4 * 1024};
    bpt_world_options with = {.client = {.part_size = PART}};
    uint8_t *bytes = bpt_bytes_new(56, PART);
    bpt_ok(block_pool_factory(&config, NULL, &with.client_pool));
    bpt_world_start(&world, &with);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .data = bytes, .size = PART});
    bpt_job_end(&put, BP_ERR_LIMIT);
    ck_assert_uint_eq(put.outcome.part, 0);
    bpt_world_fini(&world);
    bp_pool_release_take(&with.client_pool);
    free(bytes);
}
END_TEST

/* ---- time ---- */

START_TEST(put_that_nobody_writes_ends) {
    bpt_world world;
    bpt_job put = {0}, paused = {0};
    const bpt_world_options with = {.client = {.part_size = PART, .idle_ms = _i == 0 ? 60 : UINT32_MAX}};
    const bp_put_config config = {.name = "a", .size = BP_SIZE_UNKNOWN, .deadline_ms = _i == 0 ? 0 : 60};
    bpt_world_start(&world, &with);
    bpt_job_put(&world, &paused, (bp_put_config){.name = "b", .size = BP_SIZE_UNKNOWN});
    bp_transfer_pause(paused.transfer);
    bpt_job_put(&world, &put, config);
    bpt_clock_hurry(true);
    bpt_job_end(&put, BP_ERR_TIMEOUT);
    bpt_clock_hurry(false);
    ck_assert_uint_eq(paused.done_count, 0);
    bpt_job paused_late = {0};
    bpt_job_put(&world, &paused_late, (bp_put_config){.name = "c", .size = 1, .deadline_ms = 60});
    bp_transfer_pause(paused_late.transfer);
    bpt_clock_hurry(true);
    bpt_job_end(&paused_late, BP_ERR_TIMEOUT);
    bpt_clock_hurry(false);
    bp_transfer_cancel(paused.transfer, false);
    bpt_job_end(&paused, BP_ERR_CANCELLED);
    bpt_world_fini(&world);
}
END_TEST

/* While there is no connection the clock goes on, whether there ever was one (_i) or not. */
START_TEST(deadline_holds_without_a_connection) {
    bpt_world world;
    bpt_job put = {0};
    const bpt_world_options with = {.client = {.part_size = PART}, .reconnect_ms = 1};
    bpt_world_init(&world, &with);
    bpt_world_serve(&world);
    if (_i != 0) bpt_world_connect(&world);
    if (_i != 0) bpt_world_until(&world, world.opens == 1);
    bpt_world_stop_serving(&world);
    if (_i == 0) bpt_world_connect(&world);
    bpt_world_until(&world, world.conn == NULL);
    bpt_clock_hurry(true);
    for (int i = 0; i < 20; i++) uv_run(&world.loop, UV_RUN_ONCE); /* ticks go by */
    bpt_clock_hurry(false);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .size = 1, .deadline_ms = 60});
    bpt_clock_hurry(true);
    bpt_job_end(&put, BP_ERR_TIMEOUT);
    bpt_clock_hurry(false);
    bpt_world_fini(&world);
}
END_TEST

BPT_SUITE(integration_transfer_limits) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(no_part_allocates, 0, 5);
    BPT_LOOP_TEST(a_thousand_at_once_finish_in_the_memory_of_a_few, 0, BPT_WORLD_WAYS);
    BPT_LOOP_TEST(server_decides_how_many_are_in_flight, 1, 4);
    BPT_TEST(who_keeps_all_parts_is_told_that_there_is_no_memory);
    BPT_TEST(who_copies_parts_out_may_keep_them);
    BPT_TEST(paused_get_gives_back_what_others_wait_for);
    BPT_TEST(every_part_is_of_the_programs_own_pool);
    BPT_TEST(pool_that_can_never_hold_a_part_is_told_at_once);
    BPT_LOOP_TEST(put_that_nobody_writes_ends, 0, 2);
    BPT_LOOP_TEST(deadline_holds_without_a_connection, 0, 2);
}
