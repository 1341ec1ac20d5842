#define _GNU_SOURCE
#include "tests/support/suite.h"
#include "transport/transport_internal.h"

#include <pthread.h>

enum { WRITERS = 4 };

/* A letter of the tests: counts how often it was opened, and does what the test wants then. */
typedef struct note {
    bpi_letter letter; /* first: a letter of a note is a note */
    bpi_mailbox *mailbox;
    unsigned writer, opened, left; /* left: how often it is put again when it is opened */
    unsigned order;                /* the how-manieth opening of the test it was, from 1 */
} note;

static unsigned opened;

static void open_note(bpi_letter *letter) {
    note *n = (note *)letter;
    n->opened++;
    n->order = ++opened;
    if (n->left == 0) {
        bpi_mailbox_unexpect(n->mailbox);
        return;
    }
    n->left--;
    bpi_mailbox_put(n->mailbox, letter);
}

static note note_in(bpi_mailbox *mailbox) { return (note){.letter = {.open = open_note}, .mailbox = mailbox}; }

static void start(uv_loop_t *loop, bpi_mailbox *mailbox) {
    *mailbox = (bpi_mailbox){0};
    opened = 0;
    ck_assert_int_eq(uv_loop_init(loop), 0);
    ck_assert_int_eq(bpi_mailbox_start(mailbox, loop), 0);
}

/* Nothing keeps the loop running any more. */
static void end(uv_loop_t *loop, bpi_mailbox *mailbox) {
    ck_assert_int_eq(uv_run(loop, UV_RUN_DEFAULT), 0);
    ck_assert_ptr_null(mailbox->first);
    uv_close((uv_handle_t *)&mailbox->async, NULL);
    ck_assert_int_eq(uv_run(loop, UV_RUN_DEFAULT), 0);
    bpi_mailbox_fini(mailbox);
    ck_assert_int_eq(uv_loop_close(loop), 0);
}

START_TEST(letters_are_opened_once_and_in_order) {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    note notes[3];
    start(&loop, &mailbox);
    for (int i = 0; i < 3; i++) {
        notes[i] = note_in(&mailbox);
        bpi_mailbox_expect(&mailbox);
        bpi_mailbox_put(&mailbox, &notes[i].letter);
    }
    ck_assert_uint_eq(opened, 0); /* not where they are put, though it is the loop's thread */
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(notes[i].opened, 1);
        ck_assert_uint_eq(notes[i].order, i + 1);
    }
    end(&loop, &mailbox);
}
END_TEST

START_TEST(a_letter_that_is_put_again_lets_the_others_in_between) {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    start(&loop, &mailbox);
    note again = note_in(&mailbox), other = note_in(&mailbox);
    again.left = 2;
    bpi_mailbox_expect(&mailbox);
    bpi_mailbox_expect(&mailbox);
    bpi_mailbox_put(&mailbox, &again.letter);
    bpi_mailbox_put(&mailbox, &other.letter);
    uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(again.opened, 1); /* and timers and sockets have their turn before the next */
    ck_assert_uint_eq(other.order, 2);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(again.opened, 3);
    ck_assert_uint_eq(again.order, 4);
    end(&loop, &mailbox);
}
END_TEST

START_TEST(a_loop_waits_for_what_is_expected_and_for_nothing_else) {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    start(&loop, &mailbox);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_NOWAIT), 0);
    bpi_mailbox_expect(&mailbox);
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    bpi_mailbox_expect(&mailbox);
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    bpi_mailbox_unexpect(&mailbox);
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    bpi_mailbox_unexpect(&mailbox);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_NOWAIT), 0);
    end(&loop, &mailbox);
}
END_TEST

/* ---- threads ---- */

typedef struct writer {
    bpi_mailbox *mailbox;
    note *notes;
    unsigned count, last_seen; /* last_seen: the loop's thread's */
} writer;

static writer writers[WRITERS];
static pthread_barrier_t gate;

static void open_numbered(bpi_letter *letter) {
    note *n = (note *)letter;
    writer *from = &writers[n->writer];
    opened++;
    bpt_must(n->opened++ == 0);
    bpt_must(n->order == from->last_seen + 1); /* one thread's letters keep their order */
    from->last_seen = n->order;
    bpi_mailbox_unexpect(n->mailbox);
}

static void *put_all(void *argument) {
    const writer *w = argument;
    pthread_barrier_wait(&gate);
    for (unsigned i = 0; i < w->count; i++) bpi_mailbox_put(w->mailbox, &w->notes[i].letter);
    return NULL;
}

START_TEST(threads_put_while_the_loop_opens) {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    pthread_t threads[WRITERS];
    const unsigned count = (unsigned)bpt_scaled(20000);
    start(&loop, &mailbox);
    ck_assert_int_eq(pthread_barrier_init(&gate, NULL, WRITERS), 0);
    for (unsigned t = 0; t < WRITERS; t++) {
        writers[t] = (writer){.mailbox = &mailbox, .notes = calloc(count, sizeof(note)), .count = count};
        ck_assert_ptr_nonnull(writers[t].notes);
        for (unsigned i = 0; i < count; i++) {
            writers[t].notes[i] =
                (note){.letter = {.open = open_numbered}, .mailbox = &mailbox, .writer = t, .order = i + 1};
            bpi_mailbox_expect(&mailbox);
        }
    }
    for (int t = 0; t < WRITERS; t++) ck_assert_int_eq(pthread_create(&threads[t], NULL, put_all, &writers[t]), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(opened, WRITERS * count);
    /* Whoever put the last letter may not have left put yet: closing waits for it. */
    end(&loop, &mailbox);
    for (int t = 0; t < WRITERS; t++) {
        ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
        free(writers[t].notes);
    }
    pthread_barrier_destroy(&gate);
}
END_TEST

BPT_SUITE(transport_mailbox) {
    BPT_TEST(letters_are_opened_once_and_in_order);
    BPT_TEST(a_letter_that_is_put_again_lets_the_others_in_between);
    BPT_TEST(a_loop_waits_for_what_is_expected_and_for_nothing_else);
    BPT_TEST(threads_put_while_the_loop_opens);
}
