#define _GNU_SOURCE
/* How calls get to a store and its answers back, whoever gives them, where and when. */
#include "tests/support/suite.h"
#include "transfer/store.h"

#include "base/crc32c.h"

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
    BPT_TEST(a_table_with_a_hole_is_refused);
    BPT_TEST(the_last_reference_frees);
}
