#define _GNU_SOURCE
/* Gets to a callback and to files over real sockets: every byte of the range once and in order, or the file whole, or
 * not there; buffers that are kept outlive everything. */
#include "base/crc32c.h"
#include "tests/support/transfer_world.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN };

static const size_t sizes[] = {0, 1, PART - 1, PART, PART + 1, 2 * PART, 11 * PART + 7, 70 * PART};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const bpt_world_options small_parts = {.client = {.part_size = PART}};

static uint8_t *start_with_object(bpt_world *world, const bpt_world_options *with, size_t size) {
    uint8_t *bytes = bpt_bytes_new(21, size);
    bpt_world_start(world, with);
    bpt_file_write(bpt_world_path(world, "objects/a"), bytes, size);
    return bytes;
}

static void end(bpt_world *world, uint8_t *bytes) {
    bpt_world_fini(world);
    free(bytes);
}

START_TEST(callback_gets_every_byte_once_and_in_order) {
    bpt_world world;
    bpt_world_options with = small_parts;
    with.way = _i % BPT_WORLD_WAYS;
    const size_t size = sizes[_i / BPT_WORLD_WAYS];
    uint8_t *bytes = start_with_object(&world, &with, size);
    bpt_job get = {0};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_OK);
    ck_assert_uint_eq(get.got_size, size);
    ck_assert(size == 0 || memcmp(get.got, bytes, size) == 0);
    ck_assert_uint_eq(get.outcome.size, size);
    ck_assert_uint_eq(get.outcome.crc, bpi_crc32c(0, bytes, size));
    ck_assert_uint_ne(get.outcome.version, 0);
    ck_assert_uint_eq(get.found_count, 1);
    ck_assert_uint_eq(get.progress_count, (size + PART - 1) / PART);
    bpt_job_free(&get);
    end(&world, bytes);
}
END_TEST

/* With parts of 64 KiB, which do not lie in a landing chunk as a whole. */
START_TEST(large_parts_arrive_where_their_memory_is) {
    enum { LARGE = 65536, SIZE = 40 * LARGE + 5 };
    bpt_world world;
    bp_transfer_stats stats;
    const bpt_world_options with = {.way = _i, .client = {.part_size = LARGE}, .client_memory = 16 * LARGE};
    uint8_t *bytes = start_with_object(&world, &with, SIZE);
    bpt_job get = {0};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_OK);
    ck_assert_uint_eq(get.got_size, SIZE);
    ck_assert_int_eq(memcmp(get.got, bytes, SIZE), 0);
    bp_transfer_client_stats(world.transfers, &stats);
    ck_assert_uint_eq(stats.parts_in, 41);
    ck_assert_uint_eq(stats.bytes_in, SIZE);
    ck_assert_uint_eq(stats.parts_refused, 0);
    bpt_job_free(&get);
    end(&world, bytes);
}
END_TEST

static const struct {
    uint64_t offset, length;
    bp_err err;
} ranges[] = {{0, 1, BP_OK},
              {PART - 1, 2, BP_OK},
              {5, 3 * PART, BP_OK},
              {PART, 0, BP_OK},
              {10 * PART + 6, 1, BP_OK},
              {10 * PART + 7, 0, BP_OK},
              {10 * PART + 7, 1, BP_ERR_RANGE},
              {10 * PART + 8, 0, BP_ERR_RANGE},
              {3, 10 * PART + 5, BP_ERR_RANGE},
              {UINT64_MAX, 2, BP_ERR_RANGE},
              {2, UINT64_MAX, BP_ERR_RANGE}};
enum { RANGES = sizeof ranges / sizeof ranges[0], RANGED = 10 * PART + 7 };

START_TEST(range_is_what_was_asked_for) {
    bpt_world world;
    const uint64_t offset = ranges[_i].offset, length = ranges[_i].length;
    uint8_t *bytes = start_with_object(&world, &small_parts, RANGED);
    bpt_job get = {0}, file = {0};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .offset = offset, .length = length});
    bpt_job_get(&world, &file,
                (bp_get_config){.name = "a", .offset = offset, .length = length, .path = bpt_world_path(&world, "f")});
    bpt_job_end(&get, ranges[_i].err);
    bpt_job_end(&file, ranges[_i].err);
    if (ranges[_i].err == BP_OK) {
        const size_t expected = length == 0 ? RANGED - offset : length;
        ck_assert_uint_eq(get.got_size, expected);
        ck_assert(expected == 0 || memcmp(get.got, bytes + offset, expected) == 0);
        ck_assert(bpt_file_is(bpt_world_path(&world, "f"), bytes + offset, expected));
    } else {
        ck_assert_uint_eq(get.got_size, 0);
        ck_assert(!bpt_file_exists(bpt_world_path(&world, "f")));
    }
    bpt_job_free(&get);
    end(&world, bytes);
}
END_TEST

START_TEST(file_is_whole) {
    bpt_world world;
    const size_t size = sizes[_i];
    uint8_t *bytes = start_with_object(&world, &small_parts, size);
    bpt_job get = {0};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "copy")});
    bpt_job_end(&get, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "copy"), bytes, size));
    ck_assert_uint_eq(get.outcome.crc, bpi_crc32c(0, bytes, size));
    ck_assert_uint_eq(get.token_count, 1);
    ck_assert_uint_eq(get.outcome.size, size);
    end(&world, bytes);
}
END_TEST

enum { MANY = 40 };

START_TEST(many_at_once_of_different_sizes) {
    bpt_world world;
    bpt_job gets[MANY] = {0};
    const bpt_world_options with = {.client = {.part_size = PART},
                                    .client_memory = 128 * 1024,
                                    .server_memory = 128 * 1024};
    uint8_t *bytes = start_with_object(&world, &with, 30 * PART);
    for (unsigned i = 0; i < MANY; i++) {
        bpt_job_get(&world, &gets[i], (bp_get_config){.name = "a", .offset = i * 100, .length = 7 * PART + i * 33});
    }
    for (unsigned i = 0; i < MANY; i++) {
        bpt_job_end(&gets[i], BP_OK);
        ck_assert_uint_eq(gets[i].got_size, 7 * PART + i * 33);
        ck_assert_int_eq(memcmp(gets[i].got, bytes + i * 100, gets[i].got_size), 0);
        bpt_job_free(&gets[i]);
    }
    end(&world, bytes);
}
END_TEST

/* ---- buffers ---- */

enum { KEPT = 6 };
typedef struct kept {
    bp_buf *bufs[KEPT];
    bp_bytes bytes[KEPT];
    uint32_t count;
} kept;

static bp_err keep(bpt_job *job, uint64_t offset, bp_bytes bytes, bp_buf *buf) {
    kept *all = job->data;
    (void)offset;
    bpt_must(all->count < KEPT);
    all->bufs[all->count] = bp_buf_retain(buf);
    all->bytes[all->count++] = bytes;
    return BP_OK;
}

START_TEST(kept_buffers_outlive_client_and_server) {
    bpt_world world;
    kept all = {0};
    uint8_t *bytes = start_with_object(&world, &small_parts, KEPT * PART);
    bpt_job get = {.on_body = keep, .data = &all};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_OK);
    bp_client_free_take(&world.client);
    bp_transfer_client_free_take(&world.transfers);
    bpt_world_stop_serving(&world);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(all.count, KEPT);
    for (uint32_t i = 0; i < KEPT; i++) {
        ck_assert_int_eq(memcmp(all.bytes[i].data, bytes + i * PART, PART), 0);
        bp_buf_release(all.bufs[i]);
    }
    bpt_job_free(&get);
    end(&world, bytes);
}
END_TEST

static bp_err refuse_third(bpt_job *job, uint64_t offset, bp_bytes bytes, bp_buf *buf) {
    (void)job, (void)bytes, (void)buf;
    return offset == 2 * PART ? BP_ERR_DISK_FULL : BP_OK;
}

START_TEST(error_of_the_callback_ends_the_get_with_it) {
    bpt_world world;
    uint8_t *bytes = start_with_object(&world, &small_parts, 9 * PART);
    bpt_job get = {.on_body = refuse_third}, other = {0};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_get(&world, &other, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_ERR_DISK_FULL);
    ck_assert_uint_eq(get.outcome.part, 2);
    bpt_job_end(&other, BP_OK);
    ck_assert_uint_eq(other.got_size, 9 * PART);
    bpt_job_free(&get);
    bpt_job_free(&other);
    end(&world, bytes);
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(nothing_and_another_version_are_told) {
    bpt_world world;
    uint8_t *bytes = start_with_object(&world, &small_parts, 3 * PART);
    bpt_job nothing = {0}, first = {0}, again = {0}, other = {0}, nowhere = {0};
    bpt_job_get(&world, &nothing, (bp_get_config){.name = "b"});
    bpt_job_get(&world, &first, (bp_get_config){.name = "a"});
    bpt_job_get(&world, &nowhere, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "no/where")});
    bpt_job_end(&nothing, BP_ERR_NOT_FOUND);
    bpt_job_end(&first, BP_OK);
    bpt_job_end(&nowhere, BP_ERR_NOT_FOUND);
    bpt_job_get(&world, &again, (bp_get_config){.name = "a", .version = first.outcome.version});
    bpt_job_get(&world, &other, (bp_get_config){.name = "a", .version = first.outcome.version + 1});
    bpt_job_end(&again, BP_OK);
    bpt_job_end(&other, BP_ERR_CHANGED);
    ck_assert_uint_eq(other.got_size, 0);
    bpt_job_free(&first);
    bpt_job_free(&again);
    end(&world, bytes);
}
END_TEST

static void change_object(bpt_job *job, const char *event) {
    if (strcmp(event, "body") != 0 || job->got_size != 3 * PART) return;
    uint8_t *other = bpt_bytes_new(99, 70 * PART);
    bpt_file_write(bpt_world_path(job->world, "objects/b"), other, 70 * PART);
    ck_assert_int_eq(rename(bpt_world_path(job->world, "objects/b"), bpt_world_path(job->world, "objects/a")), 0);
    free(other);
}

START_TEST(object_that_changes_meanwhile_is_not_mixed) {
    bpt_world world;
    uint8_t *bytes = start_with_object(&world, &small_parts, 70 * PART);
    bpt_job get = {.on_event = change_object};
    bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
    bpt_job_end(&get, BP_ERR_CHANGED);
    ck_assert_int_eq(memcmp(get.got, bytes, get.got_size), 0);
    bpt_job_free(&get);
    end(&world, bytes);
}
END_TEST

static void never_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    (void)transfer, (void)outcome, (void)user;
    ck_abort_msg("it never began");
}

/* A token without a version could make a file of two objects. */
START_TEST(configurations_that_cannot_be_are_refused) {
    bpt_world world;
    bpt_job done = {0};
    uint8_t *bytes = start_with_object(&world, &small_parts, 1);
    bp_transfer *get;
    bpt_job_get(&world, &done, (bp_get_config){.name = "a"});
    bp_get_config config = {.name = "a", .on_done = never_done, .token = {{1}}};
    bpt_err(bp_transfer_client_get(world.transfers, &config, &get), BP_ERR_ARGUMENT);
    config.path = "f";
    bpt_err(bp_transfer_client_get(world.transfers, &config, &get), BP_ERR_ARGUMENT);
    config.token = (bp_token){{0}};
    config.part_size = 2 * PART;
    bpt_err(bp_transfer_client_get(world.transfers, &config, &get), BP_ERR_PART_SIZE);
    config.name = "";
    config.part_size = 0;
    bpt_err(bp_transfer_client_get(world.transfers, &config, &get), BP_ERR_NAME);
    ck_assert_ptr_null(get);
    bpt_job_end(&done, BP_OK);
    bpt_job_free(&done);
    end(&world, bytes);
}
END_TEST

/* ---- lists ---- */

START_TEST(list_tells_of_all_in_order) {
    enum { OBJECTS = 150 };
    bpt_world world;
    char name[32];
    const uint8_t zeros[OBJECTS] = {0};
    bpt_job all = {0}, some = {0}, none = {0};
    bpt_world_start(&world, &small_parts);
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(name, sizeof name, "objects/%03d", i);
        bpt_file_write(bpt_world_path(&world, name), zeros, (size_t)i);
    }
    bpt_job_list(&world, &all, NULL);
    bpt_job_list(&world, &some, "01");
    bpt_job_list(&world, &none, "x");
    bpt_job_end(&all, BP_OK);
    bpt_job_end(&some, BP_OK);
    bpt_job_end(&none, BP_OK);
    ck_assert_uint_eq(all.object_count, OBJECTS);
    ck_assert_int_eq(strncmp(all.names, "000 001 002 003 ", 16), 0);
    ck_assert_str_eq(some.names, "010 011 012 013 014 015 016 017 018 019 ");
    ck_assert_uint_eq(none.object_count, 0);
    bpt_world_fini(&world);
}
END_TEST

BPT_SUITE(integration_transfer_get) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(callback_gets_every_byte_once_and_in_order, 0, SIZES * BPT_WORLD_WAYS);
    BPT_LOOP_TEST(large_parts_arrive_where_their_memory_is, 0, BPT_WORLD_WAYS);
    BPT_LOOP_TEST(range_is_what_was_asked_for, 0, RANGES);
    BPT_LOOP_TEST(file_is_whole, 0, SIZES);
    BPT_TEST(many_at_once_of_different_sizes);
    BPT_TEST(kept_buffers_outlive_client_and_server);
    BPT_TEST(error_of_the_callback_ends_the_get_with_it);
    BPT_TEST(nothing_and_another_version_are_told);
    BPT_TEST(object_that_changes_meanwhile_is_not_mixed);
    BPT_TEST(configurations_that_cannot_be_are_refused);
    BPT_TEST(list_tells_of_all_in_order);
}
