#include "codegen/arena.h"
#include "codegen/emit.h"
#include "tests/unit/codegen/compile.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One assertion for many bytes: each takes note of its line in a file. */
static bool is_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

static void fill_pieces(void *user) {
    cg_arena *arena = user;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *piece = cg_arena_alloc(arena, size);
        ck_assert(is_zero(piece, size));
        ck_assert_uint_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
        memset(piece, 0xFF, size);
    }
}

START_TEST(pieces_are_zero_aligned_and_apart) {
    cg_arena *arena = cg_arena_new();
    ck_assert(cg_arena_attempt(arena, fill_pieces, arena));
    cg_arena_free_take(&arena);
    ck_assert_ptr_null(arena);
    cg_arena_free_take(&arena);
}
END_TEST

static void fill_blocks(void *user) {
    enum { PIECE = 4000, PIECES = 5000 }; /* 20 MB: blocks of both sizes */
    for (int i = 0; i < PIECES; i++) {
        unsigned char *piece = cg_arena_alloc(user, PIECE);
        ck_assert(is_zero(piece, PIECE));
        memset(piece, 0xFF, PIECE);
    }
}

START_TEST(large_runs_have_zeroed_pieces_too) {
    cg_arena *arena = cg_arena_new();
    ck_assert(cg_arena_attempt(arena, fill_blocks, arena));
    cg_arena_free_take(&arena);
}
END_TEST

static void take_too_much(void *user) {
    (void)cg_arena_array(user, SIZE_MAX / 8, 16);
    ck_abort_msg("an allocation of more than there is succeeded");
}

START_TEST(sizes_that_overflow_are_out_of_memory) {
    cg_arena *arena = cg_arena_new();
    ck_assert(!cg_arena_attempt(arena, take_too_much, arena));
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(growing_arrays_keep_what_they_hold) {
    cg_arena *arena = cg_arena_new();
    int *items = NULL;
    for (int i = 0; i < 1000; i++) {
        items = cg_arena_grow(arena, items, (size_t)i, sizeof *items);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) bpt_must(items[i] == i);
    cg_arena_free_take(&arena);
}
END_TEST

/* Small pieces are copied; large ones have a block of their own, wherever it stands among the others. */
START_TEST(extended_pieces_keep_what_they_hold) {
    cg_arena *arena = cg_arena_new();
    char *pieces[2] = {NULL, NULL};
    size_t size = 0;
    for (size_t longer = 100; longer < 3u << 20; size = longer, longer *= 2) {
        for (int i = 0; i < 2; i++) {
            pieces[i] = cg_arena_extend(arena, pieces[i], size, longer);
            memset(pieces[i] + size, 'a' + i, longer - size);
            (void)cg_arena_alloc(arena, 100);
        }
    }
    for (size_t i = 0; i < size; i++) bpt_must(pieces[0][i] == 'a' && pieces[1][i] == 'b');
    cg_arena_free_take(&arena);
}
END_TEST

static void extend_too_late(void *user) {
    char *piece = cg_arena_alloc(user, 1 << 20);
    cg_arena_fail_after(user, 0);
    (void)cg_arena_extend(user, piece, 1 << 20, 2 << 20);
    ck_abort_msg("extended without memory");
}

START_TEST(extending_without_memory_leaves_the_attempt) {
    cg_arena *arena = cg_arena_new();
    ck_assert(!cg_arena_attempt(arena, extend_too_late, arena));
    cg_arena_free_take(&arena);
}
END_TEST

static int undone_since;
static void count_undone(void *what) {
    (void)what;
    undone_since++;
}

/* Pieces that are taken again after a rewind are zero again, whatever lay there; older ones keep what they hold. */
START_TEST(a_rewound_arena_is_as_it_was) {
    enum { SMALL = 1000, LARGE = 300 * 1024 };
    cg_arena *arena = cg_arena_new();
    for (size_t size = 8; size <= LARGE; size = size < 64 ? size * 8 : size * 75) {
        unsigned char *kept = cg_arena_alloc(arena, SMALL);
        memset(kept, 1, SMALL);
        const cg_arena_mark mark = cg_arena_set_mark(arena);
        for (int round = 0; round < 3; round++) {
            cg_arena_defer(arena, count_undone, NULL);
            for (int i = 0; i < 40; i++) {
                unsigned char *piece = cg_arena_alloc(arena, size);
                for (size_t at = 0; at < size; at++) bpt_must(piece[at] == 0);
                memset(piece, 0xFF, size);
            }
            undone_since = 0;
            cg_arena_rewind(arena, &mark);
            ck_assert_int_eq(undone_since, 1);
        }
        for (int i = 0; i < SMALL; i++) ck_assert_uint_eq(kept[i], 1);
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(texts_are_formatted_whole) {
    cg_arena *arena = cg_arena_new();
    for (int width = 0; width < 600; width++) {
        const char *text = cg_arena_format(arena, "%*s", width, "");
        ck_assert_uint_eq(strlen(text), (size_t)width);
        ck_assert_uint_eq(strspn(text, " "), (size_t)width);
    }
    cg_arena_free_take(&arena);
}
END_TEST

static char undone[8];
static void undo(void *what) { strcat(undone, what); }

static void defer_too_late(void *user) {
    cg_arena_defer(user, undo, "a");
    cg_arena_fail_after(user, 0);
    cg_arena_defer(user, undo, "b");
}

START_TEST(what_was_deferred_is_undone_once_latest_first) {
    cg_arena *arena = cg_arena_new();
    undone[0] = '\0';
    cg_arena_defer(arena, undo, "1");
    cg_arena_defer(arena, undo, "2");
    ck_assert_str_eq(undone, "");
    cg_arena_free_take(&arena);
    ck_assert_str_eq(undone, "21");
    undone[0] = '\0';
    arena = cg_arena_new();
    ck_assert(!cg_arena_attempt(arena, defer_too_late, arena));
    ck_assert_str_eq(undone, "b");
    cg_arena_free_take(&arena);
    ck_assert_str_eq(undone, "ba");
}
END_TEST

/* The whole compiler on the repository's own contract, or on one that is wrong everywhere. */
typedef struct compilation {
    cg_arena *arena;
    const char *path;
    bool is_good, is_done;
} compilation;

static void compile(void *user) {
    compilation *c = user;
    cg_source *source = NULL;
    cg_diags diags = {.arena = c->arena};
    bpt_must(cg_source_read(c->arena, c->path, &source) == CG_OK);
    const cg_model *model = cg_compile(c->arena, source, NULL, &diags);
    (void)cg_diags_print(&diags);
    bpt_must((model != NULL) == c->is_good);
    cg_outputs outputs = {.arena = c->arena};
    if (model != NULL) bpt_must(cg_emit(model, ~0u, &outputs) == CG_OK);
    c->is_done = true;
}

/* Makes every allocation of a run fail once; the sanitizers see leaks. */
static void fail_each(const char *path, bool is_good) {
    long step = 1, fail_at = 0;
    for (bool is_done = false; !is_done; fail_at += step) {
        compilation c = {.arena = cg_arena_new(), .path = path, .is_good = is_good};
        cg_arena_fail_after(c.arena, fail_at);
        is_done = cg_arena_attempt(c.arena, compile, &c);
        bpt_must(is_done == c.is_done);
        cg_arena_free_take(&c.arena);
        /* Every one of the first, then ever wider apart: the late ones are much alike. */
        if (fail_at > 500) step = 1 + fail_at / 100;
    }
    ck_assert_int_gt(fail_at, 100);
}

START_TEST(every_allocation_may_fail) { fail_each("contracts.yaml", true); }
END_TEST

START_TEST(every_allocation_may_fail_while_reporting) { fail_each("tests/bad/many-mistakes.yaml", false); }
END_TEST

BPT_SUITE(codegen_arena) {
    BPT_TEST(pieces_are_zero_aligned_and_apart);
    BPT_TEST(large_runs_have_zeroed_pieces_too);
    BPT_TEST(sizes_that_overflow_are_out_of_memory);
    BPT_TEST(growing_arrays_keep_what_they_hold);
    BPT_TEST(extended_pieces_keep_what_they_hold);
    BPT_TEST(extending_without_memory_leaves_the_attempt);
    BPT_TEST(a_rewound_arena_is_as_it_was);
    BPT_TEST(texts_are_formatted_whole);
    BPT_TEST(what_was_deferred_is_undone_once_latest_first);
    BPT_TEST(every_allocation_may_fail);
    BPT_TEST(every_allocation_may_fail_while_reporting);
}
