/* The classic mistakes of pools that let callers wait, one test each. (The order of callbacks of two who release is in
 * queue_test.c, wiping after shrinking in wipe_test.c, a class constant of another pool in size_class_test.c.) */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <pthread.h>

enum { LIMIT = 4 * BPT_LARGEST_CLASS, LARGE = 3 * BPT_LARGEST_CLASS, COUNT = 256 };

/* ---- a thread that sleeps on full caches ---- */

typedef struct sleeper {
    bp_pool *pool;
    bp_buf *kept;
    pthread_barrier_t step;
} sleeper;

static void count_told(bp_reservation *reservation) { ((bpt_wish *)reservation->user)->told++; }

static void *fill_caches_and_sleep(void *argument) {
    sleeper *self = argument;
    bp_buf *held[COUNT];
    for (int i = 0; i < COUNT; i++) held[i] = bpt_acquire(self->pool, 2000);
    for (int i = 1; i < COUNT; i++) bp_buf_release(held[i]);
    self->kept = held[0];
    (void)pthread_barrier_wait(&self->step);
    (void)pthread_barrier_wait(&self->step); /* asleep, with all that in its magazine */
    return NULL;
}

static pthread_t start_sleeper(sleeper *self) {
    pthread_t thread;
    self->pool = bpt_pool_new(LIMIT + (1 << 20));
    ck_assert_int_eq(pthread_barrier_init(&self->step, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, fill_caches_and_sleep, self), 0);
    (void)pthread_barrier_wait(&self->step);
    ck_assert_uint_gt(bpt_class_stats(self->pool, 3).idle, COUNT / 3);
    return thread;
}

static void end_sleeper(sleeper *self, pthread_t thread) {
    (void)pthread_barrier_wait(&self->step);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(bpi_pool_is_valid(self->pool));
    bpt_pool_end_take(&self->pool);
}

/* What sleeps with the thread is taken when somebody begins to wait; what it holds comes back from another thread. */
START_TEST(nobody_waits_for_what_a_sleeping_thread_hoards) {
    sleeper self;
    const pthread_t thread = start_sleeper(&self);
    const uint64_t all = LIMIT + (1 << 20) - sizeof(bp_buf);
    bpt_wish wish = {0};
    bpt_wish_waits(self.pool, &wish, all);
    ck_assert_uint_le(bpt_stats(self.pool).committed_bytes, 64 * 1024); /* the slab of the one that is held */
    ck_assert(bpi_pool_is_valid(self.pool));
    bp_buf_release(self.kept);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    end_sleeper(&self, thread);
}
END_TEST

/* Though nobody recalled anything before: what came to rest since the caller's own attempt is taken as well. */
START_TEST(the_first_who_waits_takes_what_sleeps) {
    sleeper self;
    const pthread_t thread = start_sleeper(&self);
    bpt_wish wish = {.reservation = {.size = LIMIT + (1 << 20) - 100000, .on_done = count_told, .user = &wish}};
    bp_buf_release_take(&self.kept);
    bpt_ok(bpi_queue_wait(&bpi_sized_of(self.pool)->queue, &wish.reservation));
    ck_assert_uint_eq(wish.told, 0);
    bpt_wish_release(&wish);
    end_sleeper(&self, thread);
}
END_TEST

/* Without the barrier a sleeping thread's stock cannot be taken; when it works again, any trim does. */
START_TEST(a_trim_serves_who_waits) {
    sleeper self;
    const pthread_t thread = start_sleeper(&self);
    bpt_wish wish = {0};
    bp_buf_release_take(&self.kept);
    bpt_os_set_barrier(false);
    bpt_wish_waits(self.pool, &wish, LIMIT + (1 << 20) - 100000);
    bpt_os_set_barrier(true);
    (void)bp_pool_trim(self.pool, false);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    end_sleeper(&self, thread);
}
END_TEST

/* ---- one live buffer in every slab ---- */

/* Fills the pool with buffers of 1,000 bytes; keeps one of every slab. */
static uint32_t keep_one_per_slab(bp_pool *pool, bp_buf **kept) {
    static bp_buf *all[20000];
    uint32_t count = 0, kept_count = 0;
    while (bp_pool_acquire(pool, 1000, &all[count]) == BP_OK) count++;
    for (uint32_t i = 0; i < count; i++) {
        const bool is_first = i == 0 || bpi_buf_slab(all[i]) != bpi_buf_slab(all[i - 1]);
        if (is_first) kept[kept_count++] = all[i];
    }
    for (uint32_t i = 0, next = 0; i < count; i++) {
        if (next < kept_count && all[i] == kept[next]) {
            next++;
        } else {
            bp_buf_release(all[i]);
        }
    }
    return kept_count;
}

START_TEST(a_live_buffer_pins_its_slab_and_only_until_it_comes_back) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    static bp_buf *kept[20000];
    bpt_wish wish = {0};
    bpt_os_set_barrier(false); /* in the order of the slabs */
    const uint32_t count = keep_one_per_slab(pool, kept);
    ck_assert_uint_gt(count, 3);
    bpt_wish_waits(pool, &wish, LARGE);
    for (uint32_t i = 0; i < count && wish.told == 0; i++) {
        const uint64_t before = bpt_stats(pool).committed_bytes;
        const uint64_t slab = bpi_buf_slab(kept[i])->mapped_bytes;
        bp_buf_release_take(&kept[i]);
        const uint64_t after = bpt_stats(pool).committed_bytes - (wish.told == 0 ? 0 : LARGE + sizeof(bp_buf));
        ck_assert_uint_eq(after, before - slab);
        ck_assert_int_eq(wish.told == 1, LIMIT - after >= LARGE + sizeof(bp_buf));
        ck_assert(bpi_pool_is_valid(pool));
    }
    bpt_wish_is_granted(&wish); /* when there was room, and not only when all was back */
    ck_assert_ptr_nonnull(kept[count - 1]);
    for (uint32_t i = 0; i < count; i++) bp_buf_release(kept[i]);
    bpt_wish_release(&wish);
    bpt_pool_end_take(&pool);
}
END_TEST

/* A slab that was kept for the one who waited before, and is whole again when another one is the first. */
START_TEST(what_was_kept_for_one_is_given_to_the_next) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    bpi_sized *sized = bpi_sized_of(pool);
    bp_buf *held = bpt_acquire(pool, 1000);
    bpt_wish wish = {0};
    bpt_wish_waits(pool, &wish, LIMIT - 1000);
    BPI_STORE(&sized->wanted, bpi_buf_slab(held)->owner); /* as if that one had just left */
    bp_buf_release(held);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- the end of threads ---- */

typedef struct ending {
    bp_pool *pool;
    bp_buf *buf;
    bpt_wish *wish;
} ending;

static pthread_key_t late_key;
static int late_round;

static void late_destructor(void *argument) {
    static __thread int round;
    ending *self = argument;
    if (round++ < late_round) {
        (void)pthread_setspecific(late_key, argument);
        return;
    }
    bp_buf_release_take(&self->buf);
}

static void *take_and_end(void *argument) {
    ending *self = argument;
    self->buf = bpt_acquire(self->pool, LARGE - 100000); /* exact, and a small one that gives the thread its block */
    bp_buf_release(bpt_acquire(self->pool, 100));
    (void)pthread_setspecific(late_key, argument);
    bpt_wish_waits(self->pool, self->wish, LARGE);
    return NULL;
}

START_TEST(a_release_by_a_late_destructor_serves_who_waits) {
    bpt_wish wish = {0};
    bpt_os_watch();
    ending self = {.pool = bpt_pool_new(LIMIT), .wish = &wish};
    late_round = _i;
    bp_buf_release(bpt_acquire(self.pool, 100)); /* the library's key is the older one, so its round ends first */
    ck_assert_int_eq(pthread_key_create(&late_key, late_destructor), 0);
    bpt_on_thread(take_and_end, &self);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* Told while its thread's entries are taken down: what it does with the pool must not open one of them again. */
static void use_the_pool(bp_reservation *reservation) {
    bpt_wish *wish = reservation->user;
    bp_pool *pool = bp_buf_pool(reservation->buf);
    wish->told++;
    bp_buf_release_take(&reservation->buf);
    for (int i = 0; i < BPT_CLASS_COUNT; i++) bp_buf_release(bpt_acquire(pool, bpt_classes[i].size));
}

static void *hoard_and_end(void *argument) {
    ending *self = argument;
    bp_buf *held[COUNT];
    bpt_os_set_barrier(false); /* the thread's stock goes back when it ends */
    for (int i = 0; i < COUNT; i++) held[i] = bpt_acquire(self->pool, 2000);
    for (int i = 0; i < COUNT; i++) bp_buf_release(held[i]);
    self->wish->reservation =
        (bp_reservation){.size = LIMIT + (1 << 20) - 100000, .on_done = use_the_pool, .user = self->wish};
    bpt_err(bp_pool_reserve(self->pool, &self->wish->reservation), BP_PENDING);
    return NULL;
}

START_TEST(the_end_of_a_thread_serves_who_waits_for_its_stock) {
    bpt_wish wish = {0};
    bpt_os_watch();
    ending self = {.pool = bpt_pool_new(LIMIT + (1 << 20)), .wish = &wish};
    bpt_on_thread(hoard_and_end, &self);
    ck_assert_uint_eq(wish.told, 1);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_mistakes) {
    BPT_TEST(nobody_waits_for_what_a_sleeping_thread_hoards);
    BPT_TEST(the_first_who_waits_takes_what_sleeps);
    BPT_TEST(a_trim_serves_who_waits);
    BPT_TEST(what_was_kept_for_one_is_given_to_the_next);
    BPT_TEST(a_live_buffer_pins_its_slab_and_only_until_it_comes_back);
#ifdef BPI_HAS_TSAN
    BPT_LOOP_TEST(a_release_by_a_late_destructor_serves_who_waits, 0, 2); /* it ends itself in the last round */
#else
    BPT_LOOP_TEST(a_release_by_a_late_destructor_serves_who_waits, 0, 4);
#endif
    BPT_TEST(the_end_of_a_thread_serves_who_waits_for_its_stock);
}
