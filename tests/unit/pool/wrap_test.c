/* Bytes of others as buffers: what their owner is told, when, where, and that nothing is touched afterwards. */
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <string.h>

/* What on_release saw. */
typedef struct seen {
    unsigned count;
    bp_wrap *wrap;
    uint8_t *data;
    pthread_t thread;
    uint8_t first_byte;
} seen;

static void note(bp_wrap *wrap, uint8_t *data, void *user) {
    seen *noted = user;
    noted->count++;
    noted->wrap = wrap;
    noted->data = data;
    noted->thread = pthread_self();
    noted->first_byte = data == NULL ? 0 : data[0];
}

static uint64_t wrapped_count(const bp_buf *any) { return bpt_stats(bp_buf_pool(any)).exact_in_use; }

START_TEST(wrapped_bytes_are_a_buffer_full_of_them) {
    uint8_t bytes[101] = "wrapped";
    bp_wrap wrap;
    seen noted = {0};
    bp_buf *buf = bp_buf_wrap(&wrap, bytes + 1, 100, note, &noted);
    ck_assert_ptr_eq(bp_buf_data(buf), bytes + 1);
    ck_assert_uint_eq(bp_buf_capacity(buf), 100);
    ck_assert_uint_eq(bp_buf_length(buf), 100);
    ck_assert_uint_eq(bp_buf_type(buf), 0);
    ck_assert(!bp_buf_is_sensitive(buf));
    ck_assert_uint_eq(wrapped_count(buf), 1);
    bp_buf_retain(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(noted.count, 0);
    bp_buf_release(buf);
    ck_assert_uint_eq(noted.count, 1);
    ck_assert_ptr_eq(noted.wrap, &wrap);
    ck_assert_ptr_eq(noted.data, bytes + 1);
    ck_assert_uint_eq(noted.first_byte, 'r');
}
END_TEST

START_TEST(nothing_may_be_wrapped_and_nobody_told) {
    bp_wrap wrap;
    seen noted = {0};
    bp_buf *buf = bp_buf_wrap(&wrap, NULL, 0, note, &noted);
    ck_assert_uint_eq(bp_buf_capacity(buf), 0);
    bp_buf_set_sensitive(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(noted.count, 1);
    uint8_t bytes[4] = {0};
    buf = bp_buf_wrap(&wrap, bytes, sizeof bytes, NULL, NULL);
    ck_assert_uint_eq(wrapped_count(buf), 1);
    bp_pool *pool = bp_buf_pool(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).exact_in_use, 0);
}
END_TEST

START_TEST(a_secret_is_gone_before_its_owner_is_told) {
    uint8_t bytes[64];
    bp_wrap wrap;
    seen noted = {0};
    memset(bytes, 0x5A, sizeof bytes);
    bp_buf_release(bp_buf_wrap(&wrap, bytes, 64, note, &noted));
    ck_assert_uint_eq(noted.first_byte, 0x5A);
    bp_buf *buf = bp_buf_wrap(&wrap, bytes, 63, note, &noted);
    bp_buf_set_sensitive(buf);
    bp_buf_set_length(buf, 1); /* what is wiped is all that may have been written */
    bp_buf_release(buf);
    ck_assert_uint_eq(noted.first_byte, 0);
    ck_assert_uint_eq(bytes[62], 0);
    ck_assert_uint_eq(bytes[63], 0x5A);
}
END_TEST

static void *release_it(void *buf) {
    bp_buf_release(buf);
    return NULL;
}

START_TEST(the_owner_is_told_on_the_thread_of_the_last_release) {
    uint8_t bytes[64] = {0};
    bp_wrap wrap;
    seen noted = {0};
    bp_buf *buf = bp_buf_wrap(&wrap, bytes, 64, note, &noted);
    bp_buf_retain(buf);
    bpt_on_thread(release_it, buf);
    ck_assert_uint_eq(noted.count, 0);
    bpt_on_thread(release_it, buf);
    ck_assert_uint_eq(noted.count, 1);
    ck_assert(!pthread_equal(noted.thread, pthread_self()));
}
END_TEST

/* Both in one allocation, which the owner frees when told: the library must not look at it again. */
typedef struct parcel {
    bp_wrap wrap;
    uint8_t bytes[100];
} parcel;

static void free_parcel(bp_wrap *wrap, uint8_t *data, void *user) {
    (void)data;
    ++*(unsigned *)user;
    memset(wrap, 0xFF, sizeof(parcel));
    free(wrap);
}

START_TEST(the_owner_may_free_the_wrap) {
    unsigned freed_count = 0;
    for (unsigned i = 0; i < 10; i++) {
        parcel *made = malloc(sizeof *made);
        ck_assert_ptr_nonnull(made);
        bp_buf_release(bp_buf_wrap(&made->wrap, made->bytes, 100, free_parcel, &freed_count));
        ck_assert_uint_eq(freed_count, i + 1);
    }
}
END_TEST

/* Wraps the same bytes again when told, until it was told often enough: a ring of buffers that needs no allocation. */
typedef struct ring {
    bp_buf *buf;
    unsigned told;
} ring;

static void wrap_again(bp_wrap *wrap, uint8_t *data, void *user) {
    ring *of = user;
    of->buf = ++of->told == 3 ? NULL : bp_buf_wrap(wrap, data, of->told, wrap_again, user);
}

START_TEST(the_owner_may_wrap_it_again) {
    uint8_t bytes[16] = {0};
    bp_wrap wrap;
    ring of = {0};
    of.buf = bp_buf_wrap(&wrap, bytes, 16, wrap_again, &of);
    bp_buf_release(of.buf);
    ck_assert_uint_eq(bp_buf_capacity(of.buf), 1);
    bp_buf_release(of.buf);
    ck_assert_uint_eq(bp_buf_capacity(of.buf), 2);
    ck_assert_uint_eq(wrapped_count(of.buf), 1);
    bp_buf_release(of.buf);
    ck_assert_ptr_null(of.buf);
}
END_TEST

/* A callback with a lock of the library held could not do this. */
static void use_the_pool(bp_wrap *wrap, uint8_t *data, void *user) {
    bp_pool *pool = user;
    (void)wrap, (void)data;
    bp_buf_release(bpt_acquire(pool, BPT_LARGEST_CLASS));
    (void)bp_pool_trim(pool, false);
}

START_TEST(the_owner_may_use_any_pool_when_told) {
    bp_pool *pool = bpt_pool_new(0);
    uint8_t bytes[16] = {0};
    bp_wrap wrap;
    bp_buf_release(bp_buf_wrap(&wrap, bytes, 16, use_the_pool, pool));
    ck_assert_uint_eq(bpt_stats(pool).total.acquires, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_pool_of_wrapped_buffers_gives_none_and_stays) {
    uint8_t bytes[16] = {0};
    bp_wrap wrap, other;
    bp_buf *buf = bp_buf_wrap(&wrap, bytes, 16, NULL, NULL), *none = buf;
    bp_pool *pool = bp_pool_retain(bp_buf_pool(buf));
    ck_assert_ptr_eq(bp_buf_pool(bp_buf_wrap(&other, bytes, 16, NULL, NULL)), pool);
    ck_assert_str_eq(bpt_stats(pool).name, "wrapped");
    bpt_err(bp_pool_acquire(pool, 10, &none), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(bp_pool_stride(pool, 10), 0);
    ck_assert_uint_eq(bp_pool_trim(pool, false), 0);
    bp_pool_close(pool);
    bpt_err(bp_pool_acquire(pool, 10, &none), BP_ERR_CLOSED);
    bp_buf_release(buf);
    bp_buf_release(&other.buf);
    bp_buf_release(bp_buf_wrap(&wrap, bytes, 16, NULL, NULL)); /* closing it took nothing from anybody */
    bp_pool_release_take(&pool);
}
END_TEST

static bp_misuse misused_how;
static void note_misuse(bp_misuse what, const void *object, void *user) {
    (void)object, (void)user;
    misused_how = what;
}

START_TEST(a_second_release_is_misuse_while_the_wrap_is_there) {
    uint8_t bytes[16] = {0};
    bp_wrap wrap;
    seen noted = {0};
    bp_misuse_set(note_misuse, NULL);
    bp_buf *buf = bp_buf_wrap(&wrap, bytes, 16, note, &noted);
    bp_buf_release(buf);
    bp_buf_release(buf);
    ck_assert_int_eq(misused_how, BP_MISUSE_DOUBLE_RELEASE);
    ck_assert_uint_eq(noted.count, 1);
    ck_assert_uint_eq(wrapped_count(buf), 0);
}
END_TEST

BPT_SUITE(pool_wrap) {
    BPT_TEST(wrapped_bytes_are_a_buffer_full_of_them);
    BPT_TEST(nothing_may_be_wrapped_and_nobody_told);
    BPT_TEST(a_secret_is_gone_before_its_owner_is_told);
    BPT_TEST(the_owner_is_told_on_the_thread_of_the_last_release);
    BPT_TEST(the_owner_may_free_the_wrap);
    BPT_TEST(the_owner_may_wrap_it_again);
    BPT_TEST(the_owner_may_use_any_pool_when_told);
    BPT_TEST(the_pool_of_wrapped_buffers_gives_none_and_stays);
    BPT_TEST(a_second_release_is_misuse_while_the_wrap_is_there);
}
