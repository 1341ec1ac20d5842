#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static bp_misuse misused_how;
static const void *misused;

static void note_misuse(bp_misuse what, const void *object, void *user) {
    (void)user;
    misused_how = what;
    misused = object;
}

/* ---- buffers ---- */

START_TEST(a_new_buffer_is_empty_and_aligned) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 100);
    ck_assert_uint_eq(bp_buf_capacity(buf), 100);
    ck_assert_uint_eq(bp_buf_length(buf), 0);
    ck_assert_uint_eq(bp_buf_type(buf), 0);
    ck_assert_ptr_eq(bp_buf_pool(buf), pool);
    ck_assert_uint_eq((uintptr_t)bp_buf_data(buf) % 16, 0);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(type_and_length_are_forgotten_with_the_owner) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *first = bpt_acquire(pool, 100);
    bp_buf_set_length(first, 77);
    bp_buf_set_type(first, 4711);
    ck_assert_uint_eq(bp_buf_length(first), 77);
    ck_assert_uint_eq(bp_buf_type(first), 4711);
    bp_buf_release(first);
    bp_buf *second = bpt_acquire(pool, 90);
    ck_assert_ptr_eq(second, first);
    ck_assert_uint_eq(bp_buf_length(second), 0);
    ck_assert_uint_eq(bp_buf_type(second), 0);
    ck_assert_uint_eq(bp_buf_capacity(second), 90);
    bp_buf_release(second);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_wire_header_lies_in_the_descriptor) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 0x1000);
    bp_buf_set_type(buf, 0x0102);
    bp_buf_set_length(buf, 0x0304);
    const uint8_t little_endian[] = {0x02, 0x01, 0x04, 0x03, 0, 0};
    ck_assert_mem_eq((const uint8_t *)buf + 18, little_endian, sizeof little_endian);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_length_above_the_capacity_is_misuse) {
    bp_pool *pool = bpt_pool_new(0);
    bp_misuse_set(note_misuse, NULL);
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_buf_set_length(buf, 100);
    ck_assert_ptr_null(misused);
    bp_buf_set_length(buf, 101);
    ck_assert_ptr_eq(misused, buf);
    ck_assert_int_eq(misused_how, BP_MISUSE_CAPACITY);
    ck_assert_uint_eq(bp_buf_length(buf), 100);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_retained_buffer_stays_until_its_last_release) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 100);
    ck_assert_ptr_eq(bp_buf_retain(buf), buf);
    ck_assert_ptr_eq(bp_buf_retain_plain(buf), buf);
    bp_buf_release(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    bp_buf *other = bpt_acquire(pool, 100);
    ck_assert_ptr_ne(other, buf);
    bp_buf_release_plain(buf);
    bp_buf_release(other);
    bpt_pool_end_take(&pool);
}
END_TEST

/* In a class with a magazine, in one without, and for a shared buffer. */
START_TEST(a_double_release_is_misuse_and_changes_nothing) {
    bp_pool *pool = bpt_pool_new(0);
    bp_misuse_set(note_misuse, NULL);
    bp_buf *buf = bpt_acquire(pool, _i == 1 ? BPT_LARGEST_CLASS : 100);
    if (_i == 2) {
        bp_buf_retain(buf);
        bp_buf_release(buf);
    }
    bp_buf *keeps_the_slab = bpt_acquire(pool, 100);
    bp_buf *keeps_the_pool_large = bpt_acquire(pool, BPT_LARGEST_CLASS);
    bp_buf_release(buf);
    ck_assert_ptr_null(misused);
    const bp_pool_stats before = bpt_stats(pool);
    bp_buf_release(buf);
    ck_assert_ptr_eq(misused, buf);
    ck_assert_int_eq(misused_how, BP_MISUSE_DOUBLE_RELEASE);
    ck_assert_uint_eq(bpt_stats(pool).total.idle, before.total.idle);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(keeps_the_slab);
    bp_buf_release(keeps_the_pool_large);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_free_buffer_gets_no_reference) {
    bp_pool *pool = bpt_pool_new(0);
    bp_misuse_set(note_misuse, NULL);
    bp_buf *keeps_the_slab = bpt_acquire(pool, 100);
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_buf_release(buf);
    ck_assert_ptr_eq(bp_buf_retain(buf), buf);
    ck_assert_ptr_eq(misused, buf);
    ck_assert_int_eq(misused_how, BP_MISUSE_RETAIN_FREE);
    bp_buf *first = bpt_acquire(pool, 100), *second = bpt_acquire(pool, 100);
    ck_assert_ptr_ne(first, second);
    bp_buf_release(first);
    bp_buf_release(second);
    bp_buf_release(keeps_the_slab);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

static uint32_t references_of(const bp_buf *buf) { return BPI_LOAD(&buf->state) & BPI_BUF_REFS; }

/* Each reference costs a call, so the first eight million are written down. */
START_TEST(more_references_than_can_be_counted_leave_the_buffer_stuck) {
    bp_pool *pool = bpt_pool_new(0);
    bp_misuse_set(note_misuse, NULL);
    bp_buf *buf = bpt_acquire(pool, 100);
    BPI_STORE(&buf->state, buf->state + BPI_BUF_REFS_MAX - 2);
    bp_buf_retain(buf);
    ck_assert_ptr_null(misused);
    ck_assert_uint_eq(references_of(buf), BPI_BUF_REFS_MAX);
    bp_buf_release(buf);
    bp_buf_retain(buf);
    ck_assert_ptr_null(misused);
    ck_assert_ptr_eq(bp_buf_retain(buf), buf);
    ck_assert_ptr_eq(misused, buf);
    ck_assert_int_eq(misused_how, BP_MISUSE_REFERENCES);
    const uint32_t stuck = references_of(buf);
    ck_assert_uint_gt(stuck, BPI_BUF_REFS_MAX + 1000000);
    ck_assert_uint_lt(stuck, BPI_BUF_REFS - 1000000);
    for (uint32_t i = 0; i < 1000; i++) bp_buf_release(buf);
    ck_assert_uint_eq(references_of(buf), stuck);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    BPI_STORE(&buf->state, (buf->state & ~BPI_BUF_REFS) | 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

static void *retain_and_release(void *buf) {
    for (uint32_t i = 0; i < 20000; i++) {
        bp_buf_retain(buf);
        if (i % 2 == 0) bp_buf_release(buf);
    }
    return NULL;
}

static void count_misuse(bp_misuse what, const void *object, void *user) {
    (void)object;
    if (what == BP_MISUSE_REFERENCES) (void)BPI_FETCH_ADD((uint32_t *)user, 1, __ATOMIC_RELAXED);
}

START_TEST(threads_that_count_too_far_do_not_wrap) {
    bp_pool *pool = bpt_pool_new(0);
    static uint32_t reported;
    pthread_t threads[3];
    bp_misuse_set(count_misuse, &reported);
    bp_buf *buf = bpt_acquire(pool, 100);
    BPI_STORE(&buf->state, buf->state + BPI_BUF_REFS_MAX - 5000);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, retain_and_release, buf), 0);
    }
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_gt(reported, 0);
    ck_assert_uint_gt(references_of(buf), BPI_BUF_REFS_MAX);
    BPI_STORE(&buf->state, (buf->state & ~BPI_BUF_REFS) | 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(null_may_be_released) {
    bp_pool *pool = NULL;
    bp_buf *buf = NULL;
    bp_buf_release(NULL);
    bp_buf_release_plain(NULL);
    bp_buf_release_take(&buf);
    bp_pool_release_take(&pool);
    ck_assert_uint_eq(bp_misuse_count(), 0);
}
END_TEST

START_TEST(an_auto_buffer_is_released_at_the_end_of_its_scope) {
    bp_pool *pool = bpt_pool_new(0);
    {
        BP_AUTO_BUF(buf);
        ck_assert_ptr_null(buf);
        bpt_ok(bp_pool_acquire_plain(pool, 60, &buf));
        ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    }
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- a pool of one's own ---- */

typedef struct own_pool {
    bp_pool head;
    int out_count, close_count;
    bool *is_freed;
} own_pool;

static bp_err own_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    if (size > 1000) return BP_ERR_ARGUMENT;
    bp_buf *buf = malloc(sizeof *buf + (size_t)size);
    if (buf == NULL) return BP_ERR_NO_MEMORY;
    bp_buf_init(buf, pool, (uint8_t *)(buf + 1), (uint32_t)size);
    ((own_pool *)(void *)pool)->out_count++;
    *out = buf;
    return BP_OK;
}

static void own_release(bp_pool *pool, bp_buf *buf) {
    ((own_pool *)(void *)pool)->out_count--;
    free(buf);
}

static void own_free(bp_pool *pool) {
    *((own_pool *)(void *)pool)->is_freed = true;
    free(pool);
}

static void own_close(bp_pool *pool) { ((own_pool *)(void *)pool)->close_count++; }

static const bp_pool_table own_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = own_acquire,
    .release = own_release,
    .free = own_free,
    .close = own_close,
};

static own_pool *own_new(const bp_pool_table *table, bool *is_freed) {
    own_pool *pool = calloc(1, sizeof *pool);
    ck_assert_ptr_nonnull(pool);
    bpt_ok(bp_pool_init(&pool->head, table));
    pool->is_freed = is_freed;
    return pool;
}

START_TEST(a_table_without_a_mandatory_slot_is_refused) {
    bp_pool_table table = own_table;
    bp_pool pool;
    if (_i == 0) table.acquire = NULL;
    if (_i == 1) table.release = NULL;
    if (_i == 2) table.free = NULL;
    if (_i == 3) table.table_bytes = offsetof(bp_pool_table, free);
    bpt_err(bp_pool_init(&pool, &table), BP_ERR_ARGUMENT);
}
END_TEST

START_TEST(an_own_pool_serves_through_its_table) {
    bool is_freed = false;
    own_pool *own = own_new(&own_table, &is_freed);
    bp_pool *pool = &own->head;
    bp_buf *buf = bpt_acquire(pool, 100);
    ck_assert_int_eq(own->out_count, 1);
    bp_buf_retain(buf);
    bp_buf_release(buf);
    ck_assert_int_eq(own->out_count, 1);
    bp_buf_release_take(&buf);
    ck_assert_int_eq(own->out_count, 0);
    bpt_err(bp_pool_acquire(pool, 1001, &buf), BP_ERR_ARGUMENT);
    bpt_err(bp_pool_acquire(pool, 0, &buf), BP_ERR_ARGUMENT);
    bpt_ok(bp_pool_acquire_class(pool, 3, 10, &buf));
    bp_buf_release(buf);
    bp_pool_release_take(&pool);
    ck_assert(is_freed);
}
END_TEST

START_TEST(slots_that_an_own_pool_lacks_have_defaults) {
    bool is_freed = false;
    bp_pool_table table = own_table;
    table.table_bytes = offsetof(bp_pool_table, close); /* written before there was a close slot */
    own_pool *own = own_new(&table, &is_freed);
    bp_pool *pool = &own->head;
    bp_class_stats of_class;
    ck_assert_uint_eq(bp_pool_trim(pool, false), 0);
    ck_assert_uint_eq(bp_pool_stride(pool, 77), 77);
    ck_assert_uint_eq(bpt_stats(pool).class_count, 0);
    bpt_err(bp_pool_class_stats_read(pool, 0, &of_class), BP_ERR_ARGUMENT);
    bp_pool_close(pool);
    ck_assert_int_eq(own->close_count, 0);
    bp_buf *buf = NULL;
    bpt_err(bp_pool_acquire(pool, 10, &buf), BP_ERR_CLOSED);
    bp_pool_release_take(&pool);
    ck_assert(is_freed);
}
END_TEST

/* Every optional slot, each with an answer that no default gives. */
static uint64_t full_trim(bp_pool *pool, bool keep_idle) { return pool != NULL && keep_idle ? 1111 : 2222; }
static uint64_t full_stride(const bp_pool *pool, uint64_t size) { return pool == NULL ? 0 : size + 3; }
static void full_stats(bp_pool *pool, bp_pool_stats *out) { out->name = pool == NULL ? "" : "full"; }
static bp_err full_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    out->size = pool == NULL ? 0 : class_ix + 16;
    return BP_OK;
}

/* What a full pool answers, no default does. */
static bp_err full_reserve(bp_pool *pool, bp_reservation *reservation) {
    (void)pool;
    reservation->detail.queue = reservation;
    return BP_PENDING;
}
static bool full_cancel(bp_pool *pool, bp_reservation *reservation) {
    return pool != NULL && reservation->detail.queue == reservation;
}
static bp_err full_class_add(bp_pool *pool, const bp_class *added) {
    return pool != NULL && added->size == 48 ? BP_OK : BP_ERR_LIMIT;
}
static bp_err full_class_remove(bp_pool *pool, uint32_t size) {
    return pool != NULL && size == 64 ? BP_OK : BP_ERR_LIMIT;
}

static const bp_pool_table full_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = own_acquire,
    .release = own_release,
    .free = own_free,
    .close = own_close,
    .trim = full_trim,
    .stride = full_stride,
    .stats = full_stats,
    .class_stats = full_class_stats,
    .reserve = full_reserve,
    .cancel = full_cancel,
    .class_add = full_class_add,
    .class_remove = full_class_remove,
};

enum { CLOSE, TRIM, STRIDE, STATS, CLASS_STATS, RESERVE, CANCEL, CLASS_ADD, CLASS_REMOVE, SLOT_COUNT };
static const size_t slot_offsets[SLOT_COUNT] = {
    offsetof(bp_pool_table, close),     offsetof(bp_pool_table, trim),        offsetof(bp_pool_table, stride),
    offsetof(bp_pool_table, stats),     offsetof(bp_pool_table, class_stats), offsetof(bp_pool_table, reserve),
    offsetof(bp_pool_table, cancel),    offsetof(bp_pool_table, class_add),   offsetof(bp_pool_table, class_remove),
};

static void never_called(bp_reservation *reservation) { ck_abort_msg("told of %p", (void *)reservation); }

/* Without a reserve slot the pool's acquire answers. */
static void check_waiting(bp_pool *pool, const bool *has) {
    bp_reservation wish = {.size = 10, .on_done = never_called};
    bpt_err(bp_pool_reserve(pool, &wish), has[RESERVE] ? BP_PENDING : BP_OK);
    ck_assert(has[RESERVE] == (wish.buf == NULL));
    bp_buf_release(wish.buf);
    wish.detail.queue = &wish;
    ck_assert(bp_pool_cancel(pool, &wish) == has[CANCEL]);
    bpt_err(bp_pool_reserve(pool, &wish), BP_ERR_ARGUMENT); /* it says that it waits already */
}

static void check_classes(bp_pool *pool, const bool *has) {
    const bp_class added = {.size = 48};
    bpt_err(bp_pool_class_add(pool, &added), has[CLASS_ADD] ? BP_OK : BP_ERR_ARGUMENT);
    bpt_err(bp_pool_class_remove(pool, 64), has[CLASS_REMOVE] ? BP_OK : BP_ERR_ARGUMENT);
}

/* has: whether the pool has each slot. */
static void check_slots(own_pool *own, const bool *has) {
    bp_pool *pool = &own->head;
    bp_class_stats of_class;
    bp_buf *buf = NULL;
    ck_assert_uint_eq(bp_pool_trim(pool, true), has[TRIM] ? 1111 : 0);
    ck_assert_uint_eq(bp_pool_trim(pool, false), has[TRIM] ? 2222 : 0);
    ck_assert_uint_eq(bp_pool_stride(pool, 77), has[STRIDE] ? 80 : 77);
    ck_assert_uint_eq(bp_pool_stride(pool, UINT64_C(1) << 32), has[STRIDE] ? (UINT64_C(1) << 32) + 3 : 0);
    ck_assert_str_eq(bpt_stats(pool).name, has[STATS] ? "full" : "");
    bpt_err(bp_pool_class_stats_read(pool, 2, &of_class), has[CLASS_STATS] ? BP_OK : BP_ERR_ARGUMENT);
    ck_assert_uint_eq(of_class.size, has[CLASS_STATS] ? 18 : 0);
    check_waiting(pool, has);
    check_classes(pool, has);
    bp_pool_close(pool);
    bp_pool_close(pool);
    ck_assert_int_eq(own->close_count, has[CLOSE]);
    bpt_err(bp_pool_acquire(pool, 10, &buf), BP_ERR_CLOSED);
}

/* One slot is NULL and all others are there. */
START_TEST(each_slot_may_be_missing) {
    bool is_freed = false, has[SLOT_COUNT];
    bp_pool_table table = full_table;
    for (int i = 0; i < SLOT_COUNT; i++) has[i] = i != _i;
    if (_i < SLOT_COUNT) memset((char *)&table + slot_offsets[_i], 0, sizeof table.close);
    own_pool *own = own_new(&table, &is_freed);
    check_slots(own, has);
    bp_pool *pool = &own->head;
    bp_pool_release_take(&pool);
    ck_assert(is_freed);
}
END_TEST

/* The table was written when only the slots before this one were known; what lies behind it is not looked at. */
START_TEST(a_table_may_end_before_each_slot) {
    bool is_freed = false, has[SLOT_COUNT];
    bp_pool_table table = full_table;
    for (int i = 0; i < SLOT_COUNT; i++) has[i] = i < _i;
    if (_i < SLOT_COUNT) table.table_bytes = (uint32_t)slot_offsets[_i];
    own_pool *own = own_new(&table, &is_freed);
    check_slots(own, has);
    bp_pool *pool = &own->head;
    bp_pool_release_take(&pool);
    ck_assert(is_freed);
}
END_TEST

START_TEST(a_buffer_keeps_an_own_pool_alive) {
    bool is_freed = false;
    own_pool *own = own_new(&own_table, &is_freed);
    bp_pool *pool = bp_pool_retain(&own->head);
    bp_pool *again = pool;
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_pool_release_take(&again);
    ck_assert_int_eq(own->close_count, 0);
    bp_pool_close(pool);
    bp_pool_release_take(&pool);
    ck_assert_int_eq(own->close_count, 1);
    ck_assert(!is_freed);
    bp_buf_release(buf);
    ck_assert(is_freed);
}
END_TEST

BPT_SUITE(pool_pool) {
    BPT_TEST(a_new_buffer_is_empty_and_aligned);
    BPT_TEST(type_and_length_are_forgotten_with_the_owner);
    BPT_TEST(the_wire_header_lies_in_the_descriptor);
    BPT_TEST(a_length_above_the_capacity_is_misuse);
    BPT_TEST(a_retained_buffer_stays_until_its_last_release);
    BPT_LOOP_TEST(a_double_release_is_misuse_and_changes_nothing, 0, 3);
    BPT_TEST(a_free_buffer_gets_no_reference);
    BPT_TEST(more_references_than_can_be_counted_leave_the_buffer_stuck);
    BPT_TEST(threads_that_count_too_far_do_not_wrap);
    BPT_TEST(null_may_be_released);
    BPT_TEST(an_auto_buffer_is_released_at_the_end_of_its_scope);
    BPT_LOOP_TEST(a_table_without_a_mandatory_slot_is_refused, 0, 4);
    BPT_TEST(an_own_pool_serves_through_its_table);
    BPT_TEST(slots_that_an_own_pool_lacks_have_defaults);
    BPT_LOOP_TEST(each_slot_may_be_missing, 0, SLOT_COUNT + 1);
    BPT_LOOP_TEST(a_table_may_end_before_each_slot, 0, SLOT_COUNT + 1);
    BPT_TEST(a_buffer_keeps_an_own_pool_alive);
}
