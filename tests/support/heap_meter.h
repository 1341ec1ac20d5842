/* tests/support/heap_meter.h: the bytes that the library and libuv hold of the heap, with what malloc keeps of its own
 * in front of each piece. Pages that a pool has mapped are none of them: its statistics tell of those. */
#ifndef BUFPOOL_TESTS_HEAP_METER_H
#define BUFPOOL_TESTS_HEAP_METER_H

#include <stdint.h>

/* From now on they are counted, of all threads. Nothing of the library, nor of libuv, was used before. */
void bpt_heap_meter(void);
uint64_t bpt_heap_meter_bytes(void);

#endif
