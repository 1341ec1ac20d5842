#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Puts of the directory store: which parts it takes, and what makes an object of them. */
#include "tests/support/alloc_count.h"
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include "base/crc32c.h"

#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true};

/* Writes a part as a peer may who lies about it: no number fits another. */
typedef struct lie {
    uint64_t part, offset;
    uint32_t length, crc_error;
    uint8_t fill;
} lie;

static bp_err write_lie(bpt_store *of, const bpt_put *put, lie what) {
    static uint8_t data[2 * BPT_PART];
    memset(data, what.fill, sizeof data);
    bpi_call call = {.store = {.object = put->object, .part = what.part, .offset = what.offset, .data = data,
                               .length = what.length, .crc = bpi_crc32c(0, data, what.length) + what.crc_error}};
    return bpt_store_call(of, &call, of->store->table->write);
}

/* A pseudo-random one of the parts that may be written now. */
static uint64_t choose(const uint8_t *is_done, uint64_t count, uint64_t first, uint64_t *random) {
    const uint64_t end = first + BPI_DIR_WINDOW < count ? first + BPI_DIR_WINDOW : count;
    for (;;) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        const uint64_t part = first + (*random >> 33) % (end - first);
        if (!is_done[part]) return part;
    }
}

START_TEST(parts_come_in_any_order_within_the_window) {
    enum { COUNT = 300 };
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", COUNT * BPT_PART - 100, (uint32_t)_i);
    uint8_t is_done[COUNT] = {0};
    uint64_t first = 0, random = (uint64_t)_i;
    bpt_ok(bpt_put_open(&of, &put));
    while (first < COUNT) {
        const uint64_t part = choose(is_done, COUNT, first, &random);
        bpt_must(bpt_put_part(&of, &put, part) == BP_OK);
        is_done[part] = 1;
        while (first < COUNT && is_done[first]) first++;
    }
    bpt_ok(bpt_put_commit(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, put.seed));
    bpt_store_end(&of);
}
END_TEST

START_TEST(parts_that_cannot_be_are_refused_and_change_nothing) {
    static const struct {
        lie what;
        bp_err err;
    } rows[] = {
        {{100, 100 * BPT_PART, BPT_PART, 0, 9}, BP_ERR_PART},     /* not in the object */
        {{65, 65 * BPT_PART, BPT_PART, 0, 9}, BP_ERR_PART},       /* beyond the window: 0 is done */
        {{UINT64_MAX, 0 - (uint64_t)BPT_PART, BPT_PART, 0, 9}, BP_ERR_PART},
        {{UINT64_MAX / BPT_PART + 2, BPT_PART, BPT_PART, 0, 9}, BP_ERR_PART}, /* its offset overflows */
        {{1, BPT_PART, BPT_PART - 1, 0, 9}, BP_ERR_PART},
        {{1, BPT_PART, BPT_PART + 1, 0, 9}, BP_ERR_PART},
        {{1, BPT_PART, 0, 0, 9}, BP_ERR_PART},
        {{1, 2 * BPT_PART, BPT_PART, 0, 9}, BP_ERR_ARGUMENT},     /* another one's place */
        {{1, BPT_PART, BPT_PART, 1, 9}, BP_ERR_CHECKSUM},
    };
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 100 * BPT_PART, 3);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_part(&of, &put, 0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) bpt_err(write_lie(&of, &put, rows[i].what), rows[i].err);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, put.seed));
    bpt_store_end(&of);
}
END_TEST

/* The first bytes stay: they are what the log's sum is of. */
START_TEST(a_part_that_is_done_is_not_written_again) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 5 * BPT_PART, 3);
    bpt_ok(bpt_put_open(&of, &put));
    static const uint64_t parts[] = {0, 2};
    for (size_t i = 0; i < 2; i++) {
        bpt_ok(bpt_put_part(&of, &put, parts[i]));
        bpt_ok(write_lie(&of, &put, (lie){parts[i], parts[i] * BPT_PART, BPT_PART, 0, 9}));
    }
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, put.seed));
    bpt_store_end(&of);
}
END_TEST

/* ---- sizes that are known at the end ---- */

START_TEST(an_object_of_unknown_size_ends_with_its_commit) {
    static const uint64_t sizes[] = {0, 1, BPT_PART, BPT_PART + 1, 70 * BPT_PART, 70 * BPT_PART + 9};
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", BP_SIZE_UNKNOWN, 5);
    put.bytes = sizes[_i];
    bpt_ok(bpt_put_open(&of, &put));
    for (uint64_t part = 0; part < bpt_put_count(&put); part++) bpt_ok(bpt_put_part(&of, &put, part));
    bpt_ok(bpt_put_commit(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", sizes[_i], 5));
    bpt_store_end(&of);
}
END_TEST

START_TEST(behind_a_short_part_there_is_none) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", BP_SIZE_UNKNOWN, 5);
    put.bytes = 3 * BPT_PART + 7;
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_part(&of, &put, 1));
    bpt_err(write_lie(&of, &put, (lie){0, 0, 100, 0, 1}), BP_ERR_PART); /* 1 is there */
    bpt_ok(bpt_put_part(&of, &put, 3));
    bpt_err(write_lie(&of, &put, (lie){4, 4 * BPT_PART, BPT_PART, 0, 1}), BP_ERR_PART);
    bpt_err(write_lie(&of, &put, (lie){2, 2 * BPT_PART, 8, 0, 1}), BP_ERR_PART);
    put.bytes++;
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_PART_MISSING);
    put.bytes--;
    bpt_put_close(&of, &put);
    bpt_ok(bpt_put_open(&of, &put)); /* and the log knows as much */
    bpt_err(write_lie(&of, &put, (lie){4, 4 * BPT_PART, BPT_PART, 0, 1}), BP_ERR_PART);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.bytes, 5));
    bpt_store_end(&of);
}
END_TEST

/* ---- commit ---- */

START_TEST(what_is_not_whole_is_not_committed_and_can_be_gone_on_with) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 3 * BPT_PART, 5);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_part(&of, &put, 0));
    bpt_ok(bpt_put_part(&of, &put, 2));
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_PART_MISSING);
    bpt_ok(bpt_put_part(&of, &put, 1));
    put.seed++;
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_CHECKSUM);
    put.seed--;
    put.bytes--;
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_PART_MISSING);
    put.bytes++;
    ck_assert(!bpt_store_has(&of, "object"));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 3);
    bpt_ok(bpt_put_commit(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, put.seed));
    bpt_store_end(&of);
}
END_TEST

START_TEST(the_last_commit_of_a_name_has_it) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put one = bpt_put_of("object", 3 * BPT_PART, 1), two = bpt_put_of("object", 2 * BPT_PART, 2);
    bpt_ok(bpt_put_open(&of, &one));
    bpt_ok(bpt_put_open(&of, &two));
    ck_assert(memcmp(&one.token, &two.token, sizeof one.token) != 0);
    bpt_ok(bpt_put_part(&of, &one, 0));
    bpt_ok(bpt_put_rest(&of, &two));
    bpt_ok(bpt_get_whole(&of, "object", two.size, 2));
    bpt_ok(bpt_put_rest(&of, &one));
    bpt_ok(bpt_get_whole(&of, "object", one.size, 1));
    ck_assert_uint_ne(one.version, two.version);
    bpt_put_close(&of, &one);
    bpt_put_close(&of, &two);
    bpt_store_end(&of);
}
END_TEST

START_TEST(a_directory_in_the_way_is_an_error_of_the_name) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put_whole(&of, "a/b", 10, 1);
    bpt_put put = bpt_put_of("a", 10, 1), below = bpt_put_of("a/b/c", 10, 1), late = bpt_put_of("later", 10, 1);
    bpt_err(bpt_put_open(&of, &put), BP_ERR_NAME);
    ck_assert_ptr_null(put.object);
    bpt_err(bpt_put_open(&of, &below), BP_ERR_NAME);
    bpt_ok(bpt_put_open(&of, &late));
    ck_assert_int_eq(mkdir(bpt_store_path(&of, "later"), 0700), 0);
    bpt_err(bpt_put_rest(&of, &late), BP_ERR_NAME);
    bpt_put_close(&of, &late);
    ck_assert_int_eq(rmdir(bpt_store_path(&of, "later")), 0);
    bpt_ok(bpt_put_open(&of, &late));
    ck_assert(!late.is_committed);
    bpt_ok(bpt_put_rest(&of, &late));
    bpt_put_close(&of, &late);
    bpt_ok(bpt_get_whole(&of, "later", 10, 1));
    bpt_store_end(&of);
}
END_TEST

START_TEST(what_is_thrown_away_is_unknown) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 3 * BPT_PART, 1);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_part(&of, &put, 1));
    bpt_ok(bpt_put_abort(&of, &put));
    bpt_put_close(&of, &put);
    ck_assert_int_ne(access(bpt_work_path(&of, &put.token, ".part"), F_OK), 0);
    ck_assert_int_ne(access(bpt_work_path(&of, &put.token, ".log"), F_OK), 0);
    bpt_err(bpt_put_open(&of, &put), BP_ERR_NOT_FOUND);
    bpt_store_end(&of);
}
END_TEST

START_TEST(a_put_that_is_over_takes_nothing_more) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 2 * BPT_PART, 1);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_err(bpt_put_part(&of, &put, 0), BP_ERR_ARGUMENT);
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_ARGUMENT);
    bpt_err(bpt_put_abort(&of, &put), BP_ERR_ARGUMENT);
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, 1));
    put = bpt_put_of("object", 1, 1);
    put.part_size = 0;
    bpt_err(bpt_put_open(&of, &put), BP_ERR_PART_SIZE);
    bpt_store_end(&of);
}
END_TEST

/* ---- what others do to its files ---- */

START_TEST(a_part_file_that_was_cut_is_not_committed) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", 3 * BPT_PART, 1);
    bpt_ok(bpt_put_open(&of, &put));
    for (uint64_t part = 0; part < 3; part++) bpt_ok(bpt_put_part(&of, &put, part));
    ck_assert_int_eq(truncate(bpt_work_path(&of, &put.token, ".part"), 3 * BPT_PART - 1), 0);
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_PART_MISSING);
    ck_assert(!bpt_store_has(&of, "object"));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_put_open(&of, &put)); /* and then it is looked at */
    ck_assert_uint_eq(put.first, 2);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, 1));
    bpt_store_end(&of);
}
END_TEST

/* The bytes of a last part that could not be written whole, and was shorter the next time. */
START_TEST(a_part_file_that_is_too_long_is_cut) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", BP_SIZE_UNKNOWN, 1);
    put.bytes = BPT_PART + 10;
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_int_eq(truncate(bpt_work_path(&of, &put.token, ".part"), 2 * BPT_PART), 0);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.bytes, 1));
    bpt_store_end(&of);
}
END_TEST

static bool same_secret(void *out, size_t size) { return memset(out, 7, size) != NULL; }

START_TEST(a_token_that_is_taken_harms_nobody) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpi_os.secret = same_secret;
    bpt_put put = bpt_put_of("object", 2 * BPT_PART, 1), other = bpt_put_of("other", 10, 2);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_part(&of, &put, 1));
    bpt_err(bpt_put_open(&of, &other), BP_ERR_BUSY);
    bpt_put_close(&of, &put);
    bpt_err(bpt_put_open(&of, &other), BP_ERR_SYSTEM);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert(bpt_put_has(&put, 1));
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, 1));
    bpi_os = bpi_os_system;
    bpt_store_end(&of);
}
END_TEST

/* ---- many at once ---- */

typedef struct many {
    bpi_call call;
    uint8_t data[BPT_PART];
    bp_err err;
    unsigned *left;
} many;

static void count_answer(bpi_call *call, bp_err err) {
    many *of = call->owner;
    of->err = err;
    (*of->left)--;
}

/* A window of parts is on its way to libuv's threads at the same time, and some of them twice. */
START_TEST(parts_are_under_way_at_the_same_time) {
    enum { COUNT = BPI_DIR_WINDOW };
    static many calls[COUNT + 8];
    unsigned left = COUNT + 8;
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = bpt_put_of("object", COUNT * BPT_PART, 8);
    bpt_ok(bpt_put_open(&of, &put));
    for (uint64_t i = 0; i < COUNT + 8; i++) {
        const uint64_t part = COUNT - 1 - i % COUNT;
        many *one = &calls[i];
        bpt_fill(one->data, BPT_PART, 8, part * BPT_PART);
        one->left = &left;
        one->call = (bpi_call){.owner = one, .on_answer = count_answer,
                               .store = {.object = put.object, .part = part, .offset = part * BPT_PART,
                                         .data = one->data, .length = BPT_PART,
                                         .crc = bpi_crc32c(0, one->data, BPT_PART)}};
        bpi_call_begin(&one->call, of.store, of.store->table->write, of.loop);
    }
    while (left != 0) (void)uv_run(&of.uv, UV_RUN_ONCE);
    for (int i = 0; i < COUNT + 8; i++) bpt_must(calls[i].err == BP_OK);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", put.size, 8));
    bpt_store_end(&of);
}
END_TEST

/* ---- memory ---- */

static void no_matter(bpi_call *call, bp_err err) { *(bp_err *)call->owner = err; }

static void write_and_read(bpt_store *of, void *put, void *get, uint64_t part) {
    static uint8_t data[BPT_PART];
    static bpi_call call;
    bp_err err = BP_PENDING;
    bpt_fill(data, sizeof data, 1, part * BPT_PART);
    call = (bpi_call){.owner = &err, .on_answer = no_matter,
                      .store = {.object = put, .part = part, .offset = part * BPT_PART, .data = data,
                                .length = sizeof data, .crc = bpi_crc32c(0, data, sizeof data)}};
    bpi_call_begin(&call, of->store, of->store->table->write, of->loop);
    while (err == BP_PENDING) (void)uv_run(&of->uv, UV_RUN_ONCE);
    bpt_must(err == BP_OK);
    err = BP_PENDING;
    call.store.object = get;
    bpi_call_begin(&call, of->store, of->store->table->read, of->loop);
    while (err == BP_PENDING) (void)uv_run(&of->uv, UV_RUN_ONCE);
    bpt_must(err == BP_OK);
}

START_TEST(a_part_allocates_nothing) {
    enum { COUNT = 100, WARM_UP = 10 };
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put_whole(&of, "there", COUNT * BPT_PART, 1);
    bpt_put put = bpt_put_of("object", COUNT * BPT_PART, 1);
    bpt_ok(bpt_put_open(&of, &put));
    bpi_call get = {.store = {.name = "there"}};
    bpt_ok(bpt_store_call(&of, &get, of.store->table->get_open));
    for (uint64_t part = 0; part < WARM_UP; part++) write_and_read(&of, put.object, get.store.object, part);
    const uint64_t before = bpt_alloc_count();
    for (uint64_t part = WARM_UP; part < COUNT; part++) write_and_read(&of, put.object, get.store.object, part);
    const uint64_t after = bpt_alloc_count();
    ck_assert_uint_eq(after, before);
    bpt_ok(bpt_store_call(&of, &get, of.store->table->close));
    bpt_put_close(&of, &put);
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_put) {
    BPT_TEST(a_part_allocates_nothing);
    BPT_LOOP_TEST(parts_come_in_any_order_within_the_window, 1, 4);
    BPT_TEST(parts_that_cannot_be_are_refused_and_change_nothing);
    BPT_TEST(a_part_that_is_done_is_not_written_again);
    BPT_LOOP_TEST(an_object_of_unknown_size_ends_with_its_commit, 0, 6);
    BPT_TEST(behind_a_short_part_there_is_none);
    BPT_TEST(what_is_not_whole_is_not_committed_and_can_be_gone_on_with);
    BPT_TEST(the_last_commit_of_a_name_has_it);
    BPT_TEST(a_directory_in_the_way_is_an_error_of_the_name);
    BPT_TEST(what_is_thrown_away_is_unknown);
    BPT_TEST(a_put_that_is_over_takes_nothing_more);
    BPT_TEST(a_part_file_that_was_cut_is_not_committed);
    BPT_TEST(a_part_file_that_is_too_long_is_cut);
    BPT_TEST(a_token_that_is_taken_harms_nobody);
    BPT_TEST(parts_are_under_way_at_the_same_time);
}
