#define _GNU_SOURCE
#include "base/os.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

START_TEST(memory_is_zeroed_and_aligned) {
    for (size_t size = 1; size < 5000; size = size * 3) {
        unsigned char *memory = bpi_os.alloc(size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++) ck_assert_int_eq(memory[i], 0);
        bpi_os.free(memory);
        memory = bpi_os.alloc_raw(size);
        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        memset(memory, 1, size);
        bpi_os.free(memory);
    }
}
END_TEST

START_TEST(mappings_are_whole_zeroed_pages) {
    const size_t page = bpi_os_page_size();
    unsigned char *memory = bpi_os.map(3 * page);
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq((uintptr_t)memory % page, 0);
    for (size_t i = 0; i < 3 * page; i++) ck_assert_int_eq(memory[i], 0);
    bpi_os.unmap(memory, 3 * page);
    ck_assert_ptr_null(bpi_os.map(SIZE_MAX - page + 1));
}
END_TEST

START_TEST(a_process_wide_barrier_is_there) { ck_assert(bpi_os.barrier()); }
END_TEST

static int ended;

static void note_end(void *argument) { ended += *(int *)argument; }

static void *end_noted(void *argument) {
    static int replaced = 1000;
    ck_assert(bpi_os_at_thread_exit(note_end, &replaced));
    ck_assert(bpi_os_at_thread_exit(note_end, argument));
    return NULL;
}

START_TEST(the_end_of_a_thread_is_noted_once) {
    int seven = 7;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, end_noted, &seven), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(ended, 7);
}
END_TEST

static bpi_lock lock = BPI_LOCK_INIT;
static int counter;

static void *count(void *unused) {
    for (int i = 0; i < 20000; i++) {
        bpi_lock_enter(&lock);
        counter++;
        bpi_lock_leave(&lock);
    }
    return unused;
}

START_TEST(a_lock_is_held_by_one_thread_at_a_time) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(counter, 60000);
}
END_TEST

enum { MEMBERS = 8 };
static unsigned called[MEMBERS];
static int at_once;

/* Comes back only when all are there: they run at the same time. */
static void meet(void *argument, uint32_t ix) {
    __atomic_fetch_add((int *)argument, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n((int *)argument, __ATOMIC_ACQUIRE) < MEMBERS) sched_yield();
    called[ix]++;
}

START_TEST(each_of_several_threads_makes_its_call) {
    ck_assert(bpi_os_run_threads(MEMBERS, meet, &at_once));
    for (int i = 0; i < MEMBERS; i++) ck_assert_uint_eq(called[i], 1);
    ck_assert(bpi_os_run_threads(0, meet, &at_once));
    ck_assert_int_eq(at_once, MEMBERS);
}
END_TEST

static void *no_memory(size_t size) { return size == 0 ? &counter : NULL; }

START_TEST(threads_without_memory_are_not_started) {
    bpi_os.alloc = no_memory;
    ck_assert(!bpi_os_run_threads(MEMBERS, meet, &at_once));
    ck_assert_int_eq(at_once, 0);
}
END_TEST

/* No address space has room for such a stack. */
START_TEST(threads_that_the_system_refuses_are_not_waited_for) {
    pthread_attr_t attributes;
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, (size_t)1 << 47), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
    ck_assert(!bpi_os_run_threads(MEMBERS, meet, &at_once));
    ck_assert_int_eq(at_once, 0);
}
END_TEST

static void *set_event(void *event) {
    bpi_event_set(event);
    return NULL;
}

/* Whichever comes first, and the event ends as soon as it was seen. */
START_TEST(an_event_that_is_set_ends_the_wait) {
    for (int i = 0; i < 200; i++) {
        bpi_event event;
        pthread_t thread;
        bpi_event_init(&event);
        ck_assert_int_eq(pthread_create(&thread, NULL, set_event, &event), 0);
        ck_assert(bpi_event_wait(&event, i % 2 == 0 ? UINT32_MAX : UINT32_MAX - 1));
        ck_assert(bpi_event_wait(&event, 0));
        bpi_event_fini(&event);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
}
END_TEST

static uint64_t monotonic_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

START_TEST(a_wait_for_an_event_ends_after_its_time) {
    bpi_event event;
    bpi_event_init(&event);
    const uint64_t before = monotonic_ms();
    ck_assert(!bpi_event_wait(&event, 0));
    ck_assert(!bpi_event_wait(&event, 30));
    const uint64_t waited = monotonic_ms() - before;
    ck_assert_uint_ge(waited, 29);
    ck_assert_uint_lt(waited, 20000);
    bpi_event_fini(&event);
}
END_TEST

START_TEST(secrets_are_others_each_time) {
    uint8_t one[256] = {0}, two[256] = {0};
    ck_assert(bpi_os.secret(one, 16));
    ck_assert(bpi_os.secret(two, 16));
    ck_assert(memcmp(one, two, 16) != 0);
    for (size_t i = 16; i < sizeof one; i++) ck_assert_uint_eq(one[i], 0);
    ck_assert(bpi_os.secret(one, sizeof one));
    ck_assert(memcmp(one + 128, two, 128) != 0);
}
END_TEST

START_TEST(a_boot_has_the_same_id_each_time) {
    uint8_t one[16] = {0}, two[16] = {0}, none[16] = {0};
    const bool is_known = bpi_os.boot_id(one);
    ck_assert_int_eq(bpi_os.boot_id(two), is_known);
    ck_assert_mem_eq(one, two, sizeof one);
#if defined(__linux__)
    ck_assert(is_known && memcmp(one, none, sizeof one) != 0);
#else
    (void)none;
#endif
}
END_TEST

BPT_SUITE(base_os) {
    BPT_TEST(secrets_are_others_each_time);
    BPT_TEST(a_boot_has_the_same_id_each_time);
    BPT_TEST(memory_is_zeroed_and_aligned);
    BPT_TEST(mappings_are_whole_zeroed_pages);
    BPT_TEST(a_process_wide_barrier_is_there);
    BPT_TEST(the_end_of_a_thread_is_noted_once);
    BPT_TEST(a_lock_is_held_by_one_thread_at_a_time);
    BPT_TEST(each_of_several_threads_makes_its_call);
    BPT_TEST(threads_without_memory_are_not_started);
    BPT_TEST(threads_that_the_system_refuses_are_not_waited_for);
    BPT_TEST(an_event_that_is_set_ends_the_wait);
    BPT_TEST(a_wait_for_an_event_ends_after_its_time);
}
