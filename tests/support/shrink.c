#include "tests/support/shrink.h"

#include <stdlib.h>
#include <string.h>

enum { PAIRS_MAX = 40 }; /* items of which every two are tried */

typedef struct shrinking {
    unsigned char *items, *trial;
    size_t item_bytes, count;
    bpt_fails_fn *fails;
    void *user;
    size_t budget;
} shrinking;

/* Copies the items [from, end) to the place number to of the trial. */
static void copy(shrinking *s, size_t to, size_t from, size_t end) {
    memcpy(s->trial + to * s->item_bytes, s->items + from * s->item_bytes, (end - from) * s->item_bytes);
}

/* Keeps the first left items of the trial instead of all, if they fail. */
static bool keep_trial(shrinking *s, size_t left) {
    if (left > s->budget) {
        s->budget = 0;
        return false;
    }
    s->budget -= left;
    if (!s->fails(s->trial, left, s->user)) return false;
    memcpy(s->items, s->trial, left * s->item_bytes);
    s->count = left;
    return true;
}

/* Leaves out the items [from, end) if what is left still fails. */
static bool leave_out(shrinking *s, size_t from, size_t end) {
    copy(s, 0, 0, from);
    copy(s, from, end, s->count);
    return keep_trial(s, s->count - (end - from));
}

/* Some go only together, such as one that undoes another. */
static bool leave_out_two(shrinking *s, size_t first, size_t second) {
    copy(s, 0, 0, first);
    copy(s, first, first + 1, second);
    copy(s, second - 1, second + 1, s->count);
    return keep_trial(s, s->count - 2);
}

static bool leave_out_any_two(shrinking *s) {
    for (size_t second = s->count; second-- > 1;) {
        for (size_t first = second; first-- > 0;) {
            if (leave_out_two(s, first, second)) return true;
        }
    }
    return false;
}

/* Tries without each chunk in turn, the last ones first: what comes late rests on what came before. */
static bool pass(shrinking *s, size_t chunk) {
    bool is_shorter = false;
    for (size_t end = s->count; end > 0 && s->budget > 0;) {
        const size_t from = end > chunk ? end - chunk : 0;
        is_shorter |= leave_out(s, from, end);
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
    while (s.count <= PAIRS_MAX && leave_out_any_two(&s)) {}
    free(s.trial);
    return s.count;
}
