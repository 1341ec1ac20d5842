/* tests/support/shrink.h: makes a failing sequence as short as it can be. */
#ifndef BUFPOOL_TESTS_SHRINK_H
#define BUFPOOL_TESTS_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the sequence fails. */
typedef bool bpt_fails_fn(const void *items, size_t count, void *user);

/* Leaves of the count items, which fail, only those without which they would not: delta debugging (Zeller, Hildebrandt,
 * "Simplifying and isolating failure-inducing input", 2002), down to single items, and two at once
 * where few are left. Returns how many are left, from items
 * on. budget bounds the items that are tried in all; when it is used up, more may be left than necessary. */
size_t bpt_shrink(void *items, size_t item_bytes, size_t count, bpt_fails_fn *fails, void *user, size_t budget);

#endif
