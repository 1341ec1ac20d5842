/* tests/support/transfer_world.h: a server of objects and a client of it on one loop, with a directory of their own,
 * and transfers that remember how they went.
 *
 * Nothing waits for a moment in time: the loop is run until something holds. */
#ifndef BUFPOOL_TESTS_TRANSFER_WORLD_H
#define BUFPOOL_TESTS_TRANSFER_WORLD_H

#include "bufpool/transfer.h"
#include "tests/support/store_rig.h"
#include "tests/support/suite.h"

#include <uv.h>

enum { BPT_WORLD_WAYS = 2 /* TCP and a Unix socket */ };

typedef struct bpt_world bpt_world;
typedef struct bpt_job bpt_job;

/* How the two ends are made; zero is a default. Set before bpt_world_serve and bpt_world_connect. */
typedef struct bpt_world_options {
    int way;
    bp_store *store;                       /* NULL: a directory store in objects/ */
    uint64_t server_memory, client_memory; /* limits of their pools, in bytes; 0: none */
    uint64_t forced_limit;                 /* of the client's */
    bp_pool *client_pool;                  /* instead of a new one */
    uint32_t reconnect_ms, send_queue_bytes;
    const char *address; /* that the client connects to; NULL: the server's */
    bp_transfer_server_config server;
    bp_transfer_client_config client;
} bpt_world_options;

struct bpt_world {
    uv_loop_t loop;
    bpt_world_options with;
    char directory[BPT_STORE_PATH];
    char address[192];
    bp_store *store;
    bp_transfer_server *objects;
    bp_server *server;
    bp_transfer_client *transfers;
    bp_client *client;
    bp_conn *conn; /* the client's, while it is open */
    unsigned opens, closes;
};

/* A transfer. Zero but for what a test sets before it begins; begun, it must stay until it is done. */
struct bpt_job {
    bpt_world *world;
    bp_transfer *transfer; /* NULL: done */
    unsigned done_count, progress_count, token_count, found_count, writable_count, object_count;
    bp_err err;
    bp_outcome outcome; /* text is in text */
    char text[128];
    bp_token token;
    uint64_t progressed; /* the last progress's done */
    uint8_t *got;        /* what on_body was given, from the range's first byte on */
    uint64_t got_size, offset;
    char names[512]; /* of a list, each with a blank behind it */
    /* NULL: nothing besides. */
    bp_err (*on_body)(bpt_job *job, uint64_t offset, bp_bytes bytes, bp_buf *buf);
    void (*on_event)(bpt_job *job, const char *event); /* "body", "progress", "token", "found", "writable" */
    void (*on_done)(bpt_job *job);
    void *data;
};

/* Serves and connects with the options. */
void bpt_world_start(bpt_world *world, const bpt_world_options *with);

/* The same one by one. */
void bpt_world_init(bpt_world *world, const bpt_world_options *with);
void bpt_world_serve(bpt_world *world);
void bpt_world_connect(bpt_world *world);
void bpt_world_stop_serving(bpt_world *world);
void bpt_world_disconnect(bpt_world *world); /* frees the client, and its transfers' client */

/* Ends both, and checks that nothing is left: handles, callbacks, buffers. Removes the directory. */
void bpt_world_fini(bpt_world *world);

#define bpt_world_until(world, condition)                                                                              \
    while (!(condition)) uv_run(&(world)->loop, UV_RUN_ONCE)

/* Begins; what is not set in *config is the job's. */
void bpt_job_put(bpt_world *world, bpt_job *job, bp_put_config config);
void bpt_job_get(bpt_world *world, bpt_job *job, bp_get_config config);
void bpt_job_list(bpt_world *world, bpt_job *job, const char *prefix);

/* Runs the loop until the job is done, which it must be with err. */
void bpt_job_end(bpt_job *job, bp_err err);
void bpt_job_free(bpt_job *job);

/* ---- bytes and files ---- */

/* size bytes that follow from the seed; free() them. */
uint8_t *bpt_bytes_new(uint64_t seed, size_t size);

/* Paths in the world's directory ("objects/a"); valid until the fourth next call. */
const char *bpt_world_path(const bpt_world *world, const char *name);
void bpt_file_write(const char *path, const uint8_t *data, size_t size);

/* Whether the file has exactly these bytes. */
bool bpt_file_is(const char *path, const uint8_t *data, size_t size);
bool bpt_file_exists(const char *path);

/* Buffers of a client's, or server's, pool that somebody has. */
uint64_t bpt_world_client_buffers(const bpt_world *world);
uint64_t bpt_world_server_buffers(const bpt_world *world);

#endif
