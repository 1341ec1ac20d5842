#define _GNU_SOURCE
#include "tests/support/transfer_world.h"

#include "tests/support/frame_schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the two ends ---- */

static void on_open(bp_conn *conn, void *user) {
    bpt_world *world = user;
    world->opens++;
    world->conn = conn;
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    bpt_world *world = user;
    (void)why;
    if (world->conn == conn) world->closes++;
    if (world->conn == conn) world->conn = NULL;
}

static const bp_class classes[] = {{.size = 64, .idle_bytes = 4096}, {.size = 1024, .idle_bytes = 4096}};

static void configure(bp_conn_config *conn, uint64_t memory, uint64_t forced) {
    conn->buffer_pool_enabled = true;
    conn->pool_config = (bp_pool_config){
        .name = "transfers", .classes = classes, .class_count = 2, .memory_limit = memory, .forced_limit = forced};
}

void bpt_world_init(bpt_world *world, const bpt_world_options *with) {
    *world = (bpt_world){0};
    if (with != NULL) world->with = *with;
    ck_assert_int_eq(uv_loop_init(&world->loop), 0);
    bpt_store_directory(world->directory);
    ck_assert_int_eq(mkdir(bpt_world_path(world, "objects"), 0700), 0);
    if (world->with.store != NULL)
        world->store = bp_store_retain(world->with.store);
    else
        bpt_ok(bp_dir_store_new(bpt_world_path(world, "objects"), &(bp_dir_store_options){.is_fast = true},
                                &world->store));
}

void bpt_world_serve(bpt_world *world) {
    bp_transfer_server_config config = world->with.server;
    char address[192];
    config.store = world->store;
    bpt_ok(bp_transfer_server_new(&config, &world->objects));
    bp_server_config server = bp_server_config_default(bp_transfer_server_service(world->objects));
    configure(&server.conn, world->with.server_memory, 0);
    server.loop = &world->loop;
    if (world->address[0] != '\0')
        snprintf(address, sizeof address, "%s", world->address); /* where it was before */
    else if (world->with.way == 0)
        snprintf(address, sizeof address, "tcp://127.0.0.1:0");
    else
        snprintf(address, sizeof address, "unix://%s", bpt_world_path(world, "socket"));
    bpt_ok(bp_server_new(&server, address, &world->server));
    bpt_ok(bp_server_address(world->server, world->address, sizeof world->address));
}

void bpt_world_connect(bpt_world *world) {
    bpt_ok(bp_transfer_client_new(&world->with.client, &world->transfers));
    bp_client_config client = bp_client_config_default(bp_transfer_client_service(world->transfers));
    configure(&client.conn, world->with.client_memory, world->with.forced_limit);
    client.conn.pool = world->with.client_pool;
    client.conn.send_queue_bytes = world->with.send_queue_bytes;
    client.conn.user = world;
    client.conn.on_open = on_open;
    client.conn.on_close = on_close;
    client.loop = &world->loop;
    client.reconnect_min_ms = client.reconnect_max_ms = world->with.reconnect_ms;
    bpt_ok(bp_client_new(&client, world->with.address == NULL ? world->address : world->with.address, &world->client));
}

void bpt_world_start(bpt_world *world, const bpt_world_options *with) {
    bpt_world_init(world, with);
    bpt_world_serve(world);
    bpt_world_connect(world);
}

static void settle(bpt_world *world, bp_pool *pool) {
    bpt_world_until(world, bpt_pool_in_use(pool) == 0);
    bp_pool_release_take(&pool);
}

void bpt_world_stop_serving(bpt_world *world) {
    if (world->server == NULL) return;
    bp_pool *pool = bp_pool_retain(bp_server_pool(world->server));
    bp_server_free_take(&world->server);
    bp_transfer_server_free_take(&world->objects);
    settle(world, pool);
}

void bpt_world_disconnect(bpt_world *world) {
    if (world->client == NULL) return;
    bp_pool *pool = bp_pool_retain(bp_client_pool(world->client));
    bp_client_free_take(&world->client);
    bp_transfer_client_free_take(&world->transfers);
    settle(world, pool);
}

void bpt_world_fini(bpt_world *world) {
    bpt_world_disconnect(world);
    bpt_world_stop_serving(world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    bp_store_release_take(&world->store);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    bpt_remove_tree(world->directory);
}

uint64_t bpt_world_client_buffers(const bpt_world *world) { return bpt_pool_in_use(bp_client_pool(world->client)); }
uint64_t bpt_world_server_buffers(const bpt_world *world) { return bpt_pool_in_use(bp_server_pool(world->server)); }

/* ---- transfers ---- */

static void tell(bpt_job *job, const char *event) {
    ck_assert_uint_eq(job->done_count, 0);
    if (job->on_event != NULL) job->on_event(job, event);
}

static void on_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    bpt_job *job = user;
    ck_assert_ptr_eq(transfer, job->transfer);
    ck_assert_uint_eq(job->done_count++, 0);
    ck_assert_ptr_nonnull(outcome->text);
    job->err = outcome->err;
    job->outcome = *outcome;
    snprintf(job->text, sizeof job->text, "%s", outcome->text);
    job->outcome.text = job->text;
    job->transfer = NULL;
    if (job->on_done != NULL) job->on_done(job);
}

static void on_progress(bp_transfer *transfer, const bp_progress *progress, void *user) {
    bpt_job *job = user;
    (void)transfer;
    job->progress_count++;
    bpt_must(progress->done >= job->progressed && progress->done <= progress->size);
    job->progressed = progress->done;
    tell(job, "progress");
}

static void on_token(bp_transfer *transfer, const bp_token *token, void *user) {
    bpt_job *job = user;
    (void)transfer;
    job->token_count++;
    job->token = *token;
    tell(job, "token");
}

static void on_writable(bp_transfer *transfer, void *user) {
    bpt_job *job = user;
    (void)transfer;
    job->writable_count++;
    tell(job, "writable");
}

static void on_found(bp_transfer *transfer, const bp_object_info *object, void *user) {
    bpt_job *job = user;
    (void)transfer;
    job->found_count++;
    ck_assert_uint_ne(object->version, 0);
    ck_assert_uint_eq(job->got_size, 0);
    tell(job, "found");
}

/* Bytes come in order, once. */
static bp_err on_body(bp_transfer *transfer, uint64_t offset, bp_bytes bytes, bp_buf *buf, void *user) {
    bpt_job *job = user;
    (void)transfer;
    bpt_must(offset == job->offset + job->got_size);
    bpt_must(bytes.data >= bp_buf_data(buf) && bytes.data + bytes.length <= bp_buf_data(buf) + bp_buf_capacity(buf));
    job->got = realloc(job->got, job->got_size + bytes.length);
    bpt_must(job->got != NULL);
    memcpy(job->got + job->got_size, bytes.data, bytes.length);
    job->got_size += bytes.length;
    const bp_err err = job->on_body == NULL ? BP_OK : job->on_body(job, offset, bytes, buf);
    tell(job, "body");
    return err;
}

static void on_object(bp_transfer *transfer, const bp_object_info *object, void *user) {
    bpt_job *job = user;
    (void)transfer;
    job->object_count++;
    const size_t length = strlen(job->names);
    snprintf(job->names + length, sizeof job->names - length, "%s ", object->name);
    tell(job, "object");
}

void bpt_job_put(bpt_world *world, bpt_job *job, bp_put_config config) {
    job->world = world;
    config.on_done = on_done;
    config.on_progress = on_progress;
    config.on_token = on_token;
    config.on_writable = on_writable;
    config.user = job;
    bpt_ok(bp_transfer_client_put(world->transfers, &config, &job->transfer));
    ck_assert_uint_eq(job->done_count, 0);
}

void bpt_job_get(bpt_world *world, bpt_job *job, bp_get_config config) {
    job->world = world;
    job->offset = config.offset;
    config.on_done = on_done;
    config.on_progress = on_progress;
    config.on_token = on_token;
    config.on_found = on_found;
    if (config.path == NULL) config.on_body = on_body;
    config.user = job;
    bpt_ok(bp_transfer_client_get(world->transfers, &config, &job->transfer));
    ck_assert_uint_eq(job->done_count, 0);
}

void bpt_job_list(bpt_world *world, bpt_job *job, const char *prefix) {
    const bp_list_config config = {.prefix = prefix, .on_object = on_object, .on_done = on_done, .user = job};
    job->world = world;
    bpt_ok(bp_transfer_client_list(world->transfers, &config, &job->transfer));
}

void bpt_job_end(bpt_job *job, bp_err err) {
    bpt_world_until(job->world, job->done_count != 0);
    ck_assert_str_eq(bp_err_name(job->err), bp_err_name(err));
}

void bpt_job_free(bpt_job *job) {
    free(job->got);
    job->got = NULL;
}

/* ---- bytes and files ---- */

uint8_t *bpt_bytes_new(uint64_t seed, size_t size) {
    uint8_t *bytes = malloc(size + 1);
    bpt_must(bytes != NULL);
    bpt_fill(bytes, size, (uint32_t)seed, 0);
    return bytes;
}

const char *bpt_world_path(const bpt_world *world, const char *name) {
    static char paths[4][192];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", world->directory, name);
    return path;
}

void bpt_file_write(const char *path, const uint8_t *data, size_t size) {
    struct stat before;
    const bool is_there = stat(path, &before) == 0;
    FILE *file = fopen(path, "wb");
    bpt_must(file != NULL);
    bpt_must(fwrite(data, 1, size, file) == size);
    bpt_must(fclose(file) == 0);
    if (is_there) bpt_file_changed(path, &before);
}

bool bpt_file_is(const char *path, const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    uint8_t *bytes = malloc(size + 1);
    bpt_must(bytes != NULL);
    const bool is_equal = fread(bytes, 1, size + 1, file) == size && memcmp(bytes, data, size) == 0;
    free(bytes);
    fclose(file);
    return is_equal;
}

bool bpt_file_exists(const char *path) { return access(path, F_OK) == 0; }
