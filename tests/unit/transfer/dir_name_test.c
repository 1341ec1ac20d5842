#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Names: which can be an object's, and that none leads out of the directory. */
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true}, followed = {.is_fast = true, .is_followed = true};

static const char *const good[] = {"a", "a/b/c", "...", ".a", "a.", "..a", "a/..b", "a b", "\xc3\xa4/\xe2\x82\xac", ".bufpoo",
                                   "x.bufpool", "a\\b", "-", "~", "*", "a\nb", "con", ".bufpoo2/l"};
static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/../b", "a/./b",
                                  ".bufpool", ".bufpool/x", ".bufpool2", "a/.bufpool", "a/.bufpool/b", "\xff", "a/\xc3",
                                  "\xc0\xaf", "\xed\xa0\x80", "a/\xc0\xae\xc0\xae/b"};

START_TEST(good_names_are_objects) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(bpi_dir_is_name(good[i]), "%s", good[i]);
        bpt_put put = bpt_put_of(good[i], 10, 1);
        if (strcmp(good[i], "a/b/c") == 0 || strcmp(good[i], "a/..b") == 0) continue; /* "a" is in the way */
        bpt_ok(bpt_put_open(&of, &put));
        bpt_ok(bpt_put_rest(&of, &put));
        bpt_put_close(&of, &put);
        bpt_ok(bpt_get_whole(&of, good[i], 10, 1));
        ck_assert(bpt_store_has(&of, good[i]));
    }
    bpt_store_end(&of);
}
END_TEST

START_TEST(bad_names_are_nobodys) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!bpi_dir_is_name(bad[i]), "%s", bad[i]);
        bpt_put put = bpt_put_of(bad[i], 10, 1);
        bpt_err(bpt_put_open(&of, &put), BP_ERR_NAME);
        bpt_err(bpt_get_whole(&of, bad[i], 10, 1), BP_ERR_NAME);
    }
    bpt_store_end(&of);
}
END_TEST

START_TEST(names_are_as_long_as_255_bytes) {
    char name[BP_OBJECT_NAME_MAX + 2];
    bpt_store of;
    bpt_store_start(&of, &fast);
    for (size_t length = BP_OBJECT_NAME_MAX; length <= BP_OBJECT_NAME_MAX + 1; length++) {
        memset(name, 'n', length);
        for (size_t i = 1; _i != 0 && i < length; i += 2) name[i] = '/'; /* or 128 directories, one in the other */
        name[length - 1] = 'n';
        name[length] = '\0';
        bpt_put put = bpt_put_of(name, 10, 1);
        ck_assert_int_eq(bpi_dir_is_name(name), length <= BP_OBJECT_NAME_MAX);
        bpt_err(bpt_put_open(&of, &put), length > BP_OBJECT_NAME_MAX ? BP_ERR_NAME : BP_OK);
        if (length > BP_OBJECT_NAME_MAX) continue;
        bpt_ok(bpt_put_rest(&of, &put));
        bpt_put_close(&of, &put);
        bpt_ok(bpt_get_whole(&of, name, 10, 1));
    }
    bpt_store_end(&of);
}
END_TEST

/* ---- links ---- */

/* A directory "out" beside the root's, with an object "secret" in it: links of the root lead there. */
typedef struct outside {
    bpt_store of;
    char path[BPT_STORE_PATH];
} outside;

static void write_file(const char *path, uint64_t size, uint32_t seed) {
    uint8_t data[BPT_PART];
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    bpt_fill(data, size, seed, 0);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void start(outside *world, const bp_dir_store_options *options) {
    char secret[BPT_STORE_PATH + 16];
    bpt_store_start(&world->of, options);
    bpt_store_directory(world->path);
    (void)snprintf(secret, sizeof secret, "%s/secret", world->path);
    write_file(secret, 100, 9);
    ck_assert_int_eq(symlink(world->path, bpt_store_path(&world->of, "dir")), 0);
    ck_assert_int_eq(symlink(secret, bpt_store_path(&world->of, "link")), 0);
}

static void end(outside *world) {
    bpt_store_end(&world->of);
    bpt_remove_tree(world->path);
}

START_TEST(links_are_not_followed) {
    outside world;
    start(&world, &fast);
    bpt_err(bpt_get_whole(&world.of, "link", 100, 9), BP_ERR_NOT_FOUND);
    bpt_err(bpt_get_whole(&world.of, "dir/secret", 100, 9), BP_ERR_NOT_FOUND);
    bpt_put put = bpt_put_of("dir/secret", 10, 1), fresh = bpt_put_of("dir/new/object", 10, 1);
    bpt_err(bpt_put_open(&world.of, &put), BP_ERR_NAME);
    bpt_err(bpt_put_open(&world.of, &fresh), BP_ERR_NAME);
    end(&world);
}
END_TEST

START_TEST(links_are_followed_where_they_may_be) {
    outside world;
    start(&world, &followed);
    bpt_ok(bpt_get_whole(&world.of, "link", 100, 9));
    bpt_ok(bpt_get_whole(&world.of, "dir/secret", 100, 9));
    end(&world);
}
END_TEST

/* A put gives a name to a new file: what a link of that name leads to stays as it is. */
START_TEST(a_put_replaces_a_link) {
    outside world;
    start(&world, _i == 0 ? &fast : &followed);
    bpt_put_whole(&world.of, "link", 10, 1);
    bpt_ok(bpt_get_whole(&world.of, "link", 10, 1));
    struct stat file;
    ck_assert_int_eq(lstat(bpt_store_path(&world.of, "link"), &file), 0);
    ck_assert(S_ISREG(file.st_mode));
    ck_assert_int_eq(unlink(bpt_store_path(&world.of, "link")), 0);
    char secret[BPT_STORE_PATH + 16];
    (void)snprintf(secret, sizeof secret, "%s/secret", world.path);
    ck_assert_int_eq(stat(secret, &file), 0);
    ck_assert_int_eq(file.st_size, 100);
    end(&world);
}
END_TEST

/* Where the unfinished lies is no place that somebody else chose. */
START_TEST(work_is_not_behind_a_link) {
    outside world;
    start(&world, _i == 0 ? &fast : &followed);
    ck_assert_int_eq(symlink(world.path, bpt_store_path(&world.of, ".bufpool")), 0);
    bpt_put put = bpt_put_of("object", 10, 1);
    bpt_err(bpt_put_open(&world.of, &put), BP_ERR_NOT_FOUND);
    end(&world);
}
END_TEST

/* ---- races ---- */

typedef struct swapper {
    pthread_t thread;
    char real[BPT_STORE_PATH + 16], link[BPT_STORE_PATH + 16];
    bool is_over;
} swapper;

/* One call where the system has it. */
static void exchange(const char *one, const char *two) {
#ifdef RENAME_EXCHANGE
    (void)renameat2(-1, one, -1, two, RENAME_EXCHANGE);
#else
    char aside[BPT_STORE_PATH + 32];
    (void)snprintf(aside, sizeof aside, "%s.aside", one);
    (void)rename(one, aside);
    (void)rename(two, one);
    (void)rename(aside, two);
#endif
}

/* The first is by turns a directory with an object, and a link that leads out. */
static void *swap(void *memory) {
    const swapper *of = memory;
    while (!__atomic_load_n(&of->is_over, __ATOMIC_ACQUIRE)) exchange(of->real, of->link);
    return NULL;
}

START_TEST(who_swaps_directories_for_links_leads_nobody_out) {
    outside world;
    swapper by = {0};
    start(&world, &fast);
    bpt_put_whole(&world.of, "here/secret", 100, 1); /* not the secret's bytes */
    (void)snprintf(by.real, sizeof by.real, "%s/here", world.of.path);
    (void)snprintf(by.link, sizeof by.link, "%s/dir", world.of.path);
    ck_assert_int_eq(pthread_create(&by.thread, NULL, swap, &by), 0);
    const unsigned long rounds = bpt_scaled(2000) + 20;
    for (unsigned long i = 0; i < rounds; i++) {
        const bp_err err = bpt_get_whole(&world.of, "here/secret", 100, 1);
        bpt_must(err == BP_OK || err == BP_ERR_NOT_FOUND || err == BP_ERR_CHANGED);
        bpt_put put = bpt_put_of("here/new", 10, 1);
        if (i % 16 != 0 || bpt_put_open(&world.of, &put) != BP_OK) continue;
        (void)bpt_put_rest(&world.of, &put);
        bpt_put_close(&world.of, &put);
    }
    __atomic_store_n(&by.is_over, true, __ATOMIC_RELEASE);
    ck_assert_int_eq(pthread_join(by.thread, NULL), 0);
    char out[BPT_STORE_PATH + 16];
    (void)snprintf(out, sizeof out, "%s/new", world.path);
    ck_assert_int_ne(access(out, F_OK), 0);
    end(&world);
}
END_TEST

/* ---- what is no file ---- */

START_TEST(pipes_and_directories_are_no_objects_and_nobody_waits_for_them) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    ck_assert_int_eq(mkfifo(bpt_store_path(&of, "pipe"), 0600), 0);
    ck_assert_int_eq(mkdir(bpt_store_path(&of, "dir"), 0700), 0);
    bpt_err(bpt_get_whole(&of, "pipe", 0, 1), BP_ERR_NOT_FOUND);
    bpt_err(bpt_get_whole(&of, "dir", 0, 1), BP_ERR_NOT_FOUND);
    bpt_err(bpt_get_whole(&of, "pipe/x", 0, 1), BP_ERR_NOT_FOUND);
    bpt_put below = bpt_put_of("pipe/x", 10, 1);
    bpt_err(bpt_put_open(&of, &below), BP_ERR_NAME);
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_name) {
    BPT_TEST(good_names_are_objects);
    BPT_TEST(bad_names_are_nobodys);
    BPT_LOOP_TEST(names_are_as_long_as_255_bytes, 0, 2);
    BPT_TEST(links_are_not_followed);
    BPT_TEST(links_are_followed_where_they_may_be);
    BPT_LOOP_TEST(a_put_replaces_a_link, 0, 2);
    BPT_LOOP_TEST(work_is_not_behind_a_link, 0, 2);
    BPT_TEST(who_swaps_directories_for_links_leads_nobody_out);
    BPT_TEST(pipes_and_directories_are_no_objects_and_nobody_waits_for_them);
}
