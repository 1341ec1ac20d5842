/* client.c: put, get and ls: one transfer over one connection, which is made again when it is lost. */
#define _GNU_SOURCE
#include "objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { READ_SIZE = 64 * 1024 };

typedef struct session {
    const command_line *options;
    bp_client *client;
    bp_transfer_client *transfers;
    bp_transfer *transfer;
    progress_bar bar;
    bp_err err;
    /* put -: what was read of standard input and not taken yet */
    uv_fs_t read;
    char chunk[READ_SIZE];
    size_t at, length;
    bool is_last;
} session;

/* ---- what all of them do ---- */

static void on_progress(bp_transfer *transfer, const bp_progress *progress, void *user) {
    session *s = user;
    (void)transfer;
    bar_show(&s->bar, progress);
}

static bool is_token(const bp_token *token) {
    static const bp_token none;
    return memcmp(token, &none, sizeof none) != 0;
}

static void on_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    session *s = user;
    (void)transfer;
    bar_end(&s->bar);
    s->transfer = NULL;
    s->err = outcome->err;
    if (outcome->err != BP_OK) {
        fprintf(stderr, "objects: %s: %s", s->bar.name == NULL ? "ls" : s->bar.name, outcome->text);
        if (outcome->part != BP_PART_NONE) fprintf(stderr, " (part %" PRIu64 ")", outcome->part);
        fputc('\n', stderr);
        if (is_token(&outcome->token)) {
            char text[BP_TOKEN_TEXT_SIZE];
            bp_token_format(&outcome->token, text);
            fprintf(stderr, "objects: to go on with it: -t %s\n", text);
        }
    }
    bp_client_stop(s->client);
}

/* Connects, has `begin` begin the transfer, and runs until it is over. */
static int run(const command_line *options, const char *name, bp_err (*begin)(session *s)) {
    static session s;
    s.options = options;
    s.bar.name = name;
    const bp_transfer_client_config how = {
        .part_size = (uint32_t)options->part_size,
        .parts_in_flight = (uint32_t)options->parts_in_flight,
        .idle_ms = (uint32_t)options->retry_ms,
    };
    bp_err err = bp_transfer_client_new(&how, &s.transfers);
    if (err == BP_OK) {
        bp_client_config config = bp_client_config_default(bp_transfer_client_service(s.transfers));
        config.handle_signals = true;
        config.reconnect_min_ms = 100;
        config.reconnect_max_ms = 2000;
        config.conn.pool_config.memory_limit = options->memory;
        err = bp_client_new(&config, options->address, &s.client);
    }
    if (err == BP_OK) err = begin(&s);
    if (err == BP_OK) err = bp_client_run(s.client);
    if (err != BP_OK) fprintf(stderr, "objects: %s: %s\n", options->address, bp_err_text(err));
    if (s.client != NULL) {
        bp_transfer_stats stats;
        bp_transfer_client_stats(s.transfers, &stats);
        tell(options, bp_client_pool(s.client), &stats);
    }
    bp_client_free_take(&s.client);
    bp_transfer_client_free_take(&s.transfers);
    return err != BP_OK || s.err != BP_OK;
}

static bool read_token(const command_line *options, bp_token *out) {
    *out = (bp_token){{0}};
    if (options->secret == NULL || bp_token_parse(options->secret, out) == BP_OK) return true;
    fprintf(stderr, "objects: %s: not a token\n", options->secret);
    return false;
}

static bool is_stream(const char *path) { return path != NULL && strcmp(path, "-") == 0; }

static const char *last_segment(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- put ---- */

static void on_read(uv_fs_t *read);

static void read_more(session *s) {
    const uv_buf_t buf = uv_buf_init(s->chunk, sizeof s->chunk);
    s->read.data = s;
    if (uv_fs_read(bp_client_loop(s->client), &s->read, STDIN_FILENO, &buf, 1, -1, on_read) != 0) {
        bp_transfer_cancel(s->transfer, true);
    }
}

/* What was read goes to the put, as far as it has room; on_writable goes on with the rest. */
static void write_more(bp_transfer *transfer, void *user) {
    session *s = user;
    size_t taken = 0;
    const bp_err err = bp_transfer_write(transfer, s->chunk + s->at, s->length - s->at, s->is_last, &taken);
    s->at += taken;
    if (err == BP_OK && !s->is_last) read_more(s);
}

static void on_read(uv_fs_t *read) {
    session *s = read->data;
    const ssize_t count = read->result;
    uv_fs_req_cleanup(read);
    if (s->transfer == NULL) return;
    if (count < 0) {
        bp_transfer_cancel(s->transfer, true);
        return;
    }
    s->at = 0;
    s->length = (size_t)count;
    s->is_last = count == 0;
    write_more(s->transfer, s);
}

static bp_err begin_put(session *s) {
    const char *path = s->options->operands[0];
    bp_put_config config = {
        .name = s->bar.name,
        .path = is_stream(path) ? NULL : path,
        .size = BP_SIZE_UNKNOWN,
        .on_done = on_done,
        .on_progress = on_progress,
        .on_writable = write_more,
        .user = s,
    };
    if (!read_token(s->options, &config.token)) return BP_ERR_ARGUMENT;
    const bp_err err = bp_transfer_client_put(s->transfers, &config, &s->transfer);
    if (err == BP_OK && config.path == NULL) read_more(s);
    return err;
}

int put(const command_line *options) {
    const char *name = options->operands[1];
    if (name == NULL) name = is_stream(options->operands[0]) ? "stdin" : last_segment(options->operands[0]);
    return run(options, name, begin_put);
}

/* ---- get ---- */

static bp_err on_body(bp_transfer *transfer, uint64_t offset, bp_bytes bytes, bp_buf *buf, void *user) {
    (void)transfer;
    (void)offset;
    (void)buf;
    (void)user;
    return fwrite(bytes.data, 1, bytes.length, stdout) == bytes.length ? BP_OK : BP_ERR_SYSTEM;
}

static bp_err begin_get(session *s) {
    const char *path = s->options->operands[1];
    if (path == NULL) path = last_segment(s->options->operands[0]);
    bp_get_config config = {
        .name = s->options->operands[0],
        .path = is_stream(path) ? NULL : path,
        .on_body = is_stream(path) ? on_body : NULL,
        .offset = s->options->offset,
        .length = s->options->length,
        .on_done = on_done,
        .on_progress = on_progress,
        .user = s,
    };
    if (!read_token(s->options, &config.token)) return BP_ERR_ARGUMENT;
    return bp_transfer_client_get(s->transfers, &config, &s->transfer);
}

int get(const command_line *options) {
    const int status = run(options, options->operands[0], begin_get);
    return fflush(stdout) == 0 ? status : 1;
}

/* ---- ls ---- */

static void on_object(bp_transfer *transfer, const bp_object_info *object, void *user) {
    (void)transfer;
    (void)user;
    printf("%14" PRIu64 "  %s\n", object->size, object->name);
}

static bp_err begin_list(session *s) {
    const bp_list_config config = {
        .prefix = s->options->operands[0], .on_object = on_object, .on_done = on_done, .user = s};
    return bp_transfer_client_list(s->transfers, &config, &s->transfer);
}

int list(const command_line *options) {
    const int status = run(options, NULL, begin_list);
    return fflush(stdout) == 0 ? status : 1;
}
