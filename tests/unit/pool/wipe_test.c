/* Sensitive buffers: wiped when the last reference goes, whoever gives it back. */
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>

/* A pool of one buffer, which looks at what comes back. */
typedef struct glass_pool {
    bp_pool head;
    bp_buf buf;
    uint8_t bytes[256];
    unsigned returned;
    bool is_zero; /* of the last that came back */
} glass_pool;

static glass_pool glass;

static bp_err glass_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    bp_buf_init(&glass.buf, pool, glass.bytes, (uint32_t)size);
    *out = &glass.buf;
    return BP_OK;
}

static bool is_all(const uint8_t *bytes, size_t length, uint8_t value) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != value) return false;
    }
    return true;
}

static void glass_release(bp_pool *pool, bp_buf *buf) {
    (void)pool;
    glass.returned++;
    glass.is_zero = is_all(buf->data, buf->capacity, 0);
}

static void glass_free(bp_pool *pool) { (void)pool; }

static bp_pool *glass_new(void) {
    static const bp_pool_table table = {.table_bytes = sizeof table,
                                        .acquire = glass_acquire,
                                        .release = glass_release,
                                        .free = glass_free};
    memset(&glass, 0, sizeof glass);
    bpt_ok(bp_pool_init(&glass.head, &table));
    return &glass.head;
}

static bp_buf *filled(bp_pool *pool, uint32_t size) {
    bp_buf *buf = bpt_acquire(pool, size);
    memset(bp_buf_data(buf), 0x5A, size);
    return buf;
}

START_TEST(only_what_is_sensitive_is_wiped) {
    bp_pool *pool = glass_new();
    bp_buf *plain = filled(pool, 200);
    ck_assert(!bp_buf_is_sensitive(plain));
    bp_buf_release(plain);
    ck_assert(glass.returned == 1 && is_all(glass.bytes, 200, 0x5A));
    bp_buf *secret = filled(pool, 200);
    bp_buf_set_sensitive(secret);
    ck_assert(bp_buf_is_sensitive(secret));
    bp_buf_release(secret);
    ck_assert(glass.returned == 2 && glass.is_zero);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(the_last_reference_wipes) {
    bp_pool *pool = glass_new();
    bp_buf *buf = filled(pool, 256);
    bp_buf_set_sensitive(bp_buf_retain(buf)); /* marked while it is shared */
    bp_buf_release(buf);
    ck_assert(glass.returned == 0 && is_all(glass.bytes, 256, 0x5A));
    bp_buf_release(buf);
    ck_assert(glass.returned == 1 && glass.is_zero);
    bp_pool_release_take(&pool);
}
END_TEST

/* What was written before a shorter message took its place is a secret as well. */
START_TEST(shrinking_leaves_nothing_unwiped) {
    bp_pool *pool = glass_new();
    bp_buf *buf = filled(pool, 256);
    bp_buf_set_sensitive(buf);
    bp_buf_set_length(buf, 256);
    bp_buf_set_length(buf, 1);
    bp_buf_release(buf);
    ck_assert(glass.returned == 1 && is_all(glass.bytes, 256, 0));
    bp_pool_release_take(&pool);
}
END_TEST

/* The same buffer comes back to the same thread: what the last holder wrote must be gone, and the mark with it. */
START_TEST(the_next_holder_sees_zeros) {
    const uint32_t sizes[] = {1, 64, 100, 1024, 4096, BPT_LARGEST_CLASS};
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = filled(pool, sizes[_i]);
    const uint8_t *data = bp_buf_data(buf);
    bp_buf_set_sensitive(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).total.wiped, 1);
    buf = bpt_acquire(pool, sizes[_i]);
    ck_assert_ptr_eq(bp_buf_data(buf), data);
    ck_assert(!bp_buf_is_sensitive(buf));
    ck_assert(is_all(data, sizes[_i], 0));
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).total.wiped, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

static void *release_it(void *buf) {
    bp_buf_release(buf);
    return NULL;
}

START_TEST(another_thread_wipes_too) {
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < 100; i++) {
        bp_buf *buf = filled(pool, 128);
        bp_buf_set_sensitive(buf);
        bpt_on_thread(release_it, buf);
    }
    ck_assert_uint_eq(bpt_stats(pool).total.wiped, 100);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_closed_pool_wipes_too) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = filled(pool, 1024), *witness = bpt_acquire(pool, 1024);
    bp_buf_set_sensitive(buf);
    bp_pool_close(pool);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_class_stats(pool, 2).wiped, 1);
    bp_buf_release(witness);
    bpt_pool_end_take(&pool);
}
END_TEST

static unsigned misused;
static void on_misuse(bp_misuse what, const void *object, void *user) {
    (void)object;
    (void)user;
    misused += what == BP_MISUSE_RETAIN_FREE;
}

START_TEST(a_free_buffer_cannot_be_marked) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 64);
    bp_misuse_set(on_misuse, NULL);
    bp_buf_release(buf);
    bp_buf_set_sensitive(buf);
    ck_assert_uint_eq(misused, 1);
    buf = bpt_acquire(pool, 64);
    ck_assert(!bp_buf_is_sensitive(buf));
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_wipe) {
    BPT_TEST(only_what_is_sensitive_is_wiped);
    BPT_TEST(the_last_reference_wipes);
    BPT_TEST(shrinking_leaves_nothing_unwiped);
    BPT_LOOP_TEST(the_next_holder_sees_zeros, 0, 6);
    BPT_TEST(another_thread_wipes_too);
    BPT_TEST(a_closed_pool_wipes_too);
    BPT_TEST(a_free_buffer_cannot_be_marked);
}
