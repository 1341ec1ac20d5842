#define _GNU_SOURCE
/* What gets and puts of files leave beside them: the file and nothing else, but for what can be gone on with. */
#include "tests/support/transfer_world.h"
#include "transfer/client_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PART = BP_PART_SIZE_MIN, SIZE = 70 * PART };

static const bpt_world_options small_parts = {.client = {.part_size = PART}};

/* The client's files have a directory of their own. */
static uint8_t *start(bpt_world *world) {
    uint8_t *bytes = bpt_bytes_new(21, SIZE);
    bpt_world_start(world, &small_parts);
    bpt_file_write(bpt_world_path(world, "objects/a"), bytes, SIZE);
    ck_assert_int_eq(mkdir(bpt_world_path(world, "mine"), 0700), 0);
    return bytes;
}

static void end(bpt_world *world, uint8_t *bytes) {
    bpt_world_fini(world);
    free(bytes);
}

/* How many entries a directory of the world has; 0: there is no such, either. */
static int count_in(const bpt_world *world, const char *name) {
    int count = 0;
    DIR *names = opendir(bpt_world_path(world, name));
    if (names == NULL) return 0;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(names);
    return count;
}

static bool is_token(const bp_token *token) {
    static const bp_token none;
    return memcmp(token, &none, sizeof none) != 0;
}

START_TEST(a_get_leaves_its_file) {
    bpt_world world;
    bpt_job gets[5] = {0};
    uint8_t *bytes = start(&world);
    for (int i = 0; i < 5; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "mine/%d", i);
        bpt_job_get(&world, &gets[i], (bp_get_config){.name = "a", .path = bpt_world_path(&world, path)});
    }
    for (int i = 0; i < 5; i++) bpt_job_end(&gets[i], BP_OK);
    ck_assert_int_eq(count_in(&world, "mine"), 5);
    ck_assert(bpt_file_is(bpt_world_path(&world, "mine/4"), bytes, SIZE));
    end(&world, bytes);
}
END_TEST

START_TEST(a_put_makes_nothing_beside_its_file) {
    bpt_world world;
    bpt_job put = {0};
    uint8_t *bytes = start(&world);
    bpt_file_write(bpt_world_path(&world, "mine/source"), bytes, SIZE);
    bpt_job_put(&world, &put, (bp_put_config){.name = "b", .path = bpt_world_path(&world, "mine/source")});
    while (put.done_count == 0) {
        ck_assert_int_eq(count_in(&world, "mine"), 1);
        (void)uv_run(&world.loop, UV_RUN_ONCE);
    }
    bpt_job_end(&put, BP_OK);
    end(&world, bytes);
}
END_TEST

/* ---- what ends before its end ---- */

static void cancel_at(bpt_job *job, const char *event) {
    const bool *is_kept = job->data;
    if (strcmp(event, "progress") == 0 && job->progress_count == 10) bp_transfer_cancel(job->transfer, *is_kept);
}

START_TEST(a_get_that_is_cancelled_leaves_what_is_kept) {
    bpt_world world;
    bool is_kept = _i != 0;
    bpt_job get = {.on_event = cancel_at, .data = &is_kept}, again = {0};
    uint8_t *bytes = start(&world);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "mine/f")});
    bpt_job_end(&get, BP_ERR_CANCELLED);
    ck_assert(is_token(&get.outcome.token) == is_kept);
    ck_assert_int_eq(count_in(&world, "mine"), is_kept ? 1 : 0);
    ck_assert_int_eq(count_in(&world, "mine/.bufpool"), is_kept ? 3 : 0);
    if (is_kept) {
        bpt_job_get(&world, &again,
                    (bp_get_config){.name = "a",
                                    .path = bpt_world_path(&world, "mine/f"),
                                    .token = get.outcome.token,
                                    .version = get.outcome.version});
        bpt_job_end(&again, BP_OK);
        ck_assert_uint_lt(again.progress_count, SIZE / PART - 9);
        ck_assert(bpt_file_is(bpt_world_path(&world, "mine/f"), bytes, SIZE));
        ck_assert_int_eq(count_in(&world, "mine"), 1);
    }
    end(&world, bytes);
}
END_TEST

static void change_object(bpt_job *job, const char *event) {
    if (strcmp(event, "progress") != 0 || job->progress_count != 10) return;
    uint8_t *other = bpt_bytes_new(99, SIZE);
    if (*(bool *)job->data) ck_assert_int_eq(remove(bpt_world_path(job->world, "objects/a")), 0);
    else bpt_file_write(bpt_world_path(job->world, "objects/a"), other, SIZE);
    free(other);
}

/* _i: the object is gone, which a read of it calls another one. */
START_TEST(a_get_that_nobody_can_go_on_with_leaves_nothing) {
    bpt_world world;
    bool is_gone = _i != 0;
    bpt_job get = {.on_event = change_object, .data = &is_gone};
    uint8_t *bytes = start(&world);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "mine/f")});
    bpt_job_end(&get, BP_ERR_CHANGED);
    ck_assert(!is_token(&get.outcome.token));
    ck_assert_uint_eq(get.token_count, 1);
    ck_assert_int_eq(count_in(&world, "mine"), 0);
    end(&world, bytes);
}
END_TEST

/* What it says is not told by the file's store: the token's parts are another object's, and stay. */
START_TEST(a_token_of_something_else_costs_nothing) {
    bpt_world world;
    bool is_kept = true;
    bpt_job get = {.on_event = cancel_at, .data = &is_kept}, wrong = {0}, right = {0};
    uint8_t *bytes = start(&world);
    bpt_file_write(bpt_world_path(&world, "objects/b"), bytes, PART);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "mine/f")});
    bpt_job_end(&get, BP_ERR_CANCELLED);
    bp_get_config config = {.name = "a",
                            .path = bpt_world_path(&world, "mine/f"),
                            .token = get.outcome.token,
                            .version = get.outcome.version};
    if (_i == 0) config.name = "none";
    if (_i == 1) config.name = "b";
    if (_i == 2) config.version++;
    if (_i == 3) config.offset = 1;
    if (_i == 4) config.path = bpt_world_path(&world, "mine/g");
    bpt_job_get(&world, &wrong, config);
    bpt_job_end(&wrong, _i == 0 ? BP_ERR_NOT_FOUND : BP_ERR_CHANGED);
    ck_assert_int_eq(count_in(&world, "mine/.bufpool"), 3);
    config = (bp_get_config){.name = "a",
                             .path = bpt_world_path(&world, "mine/f"),
                             .token = get.outcome.token,
                             .version = get.outcome.version};
    bpt_job_get(&world, &right, config);
    bpt_job_end(&right, BP_OK);
    ck_assert(bpt_file_is(bpt_world_path(&world, "mine/f"), bytes, SIZE));
    end(&world, bytes);
}
END_TEST

/* ---- without a connection ---- */

static void note_ten_parts(bpt_job *job, const char *event) {
    if (strcmp(event, "progress") == 0 && job->progress_count == 10) *(bool *)job->data = true;
}

/* _i: its file is closed already, and nothing under way. */
START_TEST(a_get_without_a_connection_is_thrown_away_as_well) {
    bpt_world world;
    bpt_world_options with = small_parts;
    bool is_due = false;
    bpt_job get = {.on_event = note_ten_parts, .data = &is_due};
    with.reconnect_ms = 60000;
    uint8_t *bytes = bpt_bytes_new(21, SIZE);
    bpt_world_start(&world, &with);
    bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, SIZE);
    ck_assert_int_eq(mkdir(bpt_world_path(&world, "mine"), 0700), 0);
    bpt_job_get(&world, &get, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "mine/f")});
    bpt_world_until(&world, is_due);
    bpt_world_stop_serving(&world);
    bpt_world_until(&world, world.closes != 0);
    if (_i != 0) bpt_world_until(&world, get.transfer->phase == BPI_PHASE_WAITING);
    ck_assert_int_eq(count_in(&world, "mine/.bufpool"), 3);
    bp_transfer_cancel(get.transfer, false);
    bpt_job_end(&get, BP_ERR_CANCELLED);
    ck_assert(!is_token(&get.outcome.token));
    ck_assert_int_eq(count_in(&world, "mine"), 0);
    end(&world, bytes);
}
END_TEST

BPT_SUITE(integration_transfer_tidy) {
    BPT_TIMEOUT(60);
    BPT_TEST(a_get_leaves_its_file);
    BPT_TEST(a_put_makes_nothing_beside_its_file);
    BPT_LOOP_TEST(a_get_that_is_cancelled_leaves_what_is_kept, 0, 2);
    BPT_LOOP_TEST(a_get_that_nobody_can_go_on_with_leaves_nothing, 0, 2);
    BPT_LOOP_TEST(a_token_of_something_else_costs_nothing, 0, 5);
    BPT_LOOP_TEST(a_get_without_a_connection_is_thrown_away_as_well, 0, 2);
}
