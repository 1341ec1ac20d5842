#include "tests/support/shrink.h"

#include <stdlib.h>
#include <string.h>

typedef struct shrinking {
    unsigned char *items, *trial;
    size_t item_bytes, count;
    bpt_fails_fn *fails;
    void *user;
    size_t budget;
} shrinking;

/* Leaves out the items [from, from + removed) if what is left still fails. */
static bool leave_out(shrinking *s, size_t from, size_t removed) {
    const size_t left = s->count - removed, before = from * s->item_bytes;
    if (left > s->budget) {
        s->budget = 0;
        return false;
    }
    s->budget -= left;
    memcpy(s->trial, s->items, before);
    memcpy(s->trial + before, s->items + before + removed * s->item_bytes, (left - from) * s->item_bytes);
    if (!s->fails(s->trial, left, s->user)) return false;
    memcpy(s->items, s->trial, left * s->item_bytes);
    s->count = left;
    return true;
}

/* Tries without each chunk in turn, the last ones first: what comes late rests on what came before. */
static bool pass(shrinking *s, size_t chunk) {
    bool is_shorter = false;
    for (size_t end = s->count; end > 0 && s->budget > 0;) {
        const size_t from = end > chunk ? end - chunk : 0;
        is_shorter |= leave_out(s, from, end - from);
        end = from;
    }
    return is_shorter;
}

size_t bpt_shrink(void *items, size_t item_bytes, size_t count, bpt_fails_fn *fails, void *user, size_t budget) {
    shrinking s = {items, malloc(count * item_bytes), item_bytes, count, fails, user, budget};
    if (s.trial == NULL) return count;
    size_t chunk = (count + 1) / 2;
    while (chunk > 0 && s.budget > 0) {
        const bool is_shorter = pass(&s, chunk);
        if (chunk == 1 && !is_shorter) break;
        if (chunk > 1) chunk /= 2;
    }
    free(s.trial);
    return s.count;
}
