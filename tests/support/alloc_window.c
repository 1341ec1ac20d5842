#include "tests/support/alloc_window.h"

#include "tests/support/callers.h"

#include <stdio.h>

static uint64_t count_before;

/* The first allocation; the rest is its thread's once is_taken is set. */
static struct {
    bool is_taken; /* atomic */
    size_t size;
    void *caller;
    void *callers[BPT_CALLERS_MAX];
    int count;
} first;

static void note(size_t size, void *caller) {
    if (__atomic_exchange_n(&first.is_taken, true, __ATOMIC_RELAXED)) return;
    first.size = size;
    first.caller = caller;
    first.count = bpt_callers_take(first.callers);
}

void bpt_alloc_window_open(void) {
    bpt_callers_prepare();
    first.count = 0;
    __atomic_store_n(&first.is_taken, false, __ATOMIC_RELAXED);
    count_before = bpt_alloc_count();
    bpt_alloc_tell(note);
}

uint64_t bpt_alloc_window_close(void) {
    bpt_alloc_tell(NULL);
    return bpt_alloc_count() - count_before;
}

/* The tracing itself is called, too: what is of interest begins where the allocation returns to. */
static int callers_from(const void *caller) {
    for (int i = 0; i < first.count; i++) {
        if (first.callers[i] == caller) return i;
    }
    return 0;
}

const char *bpt_alloc_window_first(void) {
    static char text[1024];
    const int from = callers_from(first.caller);
    text[0] = 0;
    if (first.count == 0) return text;
    const int length = snprintf(text, sizeof text, "%zu bytes: ", first.size);
    bpt_callers_print(first.callers + from, first.count - from, text + length, sizeof text - (size_t)length);
    return text;
}
