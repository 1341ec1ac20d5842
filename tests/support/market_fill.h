/* tests/support/market_fill.h: valid messages of every type of the repository's contract, from a seed. */
#ifndef BUFPOOL_TESTS_MARKET_FILL_H
#define BUFPOOL_TESTS_MARKET_FILL_H

#include "generated/market.h"

#define BPT_MARKET_IX(name, NAME) BPT_##NAME,
enum { MARKET_MESSAGES(BPT_MARKET_IX) BPT_MARKET_COUNT };

/* The frame type of a message, by its index. */
uint16_t bpt_market_type(int message_ix);

/* A valid message, the same for the same seed, encoded into a pooled buffer; the caller's. Sizes vary with the seed
 * from the smallest to the largest that the contract allows. */
BP_NODISCARD bp_err bpt_market_pack(bp_pool *pool, int message_ix, uint64_t seed, bp_buf **out);

/* Decodes and validates a value of the message's type; the first error. */
BP_NODISCARD bp_err bpt_market_check(int message_ix, const uint8_t *value, size_t length);

#endif
