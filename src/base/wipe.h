/* base/wipe.h: zeros that stay. */
#ifndef BUFPOOL_BASE_WIPE_H
#define BUFPOOL_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

/* Sets size bytes to zero, even where the compiler knows that nobody reads them again: the empty statement takes the
 * address, so the stores before it must happen (gcc manual, "Extended Asm", clobber "memory"). */
static inline void bpi_wipe(void *memory, size_t size) {
    if (size == 0) return;
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

#endif
