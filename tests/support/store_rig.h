/* tests/support/store_rig.h: a store in a directory of the test's own, and calls of it one after the other.
 *
 * What is put is a number sequence of a seed, so that every byte of an object is known without it. */
#ifndef BUFPOOL_TESTS_STORE_RIG_H
#define BUFPOOL_TESTS_STORE_RIG_H

#include "tests/support/suite.h"
#include "transfer/store.h"

#include <sys/stat.h>

enum { BPT_STORE_PATH = 64, BPT_PART = 4096 };

typedef struct bpt_store {
    char path[BPT_STORE_PATH]; /* of the directory */
    uv_loop_t uv;
    bpi_loop *loop;
    bp_store *store;
} bpt_store;

/* A put of the tests. Before it is opened: name, size (BP_SIZE_UNKNOWN), part_size, seed, token. */
typedef struct bpt_put {
    const char *name;
    uint64_t size, bytes; /* bytes: what is put, where the size is unknown */
    uint32_t part_size, seed;
    bp_token token;
    void *object;
    uint64_t first, have, version;
    bool is_committed;
} bpt_put;

/* A new directory; and a store in it. */
void bpt_store_directory(char path[BPT_STORE_PATH]);
void bpt_store_start(bpt_store *of, const bp_dir_store_options *options);

/* The file was changed in place, and was `before`: its time is another now, however coarse the file system's clock. */
void bpt_file_changed(const char *path, const struct stat *before);

/* The same directory, of which another store is, or was. */
void bpt_store_join(bpt_store *of, const char *path, const bp_dir_store_options *options);

/* The same, as a client's gets to files have it: tidy. */
void bpt_store_join_tidy(bpt_store *of, const char *path);

/* Frees the store and the loop. bpt_store_end removes the directory, too. */
void bpt_store_leave(bpt_store *of);
void bpt_store_end(bpt_store *of);
void bpt_remove_tree(const char *path);

/* The path of a file of the directory, until the next call; whether it is there. */
const char *bpt_store_path(const bpt_store *of, const char *name);
bool bpt_store_has(const bpt_store *of, const char *name);

/* How many entries `.bufpool` has; -1: there is none. */
int bpt_work_count(const bpt_store *of);

/* Names of work's file of a token: ".bufpool/<token><ending>". */
const char *bpt_work_path(const bpt_store *of, const bp_token *token, const char *ending);

/* The loop runs until the call is answered. */
bp_err bpt_store_call(bpt_store *of, bpi_call *call, bp_store_fn *function);

void bpt_fill(uint8_t *out, size_t length, uint32_t seed, uint64_t offset);
uint32_t bpt_object_crc(uint32_t seed, uint64_t size);

bpt_put bpt_put_of(const char *name, uint64_t size, uint32_t seed); /* with parts of BPT_PART */
bp_err bpt_put_open(bpt_store *of, bpt_put *put);
bp_err bpt_put_part(bpt_store *of, const bpt_put *put, uint64_t part);
bp_err bpt_put_commit(bpt_store *of, bpt_put *put);
bp_err bpt_put_abort(bpt_store *of, const bpt_put *put);
void bpt_put_close(bpt_store *of, bpt_put *put);

/* Parts of the object; and whether the put's opening said that a part is there. */
uint64_t bpt_put_count(const bpt_put *put);
bool bpt_put_has(const bpt_put *put, uint64_t part);

/* Every part that is missing, then the commit. */
bp_err bpt_put_rest(bpt_store *of, bpt_put *put);

/* All of it: must end well. */
void bpt_put_whole(bpt_store *of, const char *name, uint64_t size, uint32_t seed);

/* Gets an object, and compares every byte: what the store answers, BP_ERR_CHECKSUM where it is another one. */
bp_err bpt_get_whole(bpt_store *of, const char *name, uint64_t size, uint32_t seed);

#endif
