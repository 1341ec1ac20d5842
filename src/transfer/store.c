#define _GNU_SOURCE
/* What is common to all stores: their references, and how a call gets there and its answer back. */
#include "transfer/store.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

/* ---- stores ---- */

bp_err bp_store_init(bp_store *store, const bp_store_table *table) {
    if (store == NULL || table == NULL || table->table_bytes < sizeof *table) return BP_ERR_ARGUMENT;
    if (table->put_open == NULL || table->write == NULL || table->commit == NULL || table->abort == NULL ||
        table->get_open == NULL || table->read == NULL || table->close == NULL || table->list == NULL ||
        table->free == NULL) {
        return BP_ERR_ARGUMENT;
    }
    store->table = table;
    store->references = 1;
    return BP_OK;
}

bp_store *bp_store_retain(bp_store *store) {
    (void)__atomic_fetch_add(&store->references, 1, __ATOMIC_RELAXED);
    return store;
}

void bp_store_release_take(bp_store **store) {
    bp_store *old = *store;
    *store = NULL;
    if (old == NULL || __atomic_sub_fetch(&old->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    old->table->free(old);
}

uint32_t bp_crc32c(uint32_t crc, const void *data, size_t length) { return bpi_crc32c(crc, data, length); }

/* ---- calls ---- */

static bpi_call *call_of(bp_store_call *store) {
    return (bpi_call *)(void *)((uint8_t *)store - offsetof(bpi_call, store));
}

/* Only a read is long, and its bytes are still in the cache when it is sent. */
static void finish(bpi_call *call) {
    const bp_store_table *table = call->of->table;
    if (call->err == BP_OK && !table->does_crc && call->function == table->read) {
        call->store.crc = bpi_crc32c(0, call->store.data, call->store.length);
    }
    bpi_mailbox_unexpect(call->mailbox);
    bp_store_release_take(&call->of);
    call->is_under_way = false;
    call->on_answer(call, call->err);
}

static void open_letter(bpi_letter *letter) { finish((bpi_call *)letter); }

void bp_store_answer(bp_store_call *store, bp_err err) {
    bpi_call *call = call_of(store);
    call->err = err;
    bpi_mailbox_put(call->mailbox, &call->letter);
}

static bool is_refused(const bpi_call *call, const bp_store_table *table) {
    const bp_store_call *write = &call->store;
    return !table->does_crc && call->function == table->write &&
           bpi_crc32c(0, write->data, write->length) != write->crc;
}

void bpi_call_begin(bpi_call *call, bp_store *store, bp_store_fn *function, bpi_loop *loop) {
    BPI_ASSERT(!call->is_under_way);
    call->letter.open = open_letter;
    call->function = function;
    call->of = bp_store_retain(store);
    call->mailbox = &loop->mailbox;
    call->is_under_way = true;
    call->told_count = 0;
    call->store.loop = loop->uv;
    bpi_mailbox_expect(call->mailbox);
    if (is_refused(call, store->table)) bp_store_answer(&call->store, BP_ERR_CHECKSUM);
    else function(store, &call->store);
}

/* What nobody could ask for is not told of: it would be refused on the way. */
static bool is_nameable(const char *name) {
    if (name == NULL) return false;
    const size_t length = strnlen(name, BP_OBJECT_NAME_MAX + 1);
    return length != 0 && length <= BP_OBJECT_NAME_MAX && bpi_utf8_is_valid((const uint8_t *)name, length);
}

bp_err bp_store_tell(bp_store_call *store, const bp_object_info *object) {
    bpi_call *call = call_of(store);
    if (!is_nameable(object->name)) return BP_ERR_NAME;
    if (call->told_count == store->count_max) return BP_ERR_LIMIT;
    const bp_err err = call->tell(call, object);
    if (err == BP_OK) call->told_count++;
    return err;
}

/* ---- on libuv's threads ---- */

static void run_job(uv_work_t *work) {
    bpi_call *call = work->data;
    call->err = call->job(call->worker, &call->store);
}

/* On the loop's thread, and never inside bpi_call_begin: no letter is needed. */
static void job_done(uv_work_t *work, int status) {
    (void)status; /* nobody cancels it */
    finish(work->data);
}

static bpi_call *give_job(bp_store *store, bp_store_call *of, bp_err (*job)(bp_store *store, bp_store_call *call)) {
    bpi_call *call = call_of(of);
    call->worker = store;
    call->job = job;
    call->work.data = call;
    return call;
}

static void send_off(bpi_call *call) { (void)uv_queue_work(call->store.loop, &call->work, run_job, job_done); }

void bpi_call_work(bp_store *store, bp_store_call *of, bp_err (*job)(bp_store *store, bp_store_call *call)) {
    send_off(give_job(store, of, job));
}

/* ---- lines ---- */

enum { LINE_MOST = 16 /* calls that are done before others have their turn on the thread */ };

void bpi_line_init(bpi_line *line) {
    *line = (bpi_line){.work.data = line, .end = &line->first};
    bpi_lock_init(&line->lock);
}

void bpi_line_fini(bpi_line *line) { bpi_lock_fini(&line->lock); }

static void append(bpi_line *line, bpi_call *call) {
    call->line_next = NULL;
    bpi_lock_enter(&line->lock);
    *line->end = call;
    line->end = &call->line_next;
    bpi_lock_leave(&line->lock);
}

static bpi_call *take_first(bpi_line *line) {
    bpi_lock_enter(&line->lock);
    bpi_call *call = line->first;
    if (call != NULL) line->first = call->line_next;
    if (line->first == NULL) line->end = &line->first;
    bpi_lock_leave(&line->lock);
    return call;
}

static bool is_empty(bpi_line *line) {
    bpi_lock_enter(&line->lock);
    const bool is_none = line->first == NULL;
    bpi_lock_leave(&line->lock);
    return is_none;
}

/* An answered call is its owner's again. */
static void run_line(uv_work_t *work) {
    bpi_line *line = work->data;
    bpi_call *call;
    for (int i = 0; i < LINE_MOST && (call = take_first(line)) != NULL; i++) {
        bp_store_answer(&call->store, call->job(call->worker, &call->store));
    }
}

static void line_done(uv_work_t *work, int status);

static void run(bpi_line *line) {
    line->is_running = true;
    (void)uv_queue_work(line->loop, &line->work, run_line, line_done);
}

static void line_done(uv_work_t *done, int status) {
    bpi_line *line = done->data;
    (void)status; /* nobody cancels it */
    line->is_running = false;
    if (!is_empty(line))
        run(line);
    else if (line->last != NULL)
        send_off(line->last);
}

void bpi_line_work(bpi_line *line, bp_store *store, bp_store_call *of,
                   bp_err (*job)(bp_store *store, bp_store_call *call)) {
    line->loop = of->loop;
    append(line, give_job(store, of, job));
    if (!line->is_running) run(line);
}

void bpi_line_end(bpi_line *line, bp_store *store, bp_store_call *of,
                  bp_err (*job)(bp_store *store, bp_store_call *call)) {
    bpi_call *call = give_job(store, of, job);
    if (line->is_running)
        line->last = call;
    else
        send_off(call);
}
