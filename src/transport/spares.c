#define _GNU_SOURCE
/* Blocks that a loop lends to its connections, and keeps for the next ones. */
#include "transport/transport_internal.h"

#include "base/os.h"

static void *pop(bpi_spares *spares) {
    bpi_spare *first = spares->first;
    spares->first = first->next;
    spares->count--;
    return first;
}

void *bpi_spares_take(bpi_spares *spares, size_t size) {
    if (spares->first == NULL) return bpi_os.alloc(size);
    void *block = pop(spares);
    if (spares->count < spares->low) spares->low = spares->count;
    return block;
}

void bpi_spares_give(bpi_spares *spares, void *block) {
    if (spares->count >= BPI_SPARES_MAX) {
        bpi_os.free(block);
        return;
    }
    bpi_spare *first = block;
    first->next = spares->first;
    spares->first = first;
    spares->count++;
}

void bpi_spares_keep_one(bpi_spares *spares, size_t size) {
    void *block = bpi_os.alloc(size);
    spares->kept++;
    if (block != NULL) bpi_spares_give(spares, block);
}

bool bpi_spares_trim(bpi_spares *spares, bool is_busy) {
    for (; !is_busy && spares->low > spares->kept; spares->low--) bpi_os.free(pop(spares));
    spares->low = spares->count;
    return spares->count > spares->kept;
}

static void free_down_to(bpi_spares *spares, uint32_t count) {
    while (spares->count > count) bpi_os.free(pop(spares));
    spares->low = spares->count;
}

void bpi_spares_rest(bpi_spares *spares) { free_down_to(spares, spares->kept); }

void bpi_spares_free(bpi_spares *spares) { free_down_to(spares, 0); }
