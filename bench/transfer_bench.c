/* Transfer rows: an object put into a store, and got from it, over TCP and Unix sockets, beside the limit: a plain copy
 * through such a socket that reads a part, sums it, writes it to the socket, and at the other end reads, sums and writes
 * it to a file of the same file system, which is then renamed. Figures are MiB/s of the object. Both ends are threads of
 * this process; what the file system does is in all rows. */
#define _GNU_SOURCE
#include "base/crc32c.h"
#include "bench.h"
#include "bufpool/transfer.h"
#include "raw_socket.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLAIN, PUT, GET };
enum { MEMORY = 64 << 20, IN_FLIGHT_DEFAULT = 4, PLAIN_PART = 1 << 20 };

typedef struct run {
    char directory[64], source[96], target[96], store[96], address[128];
    uint64_t size;
    uint32_t part_size, in_flight, crc;
    int variant;
    bp_server *server;
    bp_client *client;
    uint64_t start_ns, end_ns;
    int fd;
} run;

/* ---- files ---- */

/* In memory where that can be had: disks would be measured otherwise. */
static const char *place(void) { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

static void write_whole(int fd, const uint8_t *data, size_t length) {
    while (length != 0) {
        const ssize_t n = write(fd, data, length);
        if (n <= 0) bench_fail("a write failed");
        data += n, length -= (size_t)n;
    }
}

static size_t read_whole(int fd, uint8_t *data, size_t length) {
    size_t got = 0;
    while (got < length) {
        const ssize_t n = read(fd, data + got, length - got);
        if (n < 0) bench_fail("a read failed");
        if (n == 0) break;
        got += (size_t)n;
    }
    return got;
}

static void make_source(run *r, uint8_t *part) {
    uint64_t x = 88172645463325252u;
    const int fd = open(r->source, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) bench_fail("no file to transfer");
    for (uint64_t at = 0; at < r->size; at += PLAIN_PART) {
        for (size_t i = 0; i < PLAIN_PART; i += 8) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            memcpy(part + i, &x, 8);
        }
        r->crc = bpi_crc32c(r->crc, part, PLAIN_PART);
        write_whole(fd, part, PLAIN_PART);
    }
    close(fd);
}

static void make_place(run *r) {
    uint8_t *part = malloc(PLAIN_PART);
    if (part == NULL) bench_fail("no memory");
    snprintf(r->directory, sizeof r->directory, "%s/bufpool-bench-XXXXXX", place());
    if (mkdtemp(r->directory) == NULL) bench_fail("no directory");
    snprintf(r->source, sizeof r->source, "%s/source", r->directory);
    snprintf(r->target, sizeof r->target, "%s/target", r->directory);
    snprintf(r->store, sizeof r->store, "%s/store", r->directory);
    if (mkdir(r->store, 0700) != 0) bench_fail("no store");
    make_source(r, part);
    free(part);
}

static void remove_place(const run *r) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", r->directory);
    if (system(command) != 0) bench_fail("a directory stays");
}

/* ---- the limit ---- */

static void *send_plain(void *user) {
    run *r = user;
    uint32_t crc = 0;
    uint8_t *part = malloc(PLAIN_PART);
    const int fd = open(r->source, O_RDONLY | O_CLOEXEC);
    if (part == NULL || fd < 0) bench_fail("nothing to send");
    for (size_t n; (n = read_whole(fd, part, PLAIN_PART)) != 0;) {
        crc = bpi_crc32c(crc, part, n);
        write_whole(r->fd, part, n);
    }
    if (crc != r->crc) bench_fail("bytes were lost");
    close(fd);
    close(r->fd);
    free(part);
    return NULL;
}

static void receive_plain(const run *r, int from) {
    char unfinished[128];
    uint32_t crc = 0;
    uint8_t *part = malloc(PLAIN_PART);
    snprintf(unfinished, sizeof unfinished, "%s.part", r->target);
    const int fd = open(unfinished, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (part == NULL || fd < 0) bench_fail("nowhere to receive");
    for (size_t n; (n = read_whole(from, part, PLAIN_PART)) != 0;) {
        crc = bpi_crc32c(crc, part, n);
        write_whole(fd, part, n);
    }
    if (crc != r->crc || rename(unfinished, r->target) != 0) bench_fail("bytes were lost");
    close(fd);
    close(from);
    free(part);
}

static void run_plain(run *r, bool is_tcp) {
    pthread_t thread;
    int fds[2];
    bench_socket_pair(is_tcp, fds);
    r->fd = fds[0];
    r->start_ns = bench_now_ns();
    if (pthread_create(&thread, NULL, send_plain, r) != 0) bench_fail("no thread");
    receive_plain(r, fds[1]);
    pthread_join(thread, NULL);
    r->end_ns = bench_now_ns();
}

/* ---- bufpool ---- */

static void on_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    run *r = user;
    (void)transfer;
    if (outcome->err != BP_OK) bench_fail(outcome->text);
    if (outcome->crc != r->crc) bench_fail("bytes were lost");
    r->end_ns = bench_now_ns();
    bp_client_stop(r->client);
}

static bp_err begin(run *r, bp_transfer_client *transfers) {
    bp_transfer *transfer = NULL;
    const bp_put_config put = {.name = "object", .path = r->source, .on_done = on_done, .user = r};
    const bp_get_config get = {.name = "source", .path = r->target, .on_done = on_done, .user = r};
    r->start_ns = bench_now_ns();
    return r->variant == PUT ? bp_transfer_client_put(transfers, &put, &transfer)
                             : bp_transfer_client_get(transfers, &get, &transfer);
}

static void *run_client(void *user) {
    run *r = user;
    bp_transfer_client *transfers = NULL;
    const bp_transfer_client_config how = {.part_size = r->part_size, .parts_in_flight = r->in_flight};
    if (bp_transfer_client_new(&how, &transfers) != BP_OK) bench_fail("no transfer client");
    bp_client_config config = bp_client_config_default(bp_transfer_client_service(transfers));
    config.conn.pool_config.memory_limit = MEMORY;
    bp_err err = bp_client_new(&config, r->address, &r->client);
    if (err == BP_OK) err = begin(r, transfers);
    if (err == BP_OK) err = bp_client_run(r->client);
    if (err != BP_OK) bench_fail(bp_err_text(err));
    bp_client_free_take(&r->client);
    bp_transfer_client_free_take(&transfers);
    bp_server_stop(r->server);
    return NULL;
}

static void run_bufpool(run *r, bool is_tcp) {
    char address[128];
    pthread_t thread;
    bp_store *store = NULL;
    bp_transfer_server *objects = NULL;
    const bp_dir_store_options fast = {.is_fast = true}; /* as the limit does */
    bp_err err = bp_dir_store_new(r->variant == PUT ? r->store : r->directory, &fast, &store);
    const bp_transfer_server_config how = {
        .store = store, .part_size_max = r->part_size, .parts_in_flight = r->in_flight};
    if (err == BP_OK) err = bp_transfer_server_new(&how, &objects);
    if (err != BP_OK) bench_fail("no store");
    snprintf(address, sizeof address, is_tcp ? "tcp://127.0.0.1:0" : "unix://%s/socket", r->directory);
    bp_server_config config = bp_server_config_default(bp_transfer_server_service(objects));
    config.conn.pool_config.memory_limit = MEMORY;
    if (bp_server_new(&config, address, &r->server) != BP_OK) bench_fail("no server");
    if (bp_server_address(r->server, r->address, sizeof r->address) != BP_OK) bench_fail("no address");
    if (pthread_create(&thread, NULL, run_client, r) != 0) bench_fail("no thread");
    if (bp_server_run(r->server) != BP_OK) bench_fail("the server broke");
    pthread_join(thread, NULL);
    bp_server_free_take(&r->server);
    bp_transfer_server_free_take(&objects);
    bp_store_release_take(&store);
}

/* ---- rows: size is the part's; above the kind, variant has the parts in flight ---- */

static double run_row(const bench_row *row, bool is_tcp) {
    run r = {.size = bench_is_quick ? 128u << 20 : 512u << 20, .part_size = row->size, .variant = row->variant & 3};
    r.in_flight = (uint32_t)row->variant >> 2;
    bench_unpin();
    make_place(&r);
    if (r.variant == PLAIN)
        run_plain(&r, is_tcp);
    else
        run_bufpool(&r, is_tcp);
    remove_place(&r);
    return (double)r.size / (1 << 20) / ((double)(r.end_ns - r.start_ns) / 1e9);
}

static double tcp(const bench_row *row) { return run_row(row, true); }
static double local(const bench_row *row) { return run_row(row, false); }

#define IN_FLIGHT(kind, count) ((kind) | (count) << 2)
#define PLAIN_ROW(group, run) {group, "plain copy", "MiB/s", NULL, run, 0, PLAIN, false}
#define ROW(group, run, name, kind, size, count)                                                                       \
    { group, name, "MiB/s", "plain copy", run, size, IN_FLIGHT(kind, count), false }
#define ROWS(group, run)                                                                                               \
    PLAIN_ROW(group, run), ROW(group, run, "put, 1 MiB x 4", PUT, 1 << 20, 4),                                         \
        ROW(group, run, "get, 1 MiB x 4", GET, 1 << 20, 4)
/* What a part's size and how many are in flight change. */
#define CURVE(group, run, kind, word)                                                                                  \
    PLAIN_ROW(group, run), ROW(group, run, word ", 64 KiB x 4", kind, 64 << 10, 4),                                    \
        ROW(group, run, word ", 256 KiB x 4", kind, 256 << 10, 4), ROW(group, run, word ", 4 MiB x 4", kind, 4 << 20, 4), \
        ROW(group, run, word ", 1 MiB x 1", kind, 1 << 20, 1), ROW(group, run, word ", 1 MiB x 2", kind, 1 << 20, 2),  \
        ROW(group, run, word ", 1 MiB x 8", kind, 1 << 20, 8), ROW(group, run, word ", 1 MiB x 16", kind, 1 << 20, 16)

static const bench_row rows[] = {
    ROWS("transfer tcp", tcp),
    ROWS("transfer unix", local),
};

static const bench_row curves[] = {
    CURVE("transfer curve put", tcp, PUT, "put"),
    CURVE("transfer curve get", tcp, GET, "get"),
};

const bench_table bench_transfer_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
const bench_table bench_transfer_curves = {.rows = curves, .count = sizeof curves / sizeof curves[0], .is_long = true};
