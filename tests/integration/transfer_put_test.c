#define _GNU_SOURCE
/* Puts from files and from memory over real sockets: what is on the server is what was here, whatever its size; and
 * errors say what is wrong and end nothing else. */
#include "base/crc32c.h"
#include "tests/support/transfer_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = BP_PART_SIZE_MIN };

static const size_t sizes[] = {0, 1, PART - 1, PART, PART + 1, 2 * PART, 11 * PART + 7, 70 * PART};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const bpt_world_options small_parts = {.client = {.part_size = PART}};

/* Over both transports. */
START_TEST(file_is_on_the_server_as_it_was_here) {
    bpt_world world;
    bpt_world_options with = small_parts;
    with.way = _i % BPT_WORLD_WAYS;
    const size_t size = sizes[_i / BPT_WORLD_WAYS];
    uint8_t *bytes = bpt_bytes_new(7, size);
    bpt_job put = {0};
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "source"), bytes, size);
    bpt_job_put(&world, &put, (bp_put_config){.name = "deep/in/it", .path = bpt_world_path(&world, "source")});
    bpt_job_end(&put, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/deep/in/it"), bytes, size));
    ck_assert_uint_eq(put.outcome.size, size);
    ck_assert_uint_eq(put.outcome.crc, bpi_crc32c(0, bytes, size));
    ck_assert_uint_ne(put.outcome.version, 0);
    ck_assert_uint_eq(put.outcome.part, BP_PART_NONE);
    ck_assert_uint_eq(put.token_count, 1);
    ck_assert_uint_eq(put.progress_count, (size + PART - 1) / PART);
    ck_assert_uint_eq(put.progressed, size);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

START_TEST(memory_is_on_the_server_as_it_was_here) {
    bpt_world world;
    bp_transfer_stats stats;
    const size_t size = sizes[_i];
    uint8_t *bytes = bpt_bytes_new(8, size);
    bpt_job put = {0};
    bpt_world_start(&world, &small_parts);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .data = bytes, .size = size, .parts_in_flight = 3});
    bpt_job_end(&put, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/a"), bytes, size));
    ck_assert_uint_eq(put.outcome.crc, bpi_crc32c(0, bytes, size));
    bp_transfer_client_stats(world.transfers, &stats);
    ck_assert_uint_eq(stats.bytes_copied, size);
    ck_assert_uint_eq(stats.bytes_out, size);
    ck_assert_uint_eq(stats.parts_out, (size + PART - 1) / PART);
    ck_assert_uint_eq(stats.transfers_done, 1);
    ck_assert_uint_eq(stats.transfers_open, 0);
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

enum { MANY = 40 };

START_TEST(many_at_once_all_arrive) {
    bpt_world world;
    bpt_job puts[MANY] = {0};
    uint8_t *bytes = bpt_bytes_new(9, 20 * PART);
    char name[32];
    bpt_world_start(&world, &small_parts);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "o%d", i);
        bpt_job_put(&world, &puts[i],
                    (bp_put_config){.name = name, .data = bytes + i, .size = (uint64_t)(10 * PART + i)});
    }
    for (int i = 0; i < MANY; i++) {
        bpt_job_end(&puts[i], BP_OK);
        snprintf(name, sizeof name, "objects/o%d", i);
        ck_assert(bpt_file_is(bpt_world_path(&world, name), bytes + i, (size_t)(10 * PART + i)));
    }
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* What cannot be put is told, and the one beside it is put. */
START_TEST(errors_end_their_own_put_alone) {
    bpt_world world;
    bpt_job missing = {0}, named = {0}, directory = {0}, good = {0};
    uint8_t *bytes = bpt_bytes_new(10, 5 * PART);
    bpt_world_start(&world, &small_parts);
    bpt_job_put(&world, &missing, (bp_put_config){.name = "a", .path = bpt_world_path(&world, "nothing")});
    bpt_job_put(&world, &directory, (bp_put_config){.name = "c", .path = bpt_world_path(&world, "no/such/directory")});
    bpt_job_put(&world, &named, (bp_put_config){.name = "../b", .data = bytes, .size = PART});
    bpt_job_put(&world, &good, (bp_put_config){.name = "good", .data = bytes, .size = 5 * PART});
    bpt_job_end(&missing, BP_ERR_NOT_FOUND);
    bpt_job_end(&directory, BP_ERR_NOT_FOUND);
    bpt_job_end(&named, BP_ERR_NAME);
    bpt_job_end(&good, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "objects/good"), bytes, 5 * PART));
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

static void append_to_source(bpt_job *job, const char *event) {
    if (strcmp(event, "progress") != 0 || job->progress_count != 2) return;
    FILE *file = fopen(bpt_world_path(job->world, "source"), "ab");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputc('x', file), 'x');
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(source_that_changes_is_no_object) {
    bpt_world world;
    uint8_t *bytes = bpt_bytes_new(11, 50 * PART);
    bpt_job put = {.on_event = append_to_source};
    bpt_world_start(&world, &small_parts);
    bpt_file_write(bpt_world_path(&world, "source"), bytes, 50 * PART);
    bpt_job_put(&world, &put, (bp_put_config){.name = "a", .path = bpt_world_path(&world, "source")});
    bpt_job_end(&put, BP_ERR_CHANGED);
    ck_assert_uint_ne(put.outcome.part, BP_PART_NONE);
    ck_assert(!bpt_file_exists(bpt_world_path(&world, "objects/a")));
    bpt_world_fini(&world);
    free(bytes);
}
END_TEST

/* The client's part size is the largest; a put may have smaller ones. */
START_TEST(configurations_that_cannot_be_are_refused) {
    bpt_world world;
    bpt_job done = {0};
    bp_transfer *transfer;
    bp_transfer_client *client;
    uint8_t byte = 0;
    bp_put_config config = {.name = "a", .data = &byte, .size = 1};
    bpt_world_start(&world, &small_parts);
    bpt_err(bp_transfer_client_put(world.transfers, &config, &transfer), BP_ERR_ARGUMENT); /* no on_done */
    ck_assert_ptr_null(transfer);
    bpt_err(bp_transfer_client_new(&(bp_transfer_client_config){.part_size = PART - 1}, &client), BP_ERR_ARGUMENT);
    bpt_err(bp_transfer_client_new(&(bp_transfer_client_config){.parts_in_flight = 65}, &client), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(client);
    bpt_job_put(&world, &done, config);
    bpt_job_end(&done, BP_OK);
    bpt_world_fini(&world);
}
END_TEST

BPT_SUITE(integration_transfer_put) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(file_is_on_the_server_as_it_was_here, 0, SIZES * BPT_WORLD_WAYS);
    BPT_LOOP_TEST(memory_is_on_the_server_as_it_was_here, 0, SIZES);
    BPT_TEST(many_at_once_all_arrive);
    BPT_TEST(errors_end_their_own_put_alone);
    BPT_TEST(source_that_changes_is_no_object);
    BPT_TEST(configurations_that_cannot_be_are_refused);
}
