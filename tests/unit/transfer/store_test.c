#define _GNU_SOURCE
/* How calls get to a store and its answers back, whoever gives them, where and when. */
#include "tests/support/suite.h"
#include "transfer/store.h"

#include "base/crc32c.h"
#include "base/os.h"

#include <pthread.h>

/* A store of the tests: answers inside, later on the loop's thread, or on another one. */
typedef enum answer_way { INSIDE, LATER, ON_THREAD, WORKED, WAY_COUNT } answer_way;

typedef struct fake {
    bp_store store; /* first: a store of the tests is a fake */
    answer_way how;
    bp_err err;
    bp_store_call *kept;
    pthread_t thread;
    unsigned calls, freed;
} fake;

static void *answer_there(void *memory) {
    fake *of = memory;
    bp_store_answer(of->kept, of->err);
    return NULL;
}

static bp_err job(bp_store *store, bp_store_call *call) {
    fake *of = (fake *)store;
    ck_assert_ptr_eq(of->kept, call);
    return of->err;
}

static void take(bp_store *store, bp_store_call *call) {
    fake *of = (fake *)store;
    of->calls++;
    of->kept = call;
    if (of->how == INSIDE) bp_store_answer(call, of->err);
    if (of->how == ON_THREAD) ck_assert_int_eq(pthread_create(&of->thread, NULL, answer_there, of), 0);
    if (of->how == WORKED) bpi_call_work(store, call, job);
}

static void take_read(bp_store *store, bp_store_call *call) {
    memset(call->data, 'r', call->length);
    take(store, call);
}

static bp_err told_err[4];

static void take_list(bp_store *store, bp_store_call *call) {
    static const char *const names[] = {"a", "", "b", "c"};
    for (size_t i = 0; i < 4; i++) {
        const bp_object_info object = {.name = names[i], .size = i, .version = 1};
        told_err[i] = bp_store_tell(call, &object);
    }
    take(store, call);
}

static void free_fake(bp_store *store) { ((fake *)store)->freed++; }

#define TABLE(is_crc)                                                                                                  \
    {                                                                                                                  \
        .table_bytes = sizeof(bp_store_table), .does_crc = is_crc, .put_open = take, .write = take, .commit = take,   \
        .abort = take, .get_open = take, .read = take_read, .close = take, .list = take_list, .free = free_fake        \
    }
static const bp_store_table plain = TABLE(false), summing = TABLE(true);

/* ---- a loop, a store and a call ---- */

typedef struct rig {
    uv_loop_t uv;
    bpi_loop *loop;
    fake fake;
    bpi_call call;
    unsigned answers;
    bp_err err;
    bool is_beginning;
} rig;

static void on_answer(bpi_call *call, bp_err err) {
    rig *of = call->owner;
    ck_assert(!of->is_beginning);
    ck_assert(!call->is_under_way);
    of->answers++;
    of->err = err;
}

static void start(rig *of, const bp_store_table *table, answer_way how) {
    *of = (rig){0};
    ck_assert_int_eq(uv_loop_init(&of->uv), 0);
    bpt_ok(bpi_loop_acquire(&of->uv, &of->loop));
    bpt_ok(bp_store_init(&of->fake.store, table));
    of->fake.how = how;
    of->call.on_answer = on_answer;
    of->call.owner = of;
}

static void begin(rig *of, bp_store_fn *function) {
    of->is_beginning = true;
    bpi_call_begin(&of->call, &of->fake.store, function, of->loop);
    of->is_beginning = false;
    ck_assert(of->call.is_under_way);
}

/* The loop runs until the answer is there, and by itself no longer. */
static void run(rig *of) {
    if (of->fake.how == LATER && of->call.err == BP_OK && of->fake.calls != 0) {
        ck_assert_int_ne(uv_run(&of->uv, UV_RUN_NOWAIT), 0); /* it is expected */
        bp_store_answer(of->fake.kept, of->fake.err);
    }
    ck_assert_int_eq(uv_run(&of->uv, UV_RUN_DEFAULT), 0);
    if (of->fake.how == ON_THREAD && of->fake.calls != 0) ck_assert_int_eq(pthread_join(of->fake.thread, NULL), 0);
    ck_assert_uint_eq(of->loop->mailbox.expected_count, 0);
}

static void end(rig *of) {
    bp_store *store = &of->fake.store;
    ck_assert_uint_eq(store->references, 1);
    bp_store_release_take(&store);
    ck_assert_ptr_null(store);
    ck_assert_uint_eq(of->fake.freed, 1);
    bpi_loop_release(of->loop);
    ck_assert_int_eq(uv_run(&of->uv, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&of->uv), 0);
}

/* ---- tests ---- */

START_TEST(an_answer_comes_once_and_never_inside) {
    rig of;
    start(&of, &summing, (answer_way)_i);
    for (unsigned round = 1; round <= 3; round++) {
        of.fake.err = round == 2 ? BP_ERR_BUSY : BP_OK;
        of.call.err = BP_OK;
        begin(&of, plain.put_open);
        ck_assert_uint_eq(of.answers, round - 1);
        ck_assert_ptr_eq(of.call.store.loop, &of.uv);
        run(&of);
        ck_assert_uint_eq(of.answers, round);
        bpt_err(of.err, of.fake.err);
    }
    end(&of);
}
END_TEST

/* on_answer may begin the next call with the same memory. */
static void begin_again(bpi_call *call, bp_err err) {
    rig *of = call->owner;
    on_answer(call, err);
    if (of->answers < 5) begin(of, plain.write);
}

START_TEST(an_answered_call_begins_again) {
    rig of;
    start(&of, &summing, _i == 0 ? INSIDE : WORKED);
    of.call.on_answer = begin_again;
    begin(&of, plain.write);
    run(&of);
    ck_assert_uint_eq(of.answers, 5);
    ck_assert_uint_eq(of.fake.calls, 5);
    end(&of);
}
END_TEST

START_TEST(a_store_stays_until_its_answer) {
    rig of;
    start(&of, &summing, (answer_way)_i);
    begin(&of, plain.close);
    bp_store *store = &of.fake.store;
    bp_store_release_take(&store);
    ck_assert_uint_eq(of.fake.freed, 0);
    run(&of);
    ck_assert_uint_eq(of.fake.freed, 1);
    of.fake.store.references = 1; /* for the end: the memory is the test's */
    of.fake.freed = 0;
    end(&of);
}
END_TEST

START_TEST(wrong_bytes_do_not_reach_a_store_that_does_not_compare_them) {
    uint8_t data[] = "123456789";
    rig of;
    start(&of, &plain, INSIDE);
    of.call.store.data = data;
    of.call.store.length = 9;
    of.call.store.crc = bp_crc32c(0, data, 9);
    ck_assert_uint_eq(of.call.store.crc, 0xE3069283u); /* the check value of CRC-32C */
    begin(&of, plain.write);
    run(&of);
    bpt_ok(of.err);
    ck_assert_uint_eq(of.fake.calls, 1);
    of.call.store.crc ^= 1;
    begin(&of, plain.write);
    ck_assert_uint_eq(of.answers, 1);
    run(&of);
    bpt_err(of.err, BP_ERR_CHECKSUM);
    ck_assert_uint_eq(of.fake.calls, 1);
    end(&of);
}
END_TEST

START_TEST(a_store_that_compares_bytes_itself_gets_them_all) {
    uint8_t data[] = "123456789";
    rig of;
    start(&of, &summing, INSIDE);
    of.call.store.data = data;
    of.call.store.length = 9;
    begin(&of, summing.write);
    run(&of);
    bpt_ok(of.err);
    ck_assert_uint_eq(of.fake.calls, 1);
    end(&of);
}
END_TEST

START_TEST(bytes_that_were_read_are_summed_where_the_store_does_not) {
    uint8_t data[100];
    rig of;
    start(&of, _i == 0 ? &plain : &summing, ON_THREAD);
    of.call.store.data = data;
    of.call.store.length = sizeof data;
    of.call.store.crc = 77;
    begin(&of, plain.read);
    run(&of);
    bpt_ok(of.err);
    ck_assert_uint_eq(of.call.store.crc, _i == 0 ? bpi_crc32c(0, data, sizeof data) : 77);
    end(&of);
}
END_TEST

static char told[8];

static bp_err note(bpi_call *call, const bp_object_info *object) {
    (void)call;
    strcat(told, object->name);
    return BP_OK;
}

START_TEST(a_list_tells_of_names_that_can_be_and_not_of_more_than_were_asked_for) {
    rig of;
    start(&of, &summing, INSIDE);
    of.call.tell = note;
    of.call.store.count_max = 2;
    for (int round = 0; round < 2; round++) {
        told[0] = '\0';
        begin(&of, summing.list);
        run(&of);
        ck_assert_str_eq(told, "ab");
        bpt_err(told_err[1], BP_ERR_NAME);
        bpt_err(told_err[3], BP_ERR_LIMIT);
    }
    end(&of);
}
END_TEST

START_TEST(names_that_nobody_could_ask_for_are_not_told_of) {
    static char long_name[BP_OBJECT_NAME_MAX + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    rig of;
    start(&of, &summing, INSIDE);
    of.call.tell = note;
    of.call.store.count_max = 9;
    told[0] = '\0';
    const char *const names[] = {NULL, "", "\xff", "a\xc3", long_name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const bp_object_info object = {.name = names[i]};
        bpt_err(bp_store_tell(&of.call.store, &object), BP_ERR_NAME);
    }
    ck_assert_str_eq(told, "");
    end(&of);
}
END_TEST

/* ---- lines ---- */

enum { IN_LINE = 40 /* more than one thread does at once */, GATE_MS = 60000 };

/* A store whose writes are in a line, and whose close ends it; its reads are on a thread of their own. */
typedef struct lined {
    bp_store store; /* first: such a store is a lined */
    bpi_line line;
    bpi_event gate;                   /* the first write waits for it */
    unsigned inside, done, overlapped; /* atomic; overlapped: writes that began while another one was not over */
    uint64_t order[IN_LINE];          /* of the parts that are done */
    bool is_ended, is_ended_early;
} lined;

static bp_err write_lined(bp_store *store, bp_store_call *call) {
    lined *of = (lined *)store;
    const unsigned others = __atomic_fetch_add(&of->inside, 1, __ATOMIC_SEQ_CST);
    (void)__atomic_fetch_add(&of->overlapped, others, __ATOMIC_SEQ_CST);
    const bool is_open = call->part != 0 || bpi_event_wait(&of->gate, GATE_MS);
    const unsigned at = __atomic_fetch_add(&of->done, 1, __ATOMIC_SEQ_CST);
    of->order[at % IN_LINE] = call->part;
    (void)__atomic_fetch_sub(&of->inside, 1, __ATOMIC_SEQ_CST);
    if (!is_open) return BP_ERR_TIMEOUT;
    return call->part == 7 ? BP_ERR_BUSY : BP_OK;
}

static bp_err end_lined(bp_store *store, bp_store_call *call) {
    lined *of = (lined *)store;
    (void)call;
    of->is_ended_early = of->is_ended || __atomic_load_n(&of->done, __ATOMIC_SEQ_CST) != (unsigned)call->part;
    of->is_ended = true;
    bpi_line_fini(&of->line);
    memset(&of->line, 0xA5, sizeof of->line); /* whoever touches it now comes too late */
    return BP_OK;
}

static bp_err read_lined(bp_store *store, bp_store_call *call) { return (void)store, (void)call, BP_OK; }

static void take_write(bp_store *store, bp_store_call *call) {
    bpi_line_work(&((lined *)store)->line, store, call, write_lined);
}
static void take_close(bp_store *store, bp_store_call *call) {
    bpi_line_end(&((lined *)store)->line, store, call, end_lined);
}
static void take_unlined(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, read_lined); }
static void keep_lined(bp_store *store) { (void)store; }

static const bp_store_table in_line = {.table_bytes = sizeof(bp_store_table), .does_crc = true, .put_open = take,
                                       .write = take_write, .commit = take, .abort = take, .get_open = take,
                                       .read = take_unlined, .close = take_close, .list = take, .free = keep_lined};

typedef struct line_rig {
    uv_loop_t uv;
    bpi_loop *loop;
    lined of;
    bpi_call writes[IN_LINE], other, end;
    unsigned answers;
    bool is_gate_opened_by_other;
} line_rig;

static void start_line(line_rig *many) {
    *many = (line_rig){0};
    ck_assert_int_eq(uv_loop_init(&many->uv), 0);
    bpt_ok(bpi_loop_acquire(&many->uv, &many->loop));
    bpt_ok(bp_store_init(&many->of.store, &in_line));
    bpi_line_init(&many->of.line);
    bpi_event_init(&many->of.gate);
}

static void stop_line(line_rig *many) {
    bp_store *store = &many->of.store;
    ck_assert_uint_eq(store->references, 1);
    bp_store_release_take(&store);
    bpi_event_fini(&many->of.gate);
    bpi_loop_release(many->loop);
    ck_assert_int_eq(uv_run(&many->uv, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&many->uv), 0);
}

static void on_line_answer(bpi_call *call, bp_err err) {
    line_rig *many = call->owner;
    bpt_must(many->writes[many->answers % IN_LINE].store.part == call->store.part); /* in order */
    bpt_must(err == (call->store.part == 7 ? BP_ERR_BUSY : BP_OK));
    many->answers++;
}

static void begin_writes(line_rig *many) {
    for (uint64_t i = 0; i < IN_LINE; i++) {
        many->writes[i] = (bpi_call){.on_answer = on_line_answer, .owner = many, .store.part = i};
        bpi_call_begin(&many->writes[i], &many->of.store, in_line.write, many->loop);
    }
}

static void open_gate(bpi_call *call, bp_err err) {
    line_rig *many = call->owner;
    bpt_ok(err);
    ck_assert_uint_eq(many->answers, 0);
    many->is_gate_opened_by_other = true;
    bpi_event_set(&many->of.gate);
}

static void check_written(const line_rig *many) {
    ck_assert_uint_eq(many->answers, IN_LINE);
    ck_assert_uint_eq(many->of.done, IN_LINE);
    ck_assert_uint_eq(many->of.overlapped, 0);
    for (uint64_t i = 0; i < IN_LINE; i++) bpt_must(many->of.order[i] == i);
}

/* The first one goes on only when a call that is in no line is answered: forty that wait take no thread from that. */
START_TEST(calls_in_a_line_are_done_one_after_another_on_one_thread) {
    static line_rig many;
    start_line(&many);
    begin_writes(&many);
    many.other = (bpi_call){.on_answer = open_gate, .owner = &many};
    bpi_call_begin(&many.other, &many.of.store, in_line.read, many.loop);
    ck_assert_int_eq(uv_run(&many.uv, UV_RUN_DEFAULT), 0);
    ck_assert(many.is_gate_opened_by_other);
    check_written(&many);
    bpi_line_fini(&many.of.line);
    stop_line(&many);
}
END_TEST

static void note_end(bpi_call *call, bp_err err) {
    line_rig *many = call->owner;
    bpt_ok(err);
    many->answers += 100;
}

START_TEST(the_end_of_a_line_is_behind_all_that_is_in_it) {
    static line_rig many;
    start_line(&many);
    begin_writes(&many);
    many.end = (bpi_call){.on_answer = note_end, .owner = &many, .store.part = IN_LINE};
    bpi_call_begin(&many.end, &many.of.store, in_line.close, many.loop);
    many.other = (bpi_call){.on_answer = open_gate, .owner = &many};
    bpi_call_begin(&many.other, &many.of.store, in_line.read, many.loop);
    ck_assert_int_eq(uv_run(&many.uv, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(many.answers, IN_LINE + 100);
    ck_assert(many.of.is_ended && !many.of.is_ended_early);
    ck_assert_uint_eq(many.of.overlapped, 0);
    stop_line(&many);
}
END_TEST

/* The last answer is ahead of libuv, which still has the line: whoever closes at once does not pull it away. */
static void close_at_last(bpi_call *call, bp_err err) {
    line_rig *many = call->owner;
    bpt_ok(err);
    many->answers++;
    bpi_call_begin(&many->end, &many->of.store, in_line.close, many->loop);
}

START_TEST(a_line_that_is_ended_by_its_last_answer_is_touched_no_more) {
    static line_rig many;
    for (int round = 0; round < 200; round++) {
        start_line(&many);
        many.end = (bpi_call){.on_answer = note_end, .owner = &many, .store.part = 1};
        many.other = (bpi_call){.on_answer = close_at_last, .owner = &many, .store.part = 1};
        bpi_call_begin(&many.other, &many.of.store, in_line.write, many.loop);
        bpt_must(uv_run(&many.uv, UV_RUN_DEFAULT) == 0);
        bpt_must(many.answers == 101 && many.of.is_ended && !many.of.is_ended_early);
        stop_line(&many);
    }
}
END_TEST

START_TEST(a_table_with_a_hole_is_refused) {
    bp_store store;
    bpt_err(bp_store_init(NULL, &plain), BP_ERR_ARGUMENT);
    bpt_err(bp_store_init(&store, NULL), BP_ERR_ARGUMENT);
    bp_store_table table = plain;
    table.table_bytes--;
    bpt_err(bp_store_init(&store, &table), BP_ERR_ARGUMENT);
    for (size_t at = offsetof(bp_store_table, put_open); at < sizeof table; at += sizeof(bp_store_fn *)) {
        table = plain;
        memset((uint8_t *)&table + at, 0, sizeof(bp_store_fn *));
        bpt_err(bp_store_init(&store, &table), BP_ERR_ARGUMENT);
    }
}
END_TEST

START_TEST(the_last_reference_frees) {
    fake of = {0};
    bpt_ok(bp_store_init(&of.store, &plain));
    bp_store *first = &of.store, *second = bp_store_retain(first);
    bp_store_release_take(&first);
    ck_assert_uint_eq(of.freed, 0);
    bp_store_release_take(&second);
    ck_assert_uint_eq(of.freed, 1);
    bp_store_release_take(&second);
    ck_assert_uint_eq(of.freed, 1);
}
END_TEST

BPT_SUITE(transfer_store) {
    BPT_LOOP_TEST(an_answer_comes_once_and_never_inside, 0, WAY_COUNT);
    BPT_LOOP_TEST(an_answered_call_begins_again, 0, 2);
    BPT_LOOP_TEST(a_store_stays_until_its_answer, 0, WAY_COUNT);
    BPT_TEST(wrong_bytes_do_not_reach_a_store_that_does_not_compare_them);
    BPT_TEST(a_store_that_compares_bytes_itself_gets_them_all);
    BPT_LOOP_TEST(bytes_that_were_read_are_summed_where_the_store_does_not, 0, 2);
    BPT_TEST(a_list_tells_of_names_that_can_be_and_not_of_more_than_were_asked_for);
    BPT_TEST(names_that_nobody_could_ask_for_are_not_told_of);
    BPT_TEST(calls_in_a_line_are_done_one_after_another_on_one_thread);
    BPT_TEST(the_end_of_a_line_is_behind_all_that_is_in_it);
    BPT_TEST(a_line_that_is_ended_by_its_last_answer_is_touched_no_more);
    BPT_TEST(a_table_with_a_hole_is_refused);
    BPT_TEST(the_last_reference_frees);
}
