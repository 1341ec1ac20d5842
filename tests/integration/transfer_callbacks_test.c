#define _GNU_SOURCE
/* What callbacks may do: cancel, pause, begin others, free the client, at every one of them; on_done comes once, and
 * what is not cancelled arrives. */
#include "tests/support/transfer_world.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN, SIZE = 6 * PART - 50, EVENTS = 14, KINDS = 5 };

typedef enum deed { CANCEL, CANCEL_AND_KEEP, PAUSE, CANCEL_OTHER, BEGIN_ANOTHER, FREE_CLIENT, DEEDS } deed;

typedef struct scene {
    bpt_world world;
    bpt_job job, other, another;
    uint8_t *bytes;
    size_t at; /* written */
    deed deed;
    unsigned event, events;
} scene;

static void do_deed(scene *s) {
    switch (s->deed) {
    case CANCEL:
    case CANCEL_AND_KEEP: bp_transfer_cancel(s->job.transfer, s->deed == CANCEL_AND_KEEP); break;
    case PAUSE: bp_transfer_pause(s->job.transfer); break;
    case CANCEL_OTHER:
        if (s->other.transfer != NULL) bp_transfer_cancel(s->other.transfer, false);
        break;
    case BEGIN_ANOTHER:
        bpt_job_put(&s->world, &s->another, (bp_put_config){.name = "z", .data = s->bytes, .size = SIZE});
        break;
    case FREE_CLIENT:
        bp_client_free_take(&s->world.client);
        bp_transfer_client_free_take(&s->world.transfers);
        break;
    default: break;
    }
}

static void write_on(scene *s) {
    size_t taken;
    if (s->job.transfer == NULL) return;
    const bp_err err = bp_transfer_write(s->job.transfer, s->bytes + s->at, SIZE - s->at, true, &taken);
    bpt_must(err == BP_OK || err == BP_PENDING || err == BP_ERR_CLOSED || (err == BP_ERR_ARGUMENT && s->at == SIZE));
    s->at += taken;
}

static void on_event(bpt_job *job, const char *event) {
    scene *s = job->data;
    if (s->events++ == s->event) do_deed(s);
    if (strcmp(event, "writable") == 0) write_on(s);
}

static void begin(scene *s, int kind) {
    bpt_job *job = &s->job;
    job->on_event = on_event;
    job->data = s;
    switch (kind) {
    case 0:
        bpt_job_put(&s->world, job, (bp_put_config){.name = "x", .path = bpt_world_path(&s->world, "source")});
        break;
    case 1: bpt_job_get(&s->world, job, (bp_get_config){.name = "a"}); break;
    case 2: bpt_job_get(&s->world, job, (bp_get_config){.name = "a", .path = bpt_world_path(&s->world, "x")}); break;
    case 3:
        bpt_job_put(&s->world, job, (bp_put_config){.name = "x", .size = BP_SIZE_UNKNOWN});
        write_on(s);
        break;
    default: bpt_job_list(&s->world, job, NULL); break;
    }
}

/* A paused one is resumed once nothing happens any more. */
static void run(scene *s) {
    for (unsigned still = 0; s->job.done_count == 0;) {
        const unsigned before = s->events;
        uv_run(&s->world.loop, still < 50 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        still = s->events == before ? still + 1 : 0;
        if (still == 40 && s->job.transfer != NULL && s->deed == PAUSE) bp_transfer_resume(s->job.transfer);
    }
}

/* _i: what is transferred, and what is done about it; at each event. */
START_TEST(callbacks_may_do_anything) {
    scene *s = calloc(1, sizeof *s);
    const bpt_world_options with = {.client = {.part_size = PART}, .way = 1};
    bpt_must(s != NULL);
    s->bytes = bpt_bytes_new(71, SIZE);
    for (unsigned event = 0; event < EVENTS; event++) {
        memset(&s->job, 0, sizeof s->job);
        memset(&s->other, 0, sizeof s->other);
        memset(&s->another, 0, sizeof s->another);
        s->deed = (deed)(_i / KINDS);
        s->event = event;
        s->events = 0;
        s->at = 0;
        bpt_world_start(&s->world, &with);
        bpt_file_write(bpt_world_path(&s->world, "objects/a"), s->bytes, SIZE);
        bpt_file_write(bpt_world_path(&s->world, "source"), s->bytes, SIZE);
        bpt_job_get(&s->world, &s->other, (bp_get_config){.name = "a"});
        begin(s, _i % KINDS);
        run(s);
        const bool was_done = s->events > event;
        const bool is_cancelled = was_done && (s->deed == CANCEL || s->deed == CANCEL_AND_KEEP);
        bp_err expected = is_cancelled ? BP_ERR_CANCELLED : BP_OK;
        if (was_done && s->deed == FREE_CLIENT) expected = BP_ERR_CLOSED;
        ck_assert_str_eq(bp_err_name(s->job.err), bp_err_name(expected));
        if (_i % KINDS == 1) ck_assert(s->job.got_size == 0 || memcmp(s->job.got, s->bytes, s->job.got_size) == 0);
        if (s->job.err == BP_OK && _i % KINDS == 1) ck_assert_uint_eq(s->job.got_size, SIZE);
        if (s->job.err == BP_OK && _i % KINDS == 2)
            ck_assert(bpt_file_is(bpt_world_path(&s->world, "x"), s->bytes, SIZE));
        const char *put = bpt_world_path(&s->world, "objects/x");
        if (_i % KINDS == 0 || _i % KINDS == 3) {
            ck_assert_int_eq(bpt_file_exists(put), s->job.err == BP_OK);
            ck_assert(s->job.err != BP_OK || bpt_file_is(put, s->bytes, SIZE));
        }
        if (s->another.world != NULL && s->deed == BEGIN_ANOTHER) bpt_job_end(&s->another, BP_OK);
        bpt_world_until(&s->world, s->other.done_count != 0);
        bpt_job_free(&s->job);
        bpt_job_free(&s->other);
        bpt_world_fini(&s->world);
        ck_assert_uint_eq(s->job.done_count, 1);
        ck_assert_uint_eq(s->other.done_count, 1);
    }
    free(s->bytes);
    free(s);
}
END_TEST

/* on_done of one begins the next, in the same client, a few times over. */
enum { CHAIN = 20 };
typedef struct chain {
    bpt_world world;
    bpt_job jobs[CHAIN];
    unsigned done;
} chain;

static void next(bpt_job *job) {
    chain *c = job->data;
    if (++c->done == CHAIN) return;
    c->jobs[c->done].data = c;
    c->jobs[c->done].on_done = next;
    bpt_job_list(&c->world, &c->jobs[c->done], NULL);
}

START_TEST(one_begins_the_next) {
    chain *c = calloc(1, sizeof *c);
    const bpt_world_options with = {.client = {.part_size = PART}};
    bpt_must(c != NULL);
    bpt_world_start(&c->world, &with);
    c->jobs[0].data = c;
    c->jobs[0].on_done = next;
    bpt_job_list(&c->world, &c->jobs[0], NULL);
    bpt_world_until(&c->world, c->done == CHAIN);
    bpt_world_fini(&c->world);
    free(c);
}
END_TEST

/* Ended at any moment, with a loop that goes on: on_done comes inside, and nothing is left behind. */
START_TEST(client_is_freed_after_any_turn) {
    const bpt_world_options with = {.client = {.part_size = PART}};
    uint8_t *bytes = bpt_bytes_new(72, SIZE);
    for (int turns = 0; turns < 25; turns++) {
        bpt_world world;
        bpt_job put = {0}, get = {0}, file = {0};
        bpt_world_start(&world, &with);
        bpt_file_write(bpt_world_path(&world, "objects/a"), bytes, SIZE);
        bpt_job_put(&world, &put, (bp_put_config){.name = "b", .path = bpt_world_path(&world, "objects/a")});
        bpt_job_get(&world, &get, (bp_get_config){.name = "a"});
        bpt_job_get(&world, &file, (bp_get_config){.name = "a", .path = bpt_world_path(&world, "c")});
        for (int i = 0; i < turns; i++) uv_run(&world.loop, UV_RUN_NOWAIT);
        bp_client_free_take(&world.client);
        bp_transfer_client_free_take(&world.transfers);
        ck_assert_uint_eq(put.done_count, 1);
        ck_assert_uint_eq(get.done_count, 1);
        ck_assert_uint_eq(file.done_count, 1);
        bpt_job_free(&get);
        bpt_world_fini(&world);
    }
    free(bytes);
}
END_TEST

BPT_SUITE(integration_transfer_callbacks) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(callbacks_may_do_anything, 0, DEEDS * KINDS);
    BPT_TEST(one_begins_the_next);
    BPT_TEST(client_is_freed_after_any_turn);
}
