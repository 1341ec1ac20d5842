/* The agent: a client that samples the machine it runs on and replays a market burst as fast as the collector takes
 * it. It ends when the burst's time is over and every order book was acknowledged. */
#define _POSIX_C_SOURCE 200809L
#include "burst.h"
#include "machine.h"
#include "tests/support/alloc_count.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { SAMPLE_PERIOD_MS = 500, SNAPSHOT_MAX = 48 * 1024, QUEUE_BYTES = 512 * 1024 };

typedef struct agent {
    demo_side *side;
    bp_client *client;
    bp_conn *conn; /* NULL unless connected */
    uv_timer_t sampler;
    demo_burst burst;
    demo_processes processes;
    market_host_sample host; /* to be sent once the walk over the processes is over */
    market_process_sample process;
    bool has_process, has_host; /* those two wait to be sent */
    bool is_walking;            /* a sampling is under way */
    uint32_t process_count;
    uint64_t start_ns, end_ns, start_allocations;
    uint8_t file[SNAPSHOT_MAX];
} agent;

static bool all_acked(const agent *a) { return a->side->acks == a->side->messages[DEMO_ORDER_BOOK]; }

/* A message went out, or did not for a reason that is final. */
static bp_err count(agent *a, int kind, bp_err err) {
    if (err == BP_OK) a->side->messages[kind]++;
    return err;
}

/* Finds the next sample to be sent, if a sampling is under way. */
static void next_sample(agent *a) {
    if (!a->is_walking || a->has_process || a->has_host) return;
    if (demo_processes_next(&a->processes, &a->process)) {
        a->has_process = true;
        a->process_count++;
    } else {
        demo_read_host(&a->host);
        a->host.process_count = a->process_count;
        a->has_host = true;
        a->is_walking = false;
    }
}

static bp_err send_sample(agent *a) {
    if (a->has_process) {
        const bp_err err = count(a, DEMO_PROCESS_SAMPLE, market_send_process_sample(a->conn, &a->process));
        if (err == BP_OK) a->has_process = false;
        return err;
    }
    const bp_err err = count(a, DEMO_HOST_SAMPLE, market_send_host_sample(a->conn, &a->host));
    if (err == BP_OK) a->has_host = false;
    return err;
}

static bp_err send_one(agent *a) {
    next_sample(a);
    if (a->has_process || a->has_host) return send_sample(a);
    const int kind = a->burst.kind; /* sending moves the burst on */
    return count(a, kind, demo_burst_send(&a->burst, a->conn));
}

static void finish_if_done(agent *a) {
    if (a->conn == NULL || uv_hrtime() < a->end_ns || !all_acked(a)) return;
    bp_conn_finish(a->conn);
    a->conn = NULL;
}

/* Sends until the queue is full (on_drain goes on from there) or the time is over. */
static void pump(agent *a) {
    while (a->conn != NULL && uv_hrtime() < a->end_ns) {
        bp_err err = BP_OK;
        for (int i = 0; i < 64 && err == BP_OK; i++) err = send_one(a);
        if (err == BP_ERR_QUEUE_FULL) return;
        if (err != BP_OK) {
            bp_conn_close(a->conn, err);
            return;
        }
    }
    finish_if_done(a);
}

static void on_sample_timer(uv_timer_t *timer) {
    agent *a = timer->data;
    if (!a->is_walking && !a->has_host && uv_hrtime() < a->end_ns) {
        demo_processes_rewind(&a->processes);
        a->process_count = 0;
        a->is_walking = true;
    }
    finish_if_done(a);
}

static void on_open(bp_conn *conn, void *user) {
    agent *a = user;
    const uint64_t length = a->end_ns;
    a->conn = conn;
    a->start_ns = uv_hrtime();
    a->end_ns = a->start_ns + length;
    a->start_allocations = bpt_alloc_count();
    on_sample_timer(&a->sampler);
    pump(a);
}

static void on_drain(bp_conn *conn, void *user) {
    (void)conn;
    pump(user);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    agent *a = user;
    bp_conn_stats stats;
    bp_conn_stats_read(conn, &stats);
    a->side->bytes = stats.bytes_out;
    a->side->allocations = bpt_alloc_count() - a->start_allocations;
    a->side->nanoseconds = uv_hrtime() - a->start_ns;
    a->side->ended = why;
    a->conn = NULL;
    uv_timer_stop(&a->sampler);
}

static bp_err on_book_ack(bp_conn *conn, const market_book_ack_view *ack, void *user) {
    agent *a = user;
    (void)conn, (void)ack;
    a->side->acks++;
    finish_if_done(a);
    return BP_OK;
}

static bp_err run_loop(agent *a, const char *address) {
    const market_handlers on = {.book_ack = on_book_ack};
    bp_client_config config = market_client_config(&on, a);
    config.conn.on_open = on_open;
    config.conn.on_drain = on_drain;
    config.conn.on_close = on_close;
    config.conn.send_queue_bytes = QUEUE_BYTES;
    bp_err err = bp_client_new(&config, address, &a->client);
    if (err != BP_OK) return err;
    demo_side_open(a->side, bp_client_pool(a->client));
    uv_timer_init(bp_client_loop(a->client), &a->sampler);
    a->sampler.data = a;
    uv_timer_start(&a->sampler, on_sample_timer, SAMPLE_PERIOD_MS, SAMPLE_PERIOD_MS);
    err = bp_client_run(a->client);
    demo_side_close(a->side, bp_client_pool(a->client));
    uv_close((uv_handle_t *)&a->sampler, NULL);
    bp_client_free_take(&a->client);
    return err;
}

bp_err demo_agent_run(const char *address, uint64_t milliseconds, demo_side *out) {
    agent *a = calloc(1, sizeof *a);
    if (a == NULL) return BP_ERR_NO_MEMORY;
    memset(out, 0, sizeof *out);
    a->side = out;
    a->end_ns = milliseconds * 1000000; /* a length until on_open makes it a moment */
    bp_err err = BP_ERR_SYSTEM;
    if (demo_processes_init(&a->processes)) {
        const size_t file_length = demo_read_file("/proc/interrupts", a->file, sizeof a->file);
        demo_burst_init(&a->burst, a->file, (uint32_t)file_length);
        err = run_loop(a, address);
    }
    demo_processes_fini(&a->processes);
    free(a);
    return err;
}
