/* tests/support/os_meter.h: how many bytes the pools of a test hold from the system, seen from the system's side: an
 * oracle that knows nothing of what a pool says that it has committed. */
#ifndef BUFPOOL_TESTS_OS_METER_H
#define BUFPOOL_TESTS_OS_METER_H

#include <stdint.h>

/* From now on mappings and exact allocations are counted; no pool may exist. What is mapped for threads is counted as
 * well: let them have their blocks before (bpt_os_meter_thread), and end after the test has read what it wants. */
void bpt_os_meter(void);
/* The calling thread's block is made now, and not counted. */
void bpt_os_meter_thread(void);
/* Bytes held now, the most that ever were, and what is held beyond that for the pools' own bookkeeping. */
uint64_t bpt_os_meter_bytes(void);
uint64_t bpt_os_meter_peak(void);
uint64_t bpt_os_meter_bookkeeping(void);

#endif
