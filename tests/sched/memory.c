#include "tests/sched/internal.h"

/* ---- stores that their thread has made and that are not in memory yet, oldest first ---- */

enum { STORE_MAX = 256 };

typedef struct waiting_store {
    void *to;
    uint64_t value;
    uint32_t size;
    bool is_held, is_release;
} waiting_store;

typedef struct store_queue {
    uint32_t count;
    waiting_store stores[STORE_MAX];
} store_queue;

static store_queue queues[BPT_THREAD_MAX];
static bpt_memory model;
static const char *weakened_key;

void bpt_memory_reset(bpt_memory memory, const char *weakened) {
    for (int i = 0; i < BPT_THREAD_MAX; i++) queues[i].count = 0;
    model = memory;
    weakened_key = weakened;
}

static int order_of(const bpt_site *site) {
    return weakened_key != NULL && strcmp(site->key, weakened_key) == 0 ? __ATOMIC_RELAXED : site->order;
}

static bool is_release(int order) {
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

/* Whether the store must stay behind one that is still there. */
static bool is_behind(const store_queue *queue, uint32_t ix) {
    const waiting_store *store = &queue->stores[ix];
    if (model != BPT_PSO || store->is_release) return ix > 0;
    for (uint32_t i = 0; i < ix; i++) {
        if (queue->stores[i].to == store->to) return true;
    }
    return false;
}

static void write_out(store_queue *queue, uint32_t ix) {
    const waiting_store store = queue->stores[ix];
    queue->count--;
    memmove(&queue->stores[ix], &queue->stores[ix + 1], (queue->count - ix) * sizeof store);
    memcpy(store.to, &store.value, store.size);
}

/* Everything becomes visible that is not held back and not behind such a store. */
static void drain(store_queue *queue) {
    uint32_t ix = 0;
    while (ix < queue->count) {
        if (queue->stores[ix].is_held || is_behind(queue, ix)) {
            ix++;
        } else {
            write_out(queue, ix);
            ix = 0;
        }
    }
}

static void let_go(store_queue *queue, const void *address) {
    for (uint32_t i = 0; i < queue->count; i++) {
        if (address == NULL || queue->stores[i].to == address) queue->stores[i].is_held = false;
    }
    drain(queue);
}

void bpt_memory_fence(int thread) { let_go(&queues[thread], NULL); }

void bpt_memory_lock_taken(int thread) {
    if (model != BPT_PSO) bpt_memory_fence(thread);
}

void bpt_memory_release_one(int thread) {
    store_queue *queue = &queues[thread];
    uint32_t ix = 0;
    while (!queue->stores[ix].is_held) ix++;
    queue->stores[ix].is_held = false;
    drain(queue);
}

bool bpt_memory_is_waiting(int thread, const void *address) {
    const store_queue *queue = &queues[thread];
    for (uint32_t i = 0; i < queue->count; i++) {
        if (address == NULL || queue->stores[i].to == address) return true;
    }
    return false;
}

/* ---- the operations ---- */

static void trace(const bpt_site *site, uint64_t value, const char *what) {
    const char *slash = strrchr(site->file, '/');
    bpt_trace("%s:%d %s = %#llx%s", slash == NULL ? site->file : slash + 1, site->line, site->key,
              (unsigned long long)value, what);
}

void bpt_load(const bpt_site *site, const void *from, void *out, uint32_t size) {
    uint64_t value = 0;
    bpt_point(from, false);
    memcpy(&value, from, size);
    if (bpt_current_thread() >= 0) {
        const store_queue *own = &queues[bpt_current_thread()];
        for (uint32_t i = 0; i < own->count; i++) {
            if (own->stores[i].to == from) value = own->stores[i].value;
        }
    }
    if (bpt_is_tracing()) trace(site, value, "");
    memcpy(out, &value, size);
}

static bool is_to_be_held(const void *to) {
    static const bpt_option options[] = {{.action = 'c'}, {.action = 'h', .holds = 1}};
    if (model == BPT_STRONG || !bpt_is_open()) return false;
    if (!bpt_place_is_shared(to)) {
        bpt_count_step();
        return false;
    }
    return bpt_decide(options, 2).action == 'h';
}

void bpt_store(const bpt_site *site, void *to, const void *value, uint32_t size) {
    const int order = order_of(site);
    bpt_point(to, true);
    if (bpt_current_thread() < 0) {
        memcpy(to, value, size);
        return;
    }
    store_queue *queue = &queues[bpt_current_thread()];
    if (queue->count == STORE_MAX) bpt_wrong("too many stores wait");
    waiting_store *store = &queue->stores[queue->count++];
    *store = (waiting_store){.to = to, .size = size, .is_release = is_release(order)};
    memcpy(&store->value, value, size);
    store->is_held = order != __ATOMIC_SEQ_CST && is_to_be_held(to);
    if (bpt_is_tracing()) trace(site, store->value, store->is_held ? ", held back" : "");
    drain(queue);
    if (order == __ATOMIC_SEQ_CST) let_go(queue, NULL);
}

void bpt_modify(const bpt_site *site, void *of) {
    bpt_point(of, true);
    if (bpt_current_thread() < 0) return;
    const bool is_fence = model != BPT_PSO || is_release(order_of(site));
    let_go(&queues[bpt_current_thread()], is_fence ? NULL : of);
    if (bpt_is_tracing()) trace(site, 0, "");
}

/* ---- places that threads share ---- */

enum { PLACE_COUNT = 1 << 14 };

typedef struct place {
    const void *address;
    uint8_t readers, writers; /* a bit per thread */
} place;

static place places[PLACE_COUNT];
static bool is_any_new;

void bpt_places_forget(void) {
    memset(places, 0, sizeof places);
    is_any_new = false;
}

static place *place_of(const void *address) {
    uint32_t ix = (uint32_t)((uint64_t)(uintptr_t)address * UINT64_C(0x9E3779B97F4A7C15) >> 50);
    while (places[ix].address != NULL && places[ix].address != address) ix = (ix + 1) % PLACE_COUNT;
    return &places[ix];
}

static bool is_shared(const place *at) {
    const uint32_t users = at->readers | (uint32_t)at->writers;
    return at->writers != 0 && (users & (users - 1)) != 0;
}

void bpt_place_use(const void *address, int thread, bool is_write) {
    place *at = place_of(address);
    const bool was_shared = is_shared(at);
    at->address = address;
    *(is_write ? &at->writers : &at->readers) |= (uint8_t)(1u << thread);
    is_any_new = is_any_new || was_shared != is_shared(at);
}

/* A replay does not know yet, and decides nothing that the schedule does not say. */
bool bpt_place_is_shared(const void *address) { return bpt_is_tracing() || is_shared(place_of(address)); }

bool bpt_places_changed(void) { return is_any_new; }

void bpt_places_accept(void) { is_any_new = false; }
