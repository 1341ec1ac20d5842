#define _GNU_SOURCE
#include "tests/support/transfer_lives.h"

#include "tests/support/descriptors.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Inside of a process that is killed nothing may be half said to the test's runner. */
#define insist(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) _exit(1 + __LINE__ % 255);                                                                   \
    } while (0)

static const bp_class classes[] = {{.size = 64, .idle_bytes = 4096}, {.size = 1024, .idle_bytes = 4096}};

static void configure(bp_conn_config *conn) {
    conn->buffer_pool_enabled = true;
    conn->pool_config = (bp_pool_config){.name = "lives", .classes = classes, .class_count = 2};
    conn->handshake_ms = conn->frame_ms = conn->stall_ms = UINT32_MAX; /* a parent may be slow */
}

static void let_go_take(bp_pool **pool) {
    insist(bpt_pool_in_use(*pool) == 0);
    bp_pool_release_take(pool);
}

/* ---- the server ---- */

static void serve(const char *directory, const char *address, int news, bool is_served) {
    bp_transfer_server_config config = {.parts_in_flight = BP_PARTS_IN_FLIGHT_MAX};
    bp_transfer_server *objects = NULL;
    bp_server *server = NULL;
    char real[BPT_RELAY_ADDRESS] = {0};
    insist(bp_dir_store_new(directory, &(bp_dir_store_options){.is_fast = true}, &config.store) == BP_OK);
    insist(bp_transfer_server_new(&config, &objects) == BP_OK);
    bp_server_config with = bp_server_config_default(bp_transfer_server_service(objects));
    configure(&with.conn);
    with.handle_signals = true;
    insist(bp_server_new(&with, address, &server) == BP_OK);
    insist(bp_server_address(server, real, sizeof real) == BP_OK);
    bp_pool *pool = bp_pool_retain(bp_server_pool(server));
    if (is_served) {
        insist(write(news, real, sizeof real) == sizeof real);
        insist(bp_server_run(server) == BP_OK);
    }
    bp_server_free_take(&server);
    bp_transfer_server_free_take(&objects);
    bp_store_release_take(&config.store);
    let_go_take(&pool);
}

/* What a process has open from its first loop on is there before anything is counted. */
static _Noreturn void run_server(const char *directory, const char *address, int news) {
    serve(directory, address, news, false);
    const int descriptors = bpt_descriptor_count();
    serve(directory, address, news, true);
    insist(bpt_descriptor_count() == descriptors);
    _exit(0);
}

/* ---- the client ---- */

typedef struct caller {
    const bpt_errand *errand;
    bp_client *client;
    bp_transfer *transfer;
    uint64_t written;
    int news;
} caller;

static void tell(const caller *c, bpt_report report) {
    insist(write(c->news, &report, sizeof report) == (ssize_t)sizeof report);
}

static void on_token(bp_transfer *transfer, const bp_token *token, void *user) {
    (void)transfer;
    tell(user, (bpt_report){.news = BPT_HAS_TOKEN, .token = *token});
}

static void on_found(bp_transfer *transfer, const bp_object_info *object, void *user) {
    (void)transfer;
    tell(user, (bpt_report){.news = BPT_HAS_FOUND, .version = object->version});
}

static void on_progress(bp_transfer *transfer, const bp_progress *progress, void *user) {
    (void)transfer;
    tell(user, (bpt_report){.news = BPT_HAS_MOVED, .done = progress->done});
}

static void on_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    caller *c = user;
    (void)transfer;
    tell(c, (bpt_report){.news = BPT_IS_DONE, .err = outcome->err, .version = outcome->version});
    c->transfer = NULL;
    if (c->client != NULL) bp_client_stop(c->client);
}

static void on_writable(bp_transfer *transfer, void *user) {
    caller *c = user;
    size_t taken;
    const bp_err err =
        bp_transfer_write(transfer, c->errand->bytes + c->written, c->errand->size - c->written, true, &taken);
    insist(err == BP_OK || err == BP_PENDING);
    c->written += taken;
}

static void begin_put(caller *c, bp_transfer_client *transfers) {
    const bpt_errand *e = c->errand;
    const bp_put_config put = {.name = e->name,
                               .path = e->source == BPT_FROM_FILE ? e->path : NULL,
                               .data = e->source == BPT_FROM_MEMORY ? e->bytes : NULL,
                               .size = e->size,
                               .token = e->token,
                               .on_done = on_done,
                               .on_progress = on_progress,
                               .on_token = on_token,
                               .on_writable = on_writable,
                               .user = c};
    insist(bp_transfer_client_put(transfers, &put, &c->transfer) == BP_OK);
    if (e->source == BPT_WRITTEN) on_writable(c->transfer, c);
}

static void begin_get(caller *c, bp_transfer_client *transfers) {
    const bp_get_config get = {.name = c->errand->name,
                               .path = c->errand->path,
                               .token = c->errand->token,
                               .version = c->errand->version,
                               .on_done = on_done,
                               .on_progress = on_progress,
                               .on_token = on_token,
                               .on_found = on_found,
                               .user = c};
    insist(bp_transfer_client_get(transfers, &get, &c->transfer) == BP_OK);
}

/* A client that does not come back ends with why its connection did. */
static void go(caller *c) {
    const bpt_errand *e = c->errand;
    const bp_transfer_client_config how = {.part_size = e->part_size, .parts_in_flight = e->parts_in_flight};
    bp_transfer_client *transfers = NULL;
    insist(bp_transfer_client_new(&how, &transfers) == BP_OK);
    bp_client_config config = bp_client_config_default(bp_transfer_client_service(transfers));
    configure(&config.conn);
    config.reconnect_min_ms = config.reconnect_max_ms = e->comes_back ? 1 : 0;
    insist(bp_client_new(&config, e->address, &c->client) == BP_OK);
    bp_pool *pool = bp_pool_retain(bp_client_pool(c->client));
    if (e->is_get)
        begin_get(c, transfers);
    else
        begin_put(c, transfers);
    (void)!bp_client_run(c->client);
    bp_client_free_take(&c->client);
    insist(c->transfer == NULL);
    bp_transfer_client_free_take(&transfers);
    let_go_take(&pool);
}

static _Noreturn void run_client(const bpt_errand *errand, int news) {
    caller c = {.errand = errand, .news = news};
    go(&c);
    _exit(0);
}

/* ---- for who forks them ---- */

/* In the child: 0, and *news is where it writes. */
static pid_t begin(bpt_life *life, const bpt_relay *relay, int *news) {
    int ends[2];
    bpt_must(pipe(ends) == 0);
    const pid_t process = fork();
    bpt_must(process >= 0);
    *news = ends[1];
    if (process == 0) {
        close(ends[0]);
        bpt_relay_forget(relay);
        return 0;
    }
    close(ends[1]);
    *life = (bpt_life){.process = process, .news = ends[0]};
    return process;
}

void bpt_life_of_server(bpt_life *life, const bpt_relay *relay, const char *directory, const char *address) {
    int news;
    if (begin(life, relay, &news) == 0) run_server(directory, address, news);
}

void bpt_life_of_client(bpt_life *life, const bpt_relay *relay, const bpt_errand *errand) {
    int news;
    if (begin(life, relay, &news) == 0) run_client(errand, news);
    bpt_must(fcntl(life->news, F_SETFL, O_NONBLOCK) == 0);
}

void bpt_life_address(const bpt_life *life, char address[BPT_RELAY_ADDRESS]) {
    ck_assert_int_eq(read(life->news, address, BPT_RELAY_ADDRESS), BPT_RELAY_ADDRESS);
}

bool bpt_life_report(const bpt_life *life, bpt_report *report, bool *has_ended) {
    const ssize_t n = read(life->news, report, sizeof *report);
    *has_ended = n == 0;
    bpt_must(n <= 0 || n == (ssize_t)sizeof *report); /* a pipe takes so few bytes all or not at all */
    return n > 0;
}

static int status_of(const bpt_life *life) {
    int status;
    ck_assert_int_eq(waitpid(life->process, &status, 0), life->process);
    return status;
}

void bpt_life_end(bpt_life *life) {
    ck_assert_int_eq(status_of(life), 0);
    bpt_life_close(life);
}

void bpt_life_kill(bpt_life *life) {
    ck_assert_int_eq(kill(life->process, SIGKILL), 0);
    const int status = status_of(life);
    ck_assert(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

void bpt_life_close(bpt_life *life) {
    close(life->news);
    *life = (bpt_life){0};
}
