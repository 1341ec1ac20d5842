#define _GNU_SOURCE
#include "tests/support/mem_store.h"

#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 4096, PUTS = 4096, CALLS = 8192, THREADS = 2 };

/* What is under a name. Whoever reads it keeps it. */
typedef struct thing {
    char name[BP_OBJECT_NAME_MAX + 1];
    uint8_t *data;
    uint64_t size, version;
    uint32_t crc, users;
    bool is_gone; /* another one has its name */
} thing;

typedef struct put {
    char name[BP_OBJECT_NAME_MAX + 1];
    bp_token token;
    uint8_t *data, *done; /* a byte for each part */
    uint64_t size, part_size, parts, reach, version;
    bool is_open, is_committed, is_aborted;
} put;

/* An open object: one of the two. */
typedef struct handle {
    put *put;
    thing *thing;
} handle;

typedef struct held_call {
    bp_store_call *call;
    bpt_mem_fn fn;
} held_call;

typedef struct mem_store {
    bp_store store; /* first: a store of a mem_store is a mem_store */
    bpt_mem_way way;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    pthread_t threads[THREADS];
    bool is_ending;
    thing *things[OBJECTS];
    put *puts[PUTS];
    unsigned thing_count, put_count, open_count, held_count;
    held_call held[CALLS];
    uint64_t versions, tokens, seed; /* seed: by which its own threads pick a call */
    unsigned calls[BPT_MEM_FNS], fail_before;
    bpt_mem_fn fail_fn;
    bp_err fail_err;
} mem_store;

static mem_store *mem(bp_store *store) { return (mem_store *)store; }

/* ---- bytes ---- */

static uint8_t object_byte(uint64_t at, uint64_t seed) {
    const uint64_t x = (at / 8 + 1) * UINT64_C(0x9E3779B97F4A7C15) + seed * UINT64_C(0xBF58476D1CE4E5B9);
    return (uint8_t)((x ^ (x >> 29)) >> (at % 8 * 8));
}

void bpt_object_fill(uint8_t *out, uint64_t offset, size_t length, uint64_t seed) {
    for (size_t i = 0; i < length; i++) out[i] = object_byte(offset + i, seed);
}

bool bpt_object_is(const uint8_t *bytes, uint64_t offset, size_t length, uint64_t seed) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != object_byte(offset + i, seed)) return false;
    }
    return true;
}

uint32_t bpt_object_sum(uint64_t size, uint64_t seed) {
    uint8_t piece[4096];
    uint32_t crc = 0;
    for (uint64_t at = 0; at < size; at += sizeof piece) {
        const size_t count = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        bpt_object_fill(piece, at, count, seed);
        crc = bp_crc32c(crc, piece, count);
    }
    return crc;
}

/* ---- objects ---- */

static thing *find_thing(mem_store *m, const char *name) {
    for (unsigned i = 0; i < m->thing_count; i++) {
        if (strcmp(m->things[i]->name, name) == 0) return m->things[i];
    }
    return NULL;
}

static void give_thing(thing *t) {
    if (--t->users != 0) return;
    free(t->data);
    free(t);
}

/* Takes the data. Names are kept in the order of their bytes. */
static thing *add_thing(mem_store *m, const char *name, uint8_t *data, uint64_t size) {
    unsigned at = 0;
    thing *t = calloc(1, sizeof *t);
    memcpy(t->name, name, strlen(name) + 1);
    t->data = data;
    t->size = size;
    t->version = ++m->versions;
    t->crc = bp_crc32c(0, data, size);
    t->users = 1;
    while (at < m->thing_count && strcmp(m->things[at]->name, name) < 0) at++;
    if (at < m->thing_count && strcmp(m->things[at]->name, name) == 0) {
        m->things[at]->is_gone = true;
        give_thing(m->things[at]);
    } else {
        bpt_must(m->thing_count < OBJECTS);
        memmove(&m->things[at + 1], &m->things[at], (m->thing_count++ - at) * sizeof m->things[0]);
    }
    m->things[at] = t;
    return t;
}

static void *open_handle(mem_store *m, handle what) {
    handle *h = malloc(sizeof *h);
    *h = what;
    m->open_count++;
    return h;
}

/* ---- puts ---- */

static put *find_put(mem_store *m, const bp_token *token) {
    for (unsigned i = 0; i < m->put_count; i++) {
        if (memcmp(&m->puts[i]->token, token, sizeof *token) == 0) return m->puts[i];
    }
    return NULL;
}

/* For parts up to this one; of an object whose size is known, for all at once. */
static void make_room(put *p, uint64_t part, uint64_t end) {
    if (part >= p->parts) {
        p->done = realloc(p->done, part + 1);
        memset(p->done + p->parts, 0, part + 1 - p->parts);
        p->parts = part + 1;
    }
    if (end <= p->reach) return;
    p->data = realloc(p->data, end);
    p->reach = end;
}

static put *new_put(mem_store *m, const bp_store_call *call) {
    put *p = calloc(1, sizeof *p);
    bpt_must(m->put_count < PUTS);
    m->puts[m->put_count++] = p;
    memcpy(p->name, call->name, strlen(call->name) + 1);
    p->size = call->size;
    p->part_size = call->part_size;
    m->tokens++;
    memcpy(p->token.bytes, &m->tokens, sizeof m->tokens);
    if (p->size != 0 && p->size != BP_SIZE_UNKNOWN) make_room(p, (p->size - 1) / p->part_size, p->size);
    return p;
}

static void free_put(mem_store *m, put *p) {
    unsigned at = 0;
    while (m->puts[at] != p) at++;
    m->puts[at] = m->puts[--m->put_count];
    free(p->data);
    free(p->done);
    free(p);
}

static bp_err do_put_open(mem_store *m, bp_store_call *call) {
    static const bp_token none;
    const bool is_new = memcmp(&call->token, &none, sizeof none) == 0;
    put *p = is_new ? new_put(m, call) : find_put(m, &call->token);
    if (p == NULL) return BP_ERR_NOT_FOUND;
    if (p->is_open) return BP_ERR_BUSY;
    if (strcmp(p->name, call->name) != 0 || p->size != call->size || p->part_size != call->part_size) {
        return BP_ERR_CHANGED;
    }
    p->is_open = true;
    call->token = p->token;
    call->version = p->version;
    call->is_committed = p->is_committed;
    while (call->first < p->parts && p->done[call->first]) call->first++;
    for (uint64_t i = 0; i < 64 && call->first + i < p->parts; i++) {
        call->have |= (uint64_t)p->done[call->first + i] << i;
    }
    call->object = open_handle(m, (handle){.put = p});
    return BP_OK;
}

static bp_err do_write(mem_store *m, bp_store_call *call) {
    put *p = ((handle *)call->object)->put;
    if (m->store.table->does_crc && bp_crc32c(0, call->data, call->length) != call->crc) return BP_ERR_CHECKSUM;
    bpt_must(call->offset == call->part * p->part_size && call->length <= p->part_size);
    make_room(p, call->part, call->offset + call->length);
    bpt_must(!p->done[call->part]);
    p->done[call->part] = 1;
    memcpy(p->data + call->offset, call->data, call->length);
    return BP_OK;
}

static bp_err do_commit(mem_store *m, bp_store_call *call) {
    put *p = ((handle *)call->object)->put;
    for (uint64_t i = 0; i < p->parts; i++) {
        call->part = i;
        if (!p->done[i]) return BP_ERR_PART_MISSING;
    }
    call->part = BP_PART_NONE;
    if (p->reach != call->size) return BP_ERR_PART_MISSING;
    if (bp_crc32c(0, p->data, p->reach) != call->crc) return BP_ERR_CHECKSUM;
    p->version = call->version = add_thing(m, p->name, p->data, p->reach)->version;
    p->data = NULL;
    p->is_committed = true;
    return BP_OK;
}

static bp_err do_abort(mem_store *m, bp_store_call *call) {
    put *p = ((handle *)call->object)->put;
    (void)m;
    p->is_aborted = true;
    return BP_OK;
}

/* ---- gets ---- */

static bp_err do_get_open(mem_store *m, bp_store_call *call) {
    thing *t = find_thing(m, call->name);
    if (t == NULL) return BP_ERR_NOT_FOUND;
    if (call->version != 0 && call->version != t->version) return BP_ERR_CHANGED;
    t->users++;
    call->size = t->size;
    call->version = t->version;
    call->crc = t->crc;
    call->has_crc = true;
    call->object = open_handle(m, (handle){.thing = t});
    return BP_OK;
}

static bp_err do_read(mem_store *m, bp_store_call *call) {
    const thing *t = ((handle *)call->object)->thing;
    if (t->is_gone) return BP_ERR_CHANGED;
    bpt_must(call->offset <= t->size && call->length <= t->size - call->offset);
    memcpy(call->data, t->data + call->offset, call->length);
    if (m->store.table->does_crc) call->crc = bp_crc32c(0, call->data, call->length);
    return BP_OK;
}

static bp_err do_close(mem_store *m, bp_store_call *call) {
    handle *h = call->object;
    if (h->thing != NULL) give_thing(h->thing);
    if (h->put != NULL) h->put->is_open = false;
    if (h->put != NULL && h->put->is_aborted) free_put(m, h->put);
    m->open_count--;
    free(h);
    return BP_OK;
}

static bp_err do_list(mem_store *m, bp_store_call *call) {
    uint32_t count = 0;
    for (unsigned i = 0; i < m->thing_count; i++) {
        const thing *t = m->things[i];
        if (strncmp(t->name, call->name, strlen(call->name)) != 0 || strcmp(t->name, call->after) <= 0) continue;
        call->has_more = count == call->count_max;
        if (call->has_more) break;
        const bp_object_info info = {.name = t->name, .size = t->size, .version = t->version};
        const bp_err err = bp_store_tell(call, &info);
        if (err != BP_OK) return err;
        count++;
    }
    return BP_OK;
}

/* ---- calls ---- */

typedef bp_err do_fn(mem_store *m, bp_store_call *call);
static do_fn *const functions[BPT_MEM_FNS] = {
    [BPT_MEM_PUT_OPEN] = do_put_open, [BPT_MEM_WRITE] = do_write,       [BPT_MEM_COMMIT] = do_commit,
    [BPT_MEM_ABORT] = do_abort,       [BPT_MEM_GET_OPEN] = do_get_open, [BPT_MEM_READ] = do_read,
    [BPT_MEM_CLOSE] = do_close,       [BPT_MEM_LIST] = do_list,
};

static void answer(mem_store *m, held_call held) {
    bp_err err = BP_OK;
    pthread_mutex_lock(&m->lock);
    m->calls[held.fn]++;
    const bool is_failed = m->fail_err != BP_OK && m->fail_fn == held.fn && m->fail_before-- == 0;
    if (is_failed) {
        err = m->fail_err;
        m->fail_err = BP_OK;
    } else {
        err = functions[held.fn](m, held.call);
    }
    pthread_mutex_unlock(&m->lock);
    bp_store_answer(held.call, err);
}

static unsigned next_random(uint64_t *seed, unsigned below) {
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* With the lock. */
static held_call pick(mem_store *m, uint64_t *seed) {
    const unsigned ix = next_random(seed, m->held_count);
    const held_call held = m->held[ix];
    m->held[ix] = m->held[--m->held_count];
    return held;
}

static void *work(void *user) {
    mem_store *m = user;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        while (m->held_count == 0 && !m->is_ending) pthread_cond_wait(&m->has_work, &m->lock);
        if (m->held_count == 0) break;
        const held_call held = pick(m, &m->seed);
        pthread_mutex_unlock(&m->lock);
        answer(m, held);
        pthread_mutex_lock(&m->lock);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static void begin(bp_store *store, bp_store_call *call, bpt_mem_fn fn) {
    mem_store *m = mem(store);
    const held_call held = {call, fn};
    if (m->way == BPT_MEM_INSIDE) {
        answer(m, held);
        return;
    }
    pthread_mutex_lock(&m->lock);
    bpt_must(m->held_count < CALLS);
    m->held[m->held_count++] = held;
    pthread_cond_signal(&m->has_work);
    pthread_mutex_unlock(&m->lock);
}

static void put_open(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_PUT_OPEN); }
static void write_part(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_WRITE); }
static void commit(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_COMMIT); }
static void abort_put(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_ABORT); }
static void get_open(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_GET_OPEN); }
static void read_part(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_READ); }
static void close_object(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_CLOSE); }
static void list(bp_store *store, bp_store_call *call) { begin(store, call, BPT_MEM_LIST); }

static void free_store(bp_store *store) {
    mem_store *m = mem(store);
    bpt_must(m->open_count == 0 && m->held_count == 0);
    pthread_mutex_lock(&m->lock);
    m->is_ending = true;
    pthread_cond_broadcast(&m->has_work);
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < THREADS && m->way == BPT_MEM_THREADED; i++) pthread_join(m->threads[i], NULL);
    while (m->put_count != 0) free_put(m, m->puts[0]);
    for (unsigned i = 0; i < m->thing_count; i++) give_thing(m->things[i]);
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->has_work);
    free(m);
}

#define TABLE(crc)                                                                                                     \
    {                                                                                                                  \
        .table_bytes = sizeof(bp_store_table), .does_crc = (crc), .put_open = put_open, .write = write_part,           \
        .commit = commit, .abort = abort_put, .get_open = get_open, .read = read_part, .close = close_object,          \
        .list = list, .free = free_store                                                                               \
    }
static const bp_store_table tables[2] = {TABLE(false), TABLE(true)};

bp_store *bpt_mem_store(bpt_mem_way way, bool does_crc) {
    mem_store *m = calloc(1, sizeof *m);
    bpt_ok(bp_store_init(&m->store, &tables[does_crc]));
    m->way = way;
    m->seed = 1;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->has_work, NULL);
    for (int i = 0; i < THREADS && way == BPT_MEM_THREADED; i++) {
        ck_assert_int_eq(pthread_create(&m->threads[i], NULL, work, m), 0);
    }
    return &m->store;
}

/* ---- for tests ---- */

void bpt_mem_set_way(bp_store *store, bpt_mem_way way) { mem(store)->way = way; }

unsigned bpt_mem_let_go(bp_store *store, unsigned count, uint64_t *seed) {
    mem_store *m = mem(store);
    unsigned done = 0;
    for (; done < count; done++) {
        pthread_mutex_lock(&m->lock);
        const bool is_empty = m->held_count == 0;
        const held_call held = is_empty ? (held_call){0} : pick(m, seed);
        pthread_mutex_unlock(&m->lock);
        if (is_empty) break;
        answer(m, held);
    }
    return done;
}

static unsigned read_unsigned(mem_store *m, const unsigned *value) {
    pthread_mutex_lock(&m->lock);
    const unsigned read = *value;
    pthread_mutex_unlock(&m->lock);
    return read;
}

unsigned bpt_mem_held(bp_store *store) { return read_unsigned(mem(store), &mem(store)->held_count); }
unsigned bpt_mem_calls(bp_store *store, bpt_mem_fn fn) { return read_unsigned(mem(store), &mem(store)->calls[fn]); }
unsigned bpt_mem_open(bp_store *store) { return read_unsigned(mem(store), &mem(store)->open_count); }

void bpt_mem_fail(bp_store *store, bpt_mem_fn fn, unsigned before, bp_err err) {
    mem_store *m = mem(store);
    pthread_mutex_lock(&m->lock);
    m->fail_fn = fn;
    m->fail_before = before;
    m->fail_err = err;
    pthread_mutex_unlock(&m->lock);
}

void bpt_mem_add(bp_store *store, const char *name, uint64_t size, uint64_t seed) {
    mem_store *m = mem(store);
    uint8_t *data = malloc(size == 0 ? 1 : size);
    bpt_object_fill(data, 0, size, seed);
    pthread_mutex_lock(&m->lock);
    add_thing(m, name, data, size);
    pthread_mutex_unlock(&m->lock);
}

bool bpt_mem_has(bp_store *store, const char *name, uint64_t size, uint64_t seed) {
    mem_store *m = mem(store);
    pthread_mutex_lock(&m->lock);
    const thing *t = find_thing(m, name);
    const bool is_so = t != NULL && t->size == size && bpt_object_is(t->data, 0, size, seed);
    pthread_mutex_unlock(&m->lock);
    return is_so;
}

bool bpt_mem_is_there(bp_store *store, const char *name) {
    mem_store *m = mem(store);
    pthread_mutex_lock(&m->lock);
    const bool is_there = find_thing(m, name) != NULL;
    pthread_mutex_unlock(&m->lock);
    return is_there;
}

unsigned bpt_mem_puts(bp_store *store) {
    mem_store *m = mem(store);
    unsigned count = 0;
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->put_count; i++) count += !m->puts[i]->is_committed;
    pthread_mutex_unlock(&m->lock);
    return count;
}
