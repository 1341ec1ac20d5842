#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include "base/crc32c.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static void join(bpt_store *of, const char *path) {
    memmove(of->path, path, strlen(path) + 1);
    ck_assert_int_eq(uv_loop_init(&of->uv), 0);
    bpt_ok(bpi_loop_acquire(&of->uv, &of->loop));
}

void bpt_store_join(bpt_store *of, const char *path, const bp_dir_store_options *options) {
    join(of, path);
    bpt_ok(bp_dir_store_new(path, options, &of->store));
}

void bpt_store_join_tidy(bpt_store *of, const char *path) {
    static const bp_dir_store_options fast = {.is_fast = true};
    join(of, path);
    bpt_ok(bpi_dir_store_new_tidy(path, &fast, &of->store));
}

/* In memory, where there is such: thousands of tiny puts would wait for the disk. */
void bpt_store_directory(char path[BPT_STORE_PATH]) {
    const char *const base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(path, BPT_STORE_PATH, "%s/bufpool-store-XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(path));
}

static bool is_same_time(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

void bpt_file_changed(const char *path, const struct stat *before) {
    static const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    struct stat now;
    for (;;) {
        ck_assert_int_eq(stat(path, &now), 0);
        if (!is_same_time(&now.st_mtim, &before->st_mtim)) return;
        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    }
}

void bpt_store_start(bpt_store *of, const bp_dir_store_options *options) {
    char path[BPT_STORE_PATH];
    bpt_store_directory(path);
    bpt_store_join(of, path, options);
}

void bpt_store_leave(bpt_store *of) {
    const bpi_dir *dir = bpi_dir_of(of->store);
    for (int i = 0; i < BPI_DIR_HOLDS; i++) ck_assert_ptr_null(dir->holds[i]); /* whoever opened a put closed it */
    bp_store_release_take(&of->store);
    bpi_loop_release(of->loop);
    ck_assert_int_eq(uv_run(&of->uv, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&of->uv), 0);
}

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *at) {
    (void)file, (void)kind, (void)at;
    return remove(path);
}

void bpt_remove_tree(const char *path) { (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

void bpt_store_end(bpt_store *of) {
    bpt_store_leave(of);
    bpt_remove_tree(of->path);
}

const char *bpt_store_path(const bpt_store *of, const char *name) {
    static char path[BPT_STORE_PATH + BP_OBJECT_NAME_MAX + 2];
    (void)snprintf(path, sizeof path, "%s/%s", of->path, name);
    return path;
}

bool bpt_store_has(const bpt_store *of, const char *name) {
    struct stat file;
    return lstat(bpt_store_path(of, name), &file) == 0;
}

int bpt_work_count(const bpt_store *of) {
    int count = 0;
    DIR *names = opendir(bpt_store_path(of, ".bufpool"));
    if (names == NULL) return -1;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(names);
    return count;
}

const char *bpt_work_path(const bpt_store *of, const bp_token *token, const char *ending) {
    static char path[BPT_STORE_PATH + 64];
    size_t at = (size_t)snprintf(path, sizeof path, "%s/.bufpool/", of->path);
    for (size_t i = 0; i < sizeof token->bytes; i++) {
        at += (size_t)snprintf(path + at, sizeof path - at, "%02x", token->bytes[i]);
    }
    (void)snprintf(path + at, sizeof path - at, "%s", ending);
    return path;
}

static void note_answer(bpi_call *call, bp_err err) { *(bp_err *)call->owner = err; }

bp_err bpt_store_call(bpt_store *of, bpi_call *call, bp_store_fn *function) {
    bp_err err = BP_PENDING;
    call->owner = &err;
    call->on_answer = note_answer;
    bpi_call_begin(call, of->store, function, of->loop);
    while (err == BP_PENDING) (void)uv_run(&of->uv, UV_RUN_ONCE);
    return err;
}

/* ---- content ---- */

static uint8_t byte_of(uint32_t seed, uint64_t offset) {
    uint64_t n = (offset + 1) * 0x9E3779B97F4A7C15u ^ seed;
    n = (n ^ n >> 29) * 0xBF58476D1CE4E5B9u;
    return (uint8_t)(n >> 56);
}

void bpt_fill(uint8_t *out, size_t length, uint32_t seed, uint64_t offset) {
    for (size_t i = 0; i < length; i++) out[i] = byte_of(seed, offset + i);
}

uint32_t bpt_object_crc(uint32_t seed, uint64_t size) {
    uint8_t piece[BPT_PART];
    uint32_t crc = 0;
    for (uint64_t at = 0; at < size; at += sizeof piece) {
        const size_t length = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        bpt_fill(piece, length, seed, at);
        crc = bpi_crc32c(crc, piece, length);
    }
    return crc;
}

/* ---- puts ---- */

bpt_put bpt_put_of(const char *name, uint64_t size, uint32_t seed) {
    return (bpt_put){.name = name, .size = size, .bytes = size, .part_size = BPT_PART, .seed = seed};
}

bp_err bpt_put_open(bpt_store *of, bpt_put *put) {
    bpi_call call = {.store = {.name = put->name, .size = put->size, .part_size = put->part_size, .token = put->token}};
    const bp_err err = bpt_store_call(of, &call, of->store->table->put_open);
    put->object = call.store.object;
    if (err != BP_OK) return err;
    put->token = call.store.token;
    put->first = call.store.first;
    put->have = call.store.have;
    put->version = call.store.version;
    put->is_committed = call.store.is_committed;
    return BP_OK;
}

uint64_t bpt_put_count(const bpt_put *put) { return (put->bytes + put->part_size - 1) / put->part_size; }

bool bpt_put_has(const bpt_put *put, uint64_t part) {
    return part < put->first || (part - put->first < 64 && (put->have >> (part - put->first) & 1) != 0);
}

bp_err bpt_put_part(bpt_store *of, const bpt_put *put, uint64_t part) {
    const uint64_t offset = part * put->part_size, left = put->bytes - offset;
    const uint32_t length = left < put->part_size ? (uint32_t)left : put->part_size;
    uint8_t *data = malloc(length);
    bpt_fill(data, length, put->seed, offset);
    bpi_call call = {.store = {.object = put->object, .part = part, .offset = offset, .data = data, .length = length,
                               .crc = bpi_crc32c(0, data, length)}};
    const bp_err err = bpt_store_call(of, &call, of->store->table->write);
    free(data);
    return err;
}

bp_err bpt_put_commit(bpt_store *of, bpt_put *put) {
    bpi_call call = {.store = {.object = put->object, .size = put->bytes,
                               .crc = bpt_object_crc(put->seed, put->bytes)}};
    const bp_err err = bpt_store_call(of, &call, of->store->table->commit);
    put->version = call.store.version;
    return err;
}

bp_err bpt_put_abort(bpt_store *of, const bpt_put *put) {
    bpi_call call = {.store = {.object = put->object}};
    return bpt_store_call(of, &call, of->store->table->abort);
}

static void close_object(bpt_store *of, void *object) {
    bpi_call call = {.store = {.object = object}};
    bpt_ok(bpt_store_call(of, &call, of->store->table->close));
}

void bpt_put_close(bpt_store *of, bpt_put *put) {
    close_object(of, put->object);
    put->object = NULL;
}

bp_err bpt_put_rest(bpt_store *of, bpt_put *put) {
    for (uint64_t part = 0; part < bpt_put_count(put); part++) {
        const bp_err err = bpt_put_has(put, part) ? BP_OK : bpt_put_part(of, put, part);
        if (err != BP_OK) return err;
    }
    return bpt_put_commit(of, put);
}

void bpt_put_whole(bpt_store *of, const char *name, uint64_t size, uint32_t seed) {
    bpt_put put = bpt_put_of(name, size, seed);
    bpt_ok(bpt_put_open(of, &put));
    bpt_ok(bpt_put_rest(of, &put));
    bpt_put_close(of, &put);
}

/* ---- gets ---- */

static bp_err get_part(bpt_store *of, void *object, uint64_t offset, uint32_t length, uint32_t seed) {
    uint8_t found[BPT_PART], due[BPT_PART];
    bpi_call call = {.store = {.object = object, .offset = offset, .data = found, .length = length}};
    const bp_err err = bpt_store_call(of, &call, of->store->table->read);
    if (err != BP_OK) return err;
    bpt_fill(due, length, seed, offset);
    return memcmp(found, due, length) == 0 && call.store.crc == bpi_crc32c(0, due, length) ? BP_OK : BP_ERR_CHECKSUM;
}

bp_err bpt_get_whole(bpt_store *of, const char *name, uint64_t size, uint32_t seed) {
    bpi_call call = {.store = {.name = name}};
    bp_err err = bpt_store_call(of, &call, of->store->table->get_open);
    if (err != BP_OK) return err;
    if (call.store.size != size || call.store.version == 0) err = BP_ERR_CHECKSUM;
    if (call.store.has_crc && call.store.crc != bpt_object_crc(seed, size)) err = BP_ERR_CHECKSUM;
    for (uint64_t at = 0; err == BP_OK && at < size; at += BPT_PART) {
        const uint32_t length = size - at < BPT_PART ? (uint32_t)(size - at) : BPT_PART;
        err = get_part(of, call.store.object, at, length, seed);
    }
    close_object(of, call.store.object);
    return err;
}
