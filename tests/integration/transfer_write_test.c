#define _GNU_SOURCE
/* Puts that are written bit by bit: what was taken arrives, whoever has nothing to write holds no memory, and is woken
 * when there is room. */
#include "base/crc32c.h"
#include "tests/support/frame_schema.h"
#include "tests/support/transfer_world.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN };

static const size_t sizes[] = {0, 1, PART - 1, PART, PART + 1, 2 * PART, 11 * PART + 7, 70 * PART};
static const size_t pieces[] = {1000, PART, 3 * PART + 1, 1 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0], PIECES = sizeof pieces / sizeof pieces[0] };

static const bpt_world_options small_parts = {.client = {.part_size = PART}};

/* Writes all of its bytes as there is room, a piece at a time. */
typedef struct writer {
    bpt_job job;
    const uint8_t *bytes;
    size_t size, at, piece;
    bool has_ended;
} writer;

static void write_on(writer *w) {
    while (!w->has_ended) {
        size_t taken;
        const size_t left = w->size - w->at, count = left < w->piece ? left : w->piece;
        const bp_err err = bp_transfer_write(w->job.transfer, w->bytes + w->at, count, count == left, &taken);
        w->at += taken;
        bpt_must(taken <= count && (err == BP_PENDING || (err == BP_OK && taken == count)));
        if (err == BP_PENDING) return;
        w->has_ended = w->at == w->size;
    }
}

static void on_event(bpt_job *job, const char *event) {
    if (strcmp(event, "writable") == 0) write_on((writer *)job);
}

static void begin(bpt_world *world, writer *w, const char *name, uint64_t told_size) {
    w->job.on_event = on_event;
    bpt_job_put(world, &w->job, (bp_put_config){.name = name, .size = told_size});
    write_on(w);
}

START_TEST(what_is_written_arrives) {
    bpt_world world;
    bpt_world_options with = small_parts;
    const size_t size = sizes[_i / 2 % SIZES];
    const bool is_known = _i % 2 == 0;
    uint8_t *bytes = bpt_bytes_new(31, size);
    writer w = {.bytes = bytes, .size = size, .piece = pieces[_i / 2 / SIZES]};
    bpt_world_start(&world, &with);
    begin(&world, &w, "a", is_known ? size : BP_SIZE_UNKNOWN);
    bpt_job_end(&w.job, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/a"), bytes, size));
    ck_assert_uint_eq(w.job.outcome.crc, bpi_crc32c(0, bytes, size));
    ck_assert_uint_eq(w.job.outcome.size, size);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

START_TEST(written_beyond_its_end_or_size_is_refused) {
    bpt_world world;
    bpt_job put = {0}, file = {0};
    size_t taken;
    const uint8_t bytes[PART] = {0};
    bpt_world_start(&world, &small_parts);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .size = PART});
    bpt_job_put(&world, &file, (bp_put_config){.name = "b", .data = bytes, .size = PART});
    bpt_err(bp_transfer_write(file.transfer, bytes, 1, false, &taken), BP_ERR_ARGUMENT);
    bpt_err(bp_transfer_write(put.transfer, bytes, 1, true, &taken), BP_ERR_ARGUMENT);
    bpt_world_until(&world, put.token_count == 1);
    bpt_world_until(&world, bp_transfer_write(put.transfer, bytes, 10, false, &taken) == BP_OK);
    bpt_err(bp_transfer_write(put.transfer, bytes, PART - 9, false, &taken), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(taken, 0);
    bpt_ok(bp_transfer_write(put.transfer, bytes, PART - 10, true, &taken));
    bpt_err(bp_transfer_write(put.transfer, bytes, 0, true, &taken), BP_ERR_ARGUMENT);
    bpt_job_end(&put, BP_OK);
    bpt_job_end(&file, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/a"), bytes, PART));
    bpt_world_fini(&world);
}
END_TEST

/* ---- who has no data (the second acceptance) ---- */

/* A Part of PART bytes takes this much of a pool that has a class for it. */
enum { STALLED = 200, STRIDE = 4128 };

static uint64_t memory_for(uint64_t parts) { return 2 * 65536 + parts * STRIDE; }

START_TEST(stalled_writers_hold_no_memory) {
    bpt_world world;
    static bpt_job stalled[STALLED];
    char name[32];
    uint8_t *bytes = bpt_bytes_new(32, 40 * PART);
    writer late = {.bytes = bytes, .size = 40 * PART, .piece = 5000}, active = late;
    const bpt_world_options with = {.client = {.part_size = PART}, .client_memory = memory_for(4)};
    memset(stalled, 0, sizeof stalled);
    bpt_world_start(&world, &with);
    for (int i = 0; i < STALLED; i++) {
        snprintf(name, sizeof name, "s%d", i);
        bpt_job_put(&world, &stalled[i], (bp_put_config){.name = name, .size = BP_SIZE_UNKNOWN});
    }
    begin(&world, &active, "active", BP_SIZE_UNKNOWN);
    bpt_job_end(&active.job, BP_OK);
    ck_assert_uint_eq(bpt_world_client_buffers(&world), 0);
    begin(&world, &late, "late", BP_SIZE_UNKNOWN);
    bpt_job_end(&late.job, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/active"), bytes, 40 * PART));
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/late"), bytes, 40 * PART));
    for (int i = 0; i < STALLED; i++) {
        ck_assert_uint_eq(stalled[i].done_count, 0);
        bp_transfer_cancel(stalled[i].transfer, false);
    }
    for (int i = 0; i < STALLED; i++) bpt_job_end(&stalled[i], BP_ERR_CANCELLED);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* Half of their part written, twenty writers hold more than the limit: others get what is forced. */
START_TEST(writers_with_half_a_part_are_gone_past_by_force) {
    enum { HALF = 20 };
    bpt_world world;
    bpt_job half[HALF] = {0};
    char name[32];
    size_t taken;
    bp_pool_stats stats;
    uint8_t *bytes = bpt_bytes_new(33, 40 * PART);
    writer late = {.bytes = bytes, .size = 40 * PART, .piece = 5000};
    const bpt_world_options with = {.client = {.part_size = PART},
                                    .client_memory = memory_for(4),
                                    .forced_limit = UINT64_C(1) << 20};
    bpt_world_start(&world, &with);
    for (int i = 0; i < HALF; i++) {
        snprintf(name, sizeof name, "h%d", i);
        bpt_job_put(&world, &half[i], (bp_put_config){.name = name, .size = BP_SIZE_UNKNOWN});
    }
    for (int i = 0; i < HALF; i++) {
        bpt_world_until(&world, bp_transfer_write(half[i].transfer, bytes, PART / 2, false, &taken) == BP_OK);
    }
    begin(&world, &late, "late", BP_SIZE_UNKNOWN);
    bpt_job_end(&late.job, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/late"), bytes, 40 * PART));
    bp_pool_stats_read(bp_client_pool(world.client), &stats);
    ck_assert_uint_gt(stats.forced_grants, 0);
    for (int i = 0; i < HALF; i++) {
        bpt_ok(bp_transfer_write(half[i].transfer, bytes + PART / 2, PART / 2, true, &taken));
    }
    for (int i = 0; i < HALF; i++) {
        bpt_job_end(&half[i], BP_OK);
        snprintf(name, sizeof name, "objects/h%d", i);
        ck_assert(bpt_file_is(bpt_world_path(&world, name), bytes, PART));
    }
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* ---- without a connection ---- */

START_TEST(before_there_is_a_connection_nothing_is_taken) {
    bpt_world world;
    uint8_t *bytes = bpt_bytes_new(34, 3 * PART);
    writer w = {.bytes = bytes, .size = 3 * PART, .piece = PART};
    bpt_world_start(&world, &small_parts);
    begin(&world, &w, "a", 3 * PART);
    ck_assert_uint_eq(w.at, 0);
    ck_assert_uint_eq(w.job.writable_count, 0);
    bpt_job_end(&w.job, BP_OK);
    ck_assert_uint_gt(w.job.writable_count, 0);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

BPT_SUITE(integration_transfer_write) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(what_is_written_arrives, 0, 2 * SIZES * PIECES);
    BPT_TEST(written_beyond_its_end_or_size_is_refused);
    BPT_TEST(stalled_writers_hold_no_memory);
    BPT_TEST(writers_with_half_a_part_are_gone_past_by_force);
    BPT_TEST(before_there_is_a_connection_nothing_is_taken);
}
