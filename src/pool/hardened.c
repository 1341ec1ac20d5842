#include "pool/pool_internal.h"
#include "base/poison.h"

#include <string.h>

/* A buffer of a hardened pool lies in a cell of whole pages, at the end of which is one that nobody may touch:
 *
 *     [lead][data: the size asked for, and slack up to the stride][untouchable page]
 *
 * While it is in use, lead and slack hold AROUND; once it came back, its data hold FREE until it is handed out again.
 * Both are odd, no ASCII and no likely count, length or pointer. */
enum { AROUND = 0xA7, FREE = 0xD5 };

enum { QUARANTINE_MIN = 4, QUARANTINE_MAX = 256 }; /* buffers per class that came back and rest */

/* ---- cells ---- */

static bool make_quarantine(bpi_class *of) {
    uint64_t size = of->rest_bytes / of->stride;
    if (size < QUARANTINE_MIN) size = QUARANTINE_MIN;
    if (size > QUARANTINE_MAX) size = QUARANTINE_MAX;
    of->quarantine.size = (uint32_t)size;
    of->quarantine.slots = bpi_os.alloc((size_t)size * sizeof(bp_buf *));
    return of->quarantine.slots != NULL;
}

bool bpi_hardened_init(bpi_class *of) {
    const size_t page = bpi_os_page_size(), in_last_page = of->stride % page;
    of->lead = in_last_page == 0 ? 0 : page - in_last_page;
    of->cell = of->lead + of->stride + page;
    of->spacing = of->cell;
    return make_quarantine(of);
}

bool bpi_hardened_guard(const bpi_class *of, uint8_t *memory, uint32_t buf_count) {
    const size_t page = bpi_os_page_size();
    for (uint32_t ix = 0; ix < buf_count; ix++) {
        if (!bpi_os.protect(memory + (ix + (size_t)1) * of->cell - page, page)) return false;
    }
    return true;
}

static bool is_all(const uint8_t *bytes, size_t size, uint8_t value) {
    return size == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Before anybody looks at a whole cell, whatever a memory checker knows of it. */
static void open_cell(const bpi_class *of, const bp_buf *buf) {
    BPI_UNPOISON(buf->data - of->lead, of->lead + of->stride);
    BPI_DEFINED(buf->data - of->lead, of->lead + of->stride);
}

/* ---- references ---- */

bool bpi_hardened_is_genuine(const bp_buf *buf) {
    if ((BPI_LOAD(&buf->state) & BPI_BUF_COUNTED) != 0 || bpi_buf_is_genuine(buf)) return true;
    bpi_misuse(BP_MISUSE_FOREIGN, buf);
    return false;
}

/* By compare and exchange, so that of releases that race for the last reference one has it and the others are told. */
bool bpi_hardened_drop(bp_buf *buf) {
    uint32_t state = BPI_LOAD_ACQUIRE(&buf->state);
    if (!bpi_hardened_is_genuine(buf)) return false;
    do {
        if ((state & BPI_BUF_REFS) == 0) {
            bpi_misuse(BP_MISUSE_DOUBLE_RELEASE, buf);
            return false;
        }
        if ((state & BPI_BUF_REFS) > BPI_BUF_REFS_MAX) return false;
    } while (!BPI_CAS_WEAK(&buf->state, &state, state - 1, __ATOMIC_ACQ_REL));
    return (state & BPI_BUF_REFS) == 1;
}

/* ---- a buffer's way out and back ---- */

/* A buffer that was never handed out has no capacity, and its bytes are as the system gave them. */
void bpi_hardened_inspect(const bpi_class *of, const bp_buf *buf) {
    if (buf->capacity == 0) return;
    open_cell(of, buf);
    if (!is_all(buf->data, of->stride, FREE)) bpi_misuse(BP_MISUSE_WRITE_FREE, buf);
}

void bpi_hardened_hand_out(const bpi_class *of, bp_buf *buf, uint32_t size) {
    bpi_hardened_inspect(of, buf);
    open_cell(of, buf);
    memset(buf->data - of->lead, AROUND, of->lead);
    memset(buf->data + size, AROUND, of->stride - size);
    BPI_POISON(buf->data - of->lead, of->lead + of->stride);
}

static void clean_up(const bpi_class *of, bp_buf *buf) {
    open_cell(of, buf);
    const bool is_whole = is_all(buf->data - of->lead, of->lead, AROUND) &&
                          is_all(buf->data + buf->capacity, of->stride - buf->capacity, AROUND);
    if (!is_whole) bpi_misuse(BP_MISUSE_OVERRUN, buf);
    memset(buf->data, FREE, of->stride);
    BPI_POISON(buf->data - of->lead, of->lead + of->stride);
}

/* ---- quarantine ---- */

static bp_buf *take_oldest(bpi_quarantine *quarantine) {
    bp_buf *oldest = quarantine->slots[quarantine->first];
    quarantine->first = (quarantine->first + 1) % quarantine->size;
    quarantine->count--;
    return oldest;
}

static void put_newest(bpi_quarantine *quarantine, bp_buf *buf) {
    quarantine->slots[(quarantine->first + quarantine->count) % quarantine->size] = buf;
    quarantine->count++;
}

/* Nothing rests in a closed pool, in a class that was removed, and while somebody waits for memory. */
static bool may_rest(const bpi_class *of) {
    return !of->is_closed && !of->is_removed && !bpi_queue_is_waiting(&of->pool->queue);
}

void bpi_hardened_rest(bpi_class *of, bp_buf *buf) {
    bp_buf *leaving = NULL;
    clean_up(of, buf);
    BPI_STORE(&buf->state, bpi_buf_flags(of->pool));
    bpi_lock_enter(&of->lock);
    bpi_depot_look(of);
    if (!may_rest(of)) {
        leaving = buf;
    } else {
        if (of->quarantine.count == of->quarantine.size) leaving = take_oldest(&of->quarantine);
        put_newest(&of->quarantine, buf);
    }
    if (leaving != NULL) bpi_depot_put(of, &leaving, 1);
    bpi_class_leave(of);
}

void bpi_quarantine_end(bpi_class *of) {
    bpi_lock_enter(&of->lock);
    while (of->quarantine.count > 0) {
        bp_buf *oldest = take_oldest(&of->quarantine);
        bpi_depot_put(of, &oldest, 1);
    }
    bpi_class_leave_unserved(of);
}

bool bpi_quarantine_is_valid(const bpi_quarantine *quarantine) {
    for (uint32_t i = 0; i < quarantine->count; i++) {
        const bp_buf *buf = quarantine->slots[(quarantine->first + i) % quarantine->size];
        if ((BPI_LOAD(&buf->state) & BPI_BUF_REFS) != 0) return false;
    }
    return quarantine->count <= quarantine->size;
}
