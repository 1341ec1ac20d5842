/* client.c: put, get and ls: one transfer over one connection, which is made again when it is lost. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { READ_SIZE = 64 * 1024, INTERRUPTED = 130 };

typedef struct session {
    const command_line *options;
    bp_client *client;
    bp_transfer_client *transfers;
    bp_transfer *transfer; /* NULL: it is over */
    progress_bar bar;
    bp_err err;
    bp_err lost; /* why there is no connection; BP_OK: there is one */
    bool is_interrupted;
    bool is_explained; /* what is wrong was told */
    bp_token token;
    uint64_t version;    /* of the object that a get goes on with; 0: any */
    uint64_t found;      /* the version that it has */
    const char *path;    /* of the file; NULL: standard input or output */
    /* put -: what was read of standard input and not taken yet */
    uv_fs_t read;
    uv_poll_t poll; /* of what may let us wait: a pipe, a terminal */
    bool has_poll;
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

static void on_open(bp_conn *conn, void *user) {
    session *s = user;
    (void)conn;
    s->lost = BP_OK;
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    session *s = user;
    (void)conn;
    s->lost = why;
}

static bool is_token(const bp_token *token) {
    static const bp_token none;
    return memcmp(token, &none, sizeof none) != 0;
}

/* A get goes on with parts of one version only. */
static void tell_token(const session *s, const bp_token *token, uint64_t version) {
    char text[BP_TOKEN_TEXT_SIZE];
    const bool is_get = strcmp(s->options->command, "get") == 0;
    if (!is_token(token) || (is_get && version == 0)) return;
    bp_token_format(token, text);
    fprintf(stderr, "objects: to go on with it: -t %s", text);
    if (is_get) fprintf(stderr, "@%" PRIx64, version);
    fputc('\n', stderr);
}

static void on_found(bp_transfer *transfer, const bp_object_info *object, void *user) {
    session *s = user;
    (void)transfer;
    s->found = object->version;
}

/* Who is killed tells nothing any more. */
static void on_token(bp_transfer *transfer, const bp_token *token, void *user) {
    const session *s = user;
    (void)transfer;
    if (s->options->is_verbose) tell_token(s, token, s->found);
}

static void explain(const session *s, const bp_outcome *outcome) {
    char text[256];
    const char *const name = s->bar.name == NULL ? "ls" : s->bar.name;
    if (s->is_explained) {
        /* nothing more is known */
    } else if (s->is_interrupted) {
        complain(name, "interrupted");
    } else if (outcome->err == BP_ERR_TIMEOUT && s->lost != BP_OK) {
        complain(s->options->address, bp_err_text(s->lost));
    } else if (outcome->part != BP_PART_NONE) {
        snprintf(text, sizeof text, "%s (part %" PRIu64 ")", outcome->text, outcome->part);
        complain(name, text);
    } else {
        complain(name, outcome->text);
    }
    if (outcome->err != BP_ERR_NOT_FOUND) tell_token(s, &outcome->token, outcome->version);
}

static void stop_reading(session *s) {
    if (s->has_poll) uv_close((uv_handle_t *)&s->poll, NULL);
    s->has_poll = false;
}

static void on_done(bp_transfer *transfer, const bp_outcome *outcome, void *user) {
    session *s = user;
    (void)transfer;
    bar_end(&s->bar);
    s->transfer = NULL;
    s->err = outcome->err;
    if (outcome->err != BP_OK) explain(s, outcome);
    stop_reading(s);
    if (s->client != NULL) bp_client_stop(s->client);
}

static bp_err connect_to(session *s, const command_line *options) {
    const bp_transfer_client_config how = {
        .part_size = (uint32_t)options->part_size,
        .parts_in_flight = (uint32_t)options->parts_in_flight,
        .idle_ms = (uint32_t)options->retry_ms,
    };
    bp_err err = bp_transfer_client_new(&how, &s->transfers);
    if (err != BP_OK) return err;
    bp_client_config config = bp_client_config_default(bp_transfer_client_service(s->transfers));
    config.handle_signals = true;
    config.reconnect_min_ms = 100;
    config.reconnect_max_ms = 2000;
    config.conn.pool_config.memory_limit = options->memory;
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    config.conn.user = s;
    return bp_client_new(&config, options->address, &s->client);
}

/* Until the transfer is over, or a signal came: then it ends as well, and what there is of it is kept. */
static bp_err run_to_its_end(session *s) {
    const bp_err err = bp_client_run(s->client);
    if (err != BP_OK || s->transfer == NULL) return err;
    s->is_interrupted = true;
    stop_reading(s);
    bp_transfer_cancel(s->transfer, true);
    return s->transfer == NULL ? BP_OK : bp_client_run(s->client);
}

/* Connects, has `begin` begin the transfer, and runs until it is over. */
static int run(session *s, const char *name, bp_err (*begin)(session *s)) {
    const command_line *options = s->options;
    s->bar.name = name;
    bp_err err = connect_to(s, options);
    if (err != BP_OK) {
        complain(options->address, bp_err_text(err));
    } else {
        err = begin(s);
        if (err != BP_OK) complain(name == NULL ? "ls" : name, bp_err_text(err));
    }
    if (err == BP_OK) {
        err = run_to_its_end(s);
        if (err != BP_OK) complain(options->address, bp_err_text(err));
    }
    if (s->client != NULL) {
        bp_transfer_stats stats;
        bp_transfer_client_stats(s->transfers, &stats);
        tell(options, bp_client_pool(s->client), &stats);
    }
    bp_client_free_take(&s->client);
    bp_transfer_client_free_take(&s->transfers);
    if (s->is_interrupted) return INTERRUPTED;
    return err != BP_OK || s->err != BP_OK;
}

static bool read_version(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 16);
    return *out != 0 && *end == '\0';
}

/* TOKEN, and for a get @VERSION behind it. */
static bool read_token(session *s, bool has_version) {
    const char *const secret = s->options->secret;
    char text[BP_TOKEN_TEXT_SIZE] = "";
    if (secret == NULL) return true;
    const size_t length = strcspn(secret, "@");
    if (length < sizeof text) memcpy(text, secret, length);
    const bool is_right = has_version ? secret[length] == '@' && read_version(secret + length + 1, &s->version)
                                      : secret[length] == '\0';
    if (is_right && bp_token_parse(text, &s->token) == BP_OK) return true;
    complain(secret, has_version ? "no TOKEN@VERSION of a get" : "no TOKEN of a put");
    return false;
}

/* The status, unless what was printed did not arrive. */
static int flush(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (status == 0) complain("standard output", strerror(errno));
    return status == 0 ? 1 : status;
}

static bool is_stream(const char *path) { return path != NULL && strcmp(path, "-") == 0; }

static const char *last_segment(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- put ---- */

static void read_more(session *s);

/* What was read goes to the put, as far as it has room; on_writable goes on with the rest. */
static void write_more(bp_transfer *transfer, void *user) {
    session *s = user;
    size_t taken = 0;
    const bp_err err = bp_transfer_write(transfer, s->chunk + s->at, s->length - s->at, s->is_last, &taken);
    s->at += taken;
    if (err == BP_OK && !s->is_last) read_more(s);
}

static void take_read(session *s, ssize_t count) {
    if (s->transfer == NULL) return;
    if (count < 0) {
        complain("standard input", strerror((int)-count));
        s->is_explained = true;
        bp_transfer_cancel(s->transfer, true);
        return;
    }
    s->at = 0;
    s->length = (size_t)count;
    s->is_last = count == 0;
    write_more(s->transfer, s);
}

static void on_read(uv_fs_t *read) {
    session *s = read->data;
    const ssize_t count = read->result;
    uv_fs_req_cleanup(read);
    take_read(s, count);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    session *s = poll->data;
    (void)status, (void)events;
    const ssize_t count = read(STDIN_FILENO, s->chunk, sizeof s->chunk);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    (void)uv_poll_stop(poll);
    take_read(s, count < 0 ? -errno : count);
}

/* A file is read at once, on another thread; of all else we are told when it can be read, as it may take for ever. */
static void read_more(session *s) {
    const uv_buf_t buf = uv_buf_init(s->chunk, sizeof s->chunk);
    s->read.data = s;
    uv_loop_t *loop = bp_client_loop(s->client);
    const int failed = s->has_poll ? uv_poll_start(&s->poll, UV_READABLE, on_readable)
                                   : uv_fs_read(loop, &s->read, STDIN_FILENO, &buf, 1, -1, on_read);
    if (failed != 0) take_read(s, failed);
}

static void begin_reading(session *s) {
    s->has_poll = uv_poll_init(bp_client_loop(s->client), &s->poll, STDIN_FILENO) == 0;
    s->poll.data = s;
    read_more(s);
}

static bp_err begin_put(session *s) {
    const bp_put_config config = {
        .name = s->bar.name,
        .path = s->path,
        .size = BP_SIZE_UNKNOWN,
        .token = s->token,
        .on_done = on_done,
        .on_progress = on_progress,
        .on_token = on_token,
        .on_writable = write_more,
        .user = s,
    };
    const bp_err err = bp_transfer_client_put(s->transfers, &config, &s->transfer);
    if (err == BP_OK && s->path == NULL) begin_reading(s);
    return err;
}

/* Better told before there is a connection, and by name. */
static bool can_be_read(const char *path) {
    struct stat file;
    const char *wrong = NULL;
    if (stat(path, &file) != 0 || access(path, R_OK) != 0) wrong = strerror(errno);
    else if (S_ISDIR(file.st_mode)) wrong = strerror(EISDIR);
    else if (!S_ISREG(file.st_mode)) wrong = "not a regular file; put - reads standard input";
    if (wrong != NULL) complain(path, wrong);
    return wrong == NULL;
}

int put(const command_line *options) {
    static session s;
    const char *const path = options->operands[0], *name = options->operands[1];
    s.options = options;
    s.path = is_stream(path) ? NULL : path;
    if (name == NULL) name = s.path == NULL ? "stdin" : last_segment(path);
    if (!read_token(&s, false) || (s.path != NULL && !can_be_read(s.path))) return 1;
    return run(&s, name, begin_put);
}

/* ---- get ---- */

static bp_err on_body(bp_transfer *transfer, uint64_t offset, bp_bytes bytes, bp_buf *buf, void *user) {
    session *s = user;
    (void)transfer, (void)offset, (void)buf;
    if (fwrite(bytes.data, 1, bytes.length, stdout) == bytes.length) return BP_OK;
    complain("standard output", strerror(errno));
    s->is_explained = true;
    return BP_ERR_SYSTEM;
}

static bp_err begin_get(session *s) {
    const bp_get_config config = {
        .name = s->options->operands[0],
        .path = s->path,
        .on_body = s->path == NULL ? on_body : NULL,
        .offset = s->options->offset,
        .length = s->options->length,
        .token = s->token,
        .version = s->version,
        .on_done = on_done,
        .on_progress = on_progress,
        .on_token = on_token,
        .on_found = on_found,
        .user = s,
    };
    return bp_transfer_client_get(s->transfers, &config, &s->transfer);
}

static bool is_directory(const char *path) {
    struct stat file;
    if (stat(path, &file) != 0) return false;
    errno = ENOTDIR;
    return S_ISDIR(file.st_mode);
}

/* The file that the object goes to: in a directory it has the object's name. */
static bool find_target(const char *name, const char *path, char out[PATH_MAX]) {
    char directory[PATH_MAX];
    const bool is_inside = is_directory(path);
    const int length = is_inside ? snprintf(out, PATH_MAX, "%s/%s", path, last_segment(name))
                                 : snprintf(out, PATH_MAX, "%s", path);
    errno = ENAMETOOLONG;
    if (length < PATH_MAX) {
        snprintf(directory, sizeof directory, "%.*s", (int)(last_segment(out) - out), out);
        if (directory[0] == '\0' || is_directory(directory)) return true;
    }
    complain(path, strerror(errno));
    return false;
}

int get(const command_line *options) {
    static session s;
    static char target[PATH_MAX];
    const char *const name = options->operands[0];
    const char *const path = options->operands[1];
    s.options = options;
    if (!is_stream(path)) s.path = target;
    if (s.path != NULL && !find_target(name, path == NULL ? last_segment(name) : path, target)) return 1;
    if (!read_token(&s, true)) return 1;
    return flush(run(&s, name, begin_get));
}

/* ---- ls ---- */

/* What others called it is no command to our terminal. */
static void on_object(bp_transfer *transfer, const bp_object_info *object, void *user) {
    (void)transfer, (void)user;
    printf("%14" PRIu64 "  ", object->size);
    if (isatty(STDOUT_FILENO)) print_text(stdout, object->name);
    else fputs(object->name, stdout);
    putchar('\n');
}

static bp_err begin_list(session *s) {
    const bp_list_config config = {
        .prefix = s->options->operands[0], .on_object = on_object, .on_done = on_done, .user = s};
    return bp_transfer_client_list(s->transfers, &config, &s->transfer);
}

int list(const command_line *options) {
    static session s;
    s.options = options;
    return flush(run(&s, NULL, begin_list));
}
