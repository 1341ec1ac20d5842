#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Lists: in the order of bytes, piece by piece, and each object once. */
#include "tests/support/store_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true}, followed = {.is_fast = true, .is_followed = true};

static void touch(const bpt_store *of, const char *name) {
    const int fd = open(bpt_store_path(of, name), O_WRONLY | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, name, strlen(name), 0), (ssize_t)strlen(name));
    (void)close(fd);
}

static void make(const bpt_store *of, const char *name) { ck_assert_int_eq(mkdir(bpt_store_path(of, name), 0700), 0); }

/* ---- what a list told ---- */

enum { TOLD_MAX = 6000 };

static struct {
    char names[TOLD_MAX][32];
    uint32_t count;
} told;

/* The size of an object of these tests is the length of its name. */
static bp_err note(bpi_call *call, const bp_object_info *object) {
    (void)call;
    bpt_must(told.count < TOLD_MAX && object->size == strlen(object->name) && object->version != 0);
    (void)snprintf(told.names[told.count++], sizeof told.names[0], "%s", object->name);
    return BP_OK;
}

static bool list(bpt_store *of, const char *prefix, const char *after, uint32_t count_max) {
    bpi_call call = {.tell = note, .store = {.name = prefix, .after = after, .count_max = count_max}};
    const uint32_t before = told.count;
    bpt_ok(bpt_store_call(of, &call, of->store->table->list));
    bpt_must(told.count - before <= count_max && (told.count != before || !call.store.has_more));
    return call.store.has_more;
}

/* All of it, count_max at a time. */
static void list_all(bpt_store *of, const char *prefix, uint32_t count_max) {
    char after[32] = "";
    told.count = 0;
    while (list(of, prefix, after, count_max)) memcpy(after, told.names[told.count - 1], sizeof after);
}

static void check(const char *const *due, uint32_t count) {
    ck_assert_uint_eq(told.count, count);
    for (uint32_t i = 0; i < count; i++) ck_assert_str_eq(told.names[i], due[i]);
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        static const char *const due[] = {__VA_ARGS__};                                                                \
        check(due, sizeof due / sizeof due[0]);                                                                        \
    } while (0)

/* ---- tests ---- */

/* "a/" is behind "a." and before "a0", wherever their files are. */
static void fill(const bpt_store *of) {
    static const char *const directories[] = {"a", "a/b", "b", "empty", ".bufpool", "\xff", "c"};
    static const char *const files[] = {"a/x", "a/b/y", "a.", "a0", "b/z", "\xc3\xa4", "\xff/x", "\xfe", ".bufpool/q", "B", "c/.bufpool9"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) make(of, directories[i]);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) touch(of, files[i]);
    ck_assert_int_eq(mkfifo(bpt_store_path(of, "pipe"), 0600), 0);
    ck_assert_int_eq(symlink("a", bpt_store_path(of, "link")), 0);
    ck_assert_int_eq(symlink("a0", bpt_store_path(of, "b/l")), 0);
    ck_assert_int_eq(symlink("nothing", bpt_store_path(of, "dangling")), 0);
}

START_TEST(names_come_in_the_order_of_their_bytes_and_once) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    list_all(&of, "", 10);
    ck_assert_uint_eq(told.count, 0);
    fill(&of);
    for (uint32_t count_max = 1; count_max < 9; count_max++) {
        list_all(&of, "", count_max);
        CHECK("B", "a.", "a/b/y", "a/x", "a0", "b/z", "\xc3\xa4");
    }
    bpt_store_end(&of);
}
END_TEST

START_TEST(prefixes_are_of_names_not_of_directories) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    fill(&of);
    list_all(&of, "a", 2);
    CHECK("a.", "a/b/y", "a/x", "a0");
    list_all(&of, "a/", 1);
    CHECK("a/b/y", "a/x");
    list_all(&of, "a/b", 1);
    CHECK("a/b/y");
    list_all(&of, "a/b/y", 1);
    CHECK("a/b/y");
    list_all(&of, "a/b/yy", 1);
    ck_assert_uint_eq(told.count, 0);
    list_all(&of, "../", 1);
    ck_assert_uint_eq(told.count, 0);
    list_all(&of, ".bufpool", 1);
    ck_assert_uint_eq(told.count, 0);
    bpt_store_end(&of);
}
END_TEST

START_TEST(after_need_not_be_a_name) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    fill(&of);
    told.count = 0;
    ck_assert(!list(&of, "", "a/c", 9));
    CHECK("a/x", "a0", "b/z", "\xc3\xa4");
    told.count = 0;
    ck_assert(!list(&of, "", "a/", 9));
    CHECK("a/b/y", "a/x", "a0", "b/z", "\xc3\xa4");
    told.count = 0;
    ck_assert(!list(&of, "b", "zzz", 9));
    ck_assert_uint_eq(told.count, 0);
    bpt_store_end(&of);
}
END_TEST

/* A link to a file has its target's size; links to directories are not gone into. */
START_TEST(links_to_files_are_told_of_where_they_are_followed) {
    bpt_store of;
    bpt_store_start(&of, &followed);
    make(&of, "b");
    touch(&of, "abc");
    ck_assert_int_eq(symlink("../abc", bpt_store_path(&of, "b/l")), 0); /* both have three bytes */
    ck_assert_int_eq(symlink(".", bpt_store_path(&of, "loop")), 0);
    list_all(&of, "", 3);
    CHECK("abc", "b/l");
    bpt_store_end(&of);
}
END_TEST

START_TEST(directories_that_cannot_be_read_have_nothing_for_us) {
    if (geteuid() == 0) return; /* who may read all of them */
    bpt_store of;
    bpt_store_start(&of, &fast);
    fill(&of);
    ck_assert_int_eq(chmod(bpt_store_path(&of, "a"), 0), 0);
    list_all(&of, "", 3);
    ck_assert_int_eq(chmod(bpt_store_path(&of, "a"), 0700), 0);
    CHECK("B", "a.", "a0", "b/z", "\xc3\xa4");
    bpt_store_end(&of);
}
END_TEST

static int compare(const void *a, const void *b) { return strcmp(a, b); }

/* In directories of all sizes, made in no order. */
START_TEST(five_thousand_objects) {
    enum { MANY = 5000, DIRECTORIES = 40 };
    static char due[MANY][32];
    bpt_store of;
    bpt_store_start(&of, &fast);
    const uint32_t many = (uint32_t)bpt_scaled(MANY) + 100;
    for (int i = 0; i < DIRECTORIES; i++) {
        (void)snprintf(due[0], sizeof due[0], "d%d", i);
        make(&of, due[0]);
    }
    for (uint32_t i = 0; i < many && i < MANY; i++) {
        const uint32_t number = i * 2654435761u;
        if (i % 3 == 0) (void)snprintf(due[i], sizeof due[i], "%08x", number);
        else (void)snprintf(due[i], sizeof due[i], "d%u/%u", i * i % DIRECTORIES, number);
        touch(&of, due[i]);
    }
    const uint32_t count = many < MANY ? many : MANY;
    qsort(due, count, sizeof due[0], compare);
    list_all(&of, "", 64);
    ck_assert_uint_eq(told.count, count);
    for (uint32_t i = 0; i < count; i++) bpt_must(strcmp(told.names[i], due[i]) == 0);
    bpt_store_end(&of);
}
END_TEST

static bp_err refuse_second(bpi_call *call, const bp_object_info *object) {
    (void)object;
    return call->told_count == 1 ? BP_ERR_NO_MEMORY : BP_OK;
}

START_TEST(whoever_has_no_memory_for_more_is_obeyed) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    fill(&of);
    bpi_call call = {.tell = refuse_second, .store = {.name = "", .after = "", .count_max = 9}};
    bpt_err(bpt_store_call(&of, &call, of.store->table->list), BP_ERR_NO_MEMORY);
    ck_assert_uint_eq(call.told_count, 1);
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_list) {
    BPT_TEST(names_come_in_the_order_of_their_bytes_and_once);
    BPT_TEST(prefixes_are_of_names_not_of_directories);
    BPT_TEST(after_need_not_be_a_name);
    BPT_TEST(links_to_files_are_told_of_where_they_are_followed);
    BPT_TEST(directories_that_cannot_be_read_have_nothing_for_us);
    BPT_TEST(five_thousand_objects);
    BPT_TEST(whoever_has_no_memory_for_more_is_obeyed);
}
