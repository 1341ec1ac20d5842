#define _DEFAULT_SOURCE /* madvise */
#include "codegen/arena.h"

#include "codegen/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    BLOCK_SIZE = 256 * 1024, /* enough for malloc to map it, so that only pages that are written are made */
    LARGE_SIZE = 8 * 1024 * 1024, /* of blocks in a run that has taken LARGE_FROM already: nothing but huge pages */
    LARGE_FROM = 1024 * 1024,
    HUGE_PAGE = 2 * 1024 * 1024,
    FORMAT_ROOM = 256 /* most formatted texts are shorter: those are formatted once */
};

typedef struct block {
    struct block *next;
    max_align_t data[];
} block;

typedef struct deferral {
    struct deferral *next;
    void (*undo)(void *what);
    void *what;
} deferral;

struct cg_arena {
    block *blocks;
    char *at, *end; /* what is free of the block in use */
    size_t shared;  /* bytes of the blocks that pieces share */
    deferral *deferrals;
    jmp_buf way_out;
    bool is_attempting;
    long fail_after; /* allocations that still succeed; negative is all */
};

cg_arena *cg_arena_new(void) {
    cg_arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL) arena->fail_after = -1;
    return arena;
}

/* Goes back to what there was: the latest first, and deferrals first, because they lie in blocks. */
static void go_back(cg_arena *arena, const block *blocks, const deferral *deferrals) {
    for (; arena->deferrals != deferrals; arena->deferrals = arena->deferrals->next) {
        arena->deferrals->undo(arena->deferrals->what);
    }
    while (arena->blocks != blocks) {
        block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

void cg_arena_free_take(cg_arena **arena) {
    cg_arena *gone = *arena;
    *arena = NULL;
    if (gone == NULL) return;
    go_back(gone, NULL, NULL);
    free(gone);
}

cg_arena_mark cg_arena_set_mark(const cg_arena *arena) {
    return (cg_arena_mark){arena->blocks, arena->deferrals, arena->at, arena->end};
}

void cg_arena_rewind(cg_arena *arena, const cg_arena_mark *mark) {
    const char *used = arena->end == mark->end ? arena->at : mark->end;
    go_back(arena, mark->blocks, mark->deferrals);
    if (mark->at != NULL) memset(mark->at, 0, (size_t)(used - mark->at));
    arena->at = mark->at;
    arena->end = mark->end;
}

bool cg_arena_attempt(cg_arena *arena, void (*work)(void *user), void *user) {
    arena->is_attempting = true;
    const bool is_done = setjmp(arena->way_out) == 0;
    if (is_done) work(user);
    arena->is_attempting = false;
    return is_done;
}

_Noreturn void cg_arena_out_of_memory(cg_arena *arena) {
    if (!arena->is_attempting) {
        fputs("bufpoolc: out of memory\n", stderr);
        abort();
    }
    longjmp(arena->way_out, 1);
}

static bool is_to_fail(cg_arena *arena) {
    if (arena->fail_after < 0) return false;
    if (arena->fail_after == 0) return true;
    arena->fail_after--;
    return false;
}

static uintptr_t next_huge_page(const void *at) { return ((uintptr_t)at + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE; }

/* Asks for huge pages inside the block: making single pages is a third of the time of a large run. */
static void prefer_huge_pages(block *inside, size_t size) {
#ifdef MADV_HUGEPAGE
    const uintptr_t first = next_huge_page(inside);
    const uintptr_t end = ((uintptr_t)inside + size) / HUGE_PAGE * HUGE_PAGE;
    if (first < end) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)inside, (void)size;
#endif
}

static void *new_block(cg_arena *arena, size_t size) {
    block *fresh = calloc(1, sizeof *fresh + size);
    if (fresh == NULL) return NULL;
    fresh->next = arena->blocks;
    arena->blocks = fresh;
    prefer_huge_pages(fresh, size);
    return fresh->data;
}

/* Another block for pieces to share. What lies before the first huge page of a large one is never touched, and so takes
 * no memory. */
static bool take_block(cg_arena *arena) {
    const bool is_large = arena->shared >= LARGE_FROM;
    const size_t room = is_large ? LARGE_SIZE : BLOCK_SIZE;
    char *fresh = new_block(arena, is_large ? room + HUGE_PAGE : room);
    if (fresh == NULL) return false;
    arena->at = is_large ? fresh + (next_huge_page(fresh) - (uintptr_t)fresh) : fresh;
    arena->end = arena->at + room;
    arena->shared += room;
    return true;
}

/* NULL without memory. */
static void *try_alloc(cg_arena *arena, size_t size) {
    const size_t unit = _Alignof(max_align_t);
    if (size > PTRDIFF_MAX / 2 || is_to_fail(arena)) return NULL;
    size = size == 0 ? unit : (size + unit - 1) / unit * unit;
    if (size > BLOCK_SIZE / 4) return new_block(arena, size);
    if (size > (size_t)(arena->end - arena->at) && !take_block(arena)) return NULL;
    char *piece = arena->at;
    arena->at += size;
    return piece;
}

void *cg_arena_alloc(cg_arena *arena, size_t size) {
    const size_t unit = _Alignof(max_align_t);
    if (size - 1 < BLOCK_SIZE / 4 && size + unit - 1 < (size_t)(arena->end - arena->at) && arena->fail_after < 0) {
        char *const next = arena->at; /* the common case of try_alloc */
        arena->at += (size + unit - 1) / unit * unit;
        return next;
    }
    void *piece = try_alloc(arena, size);
    if (piece == NULL) cg_arena_out_of_memory(arena);
    return piece;
}

void *cg_arena_array(cg_arena *arena, size_t count, size_t item_size) {
    if (item_size != 0 && count > PTRDIFF_MAX / item_size) cg_arena_out_of_memory(arena);
    return cg_arena_alloc(arena, count * item_size);
}

/* The link to the block that begins with data, or NULL: most large pieces have a block of their own. */
static block **own_block(cg_arena *arena, const void *data) {
    for (block **link = &arena->blocks; *link != NULL; link = &(*link)->next) {
        if ((*link)->data == data) return link;
    }
    return NULL;
}

/* Without huge pages: Linux would not move a block of which only the inside has them, but copy it. */
void *cg_arena_extend(cg_arena *arena, void *piece, size_t old_size, size_t size) {
    block **link = old_size > BLOCK_SIZE / 4 ? own_block(arena, piece) : NULL;
    if (link == NULL) {
        char *grown = cg_arena_alloc(arena, size);
        if (old_size != 0) memcpy(grown, piece, old_size);
        return grown;
    }
    block *moved = size > PTRDIFF_MAX / 2 || is_to_fail(arena) ? NULL : realloc(*link, sizeof *moved + size);
    if (moved == NULL) cg_arena_out_of_memory(arena);
    *link = moved;
    return moved->data;
}

char *cg_arena_copy(cg_arena *arena, const char *text, size_t length) {
    char *copy = cg_arena_alloc(arena, length + 1);
    if (length != 0) memcpy(copy, text, length);
    return copy;
}

char *cg_arena_text(cg_arena *arena, const char *text) { return cg_arena_copy(arena, text, strlen(text)); }

char *cg_arena_vformat(cg_arena *arena, const char *format, va_list arguments) {
    char room[FORMAT_ROOM];
    va_list again;
    va_copy(again, arguments);
    const int length = cg_format(room, sizeof room, format, arguments);
    char *text = cg_arena_alloc(arena, length < 0 ? 1 : (size_t)length + 1);
    if (length >= FORMAT_ROOM)
        cg_format(text, (size_t)length + 1, format, again);
    else if (length > 0)
        memcpy(text, room, (size_t)length);
    va_end(again);
    return text;
}

char *cg_arena_format(cg_arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cg_arena_vformat(arena, format, arguments);
    va_end(arguments);
    return text;
}

void *cg_arena_grow(cg_arena *arena, void *items, size_t count, size_t item_size) {
    if (count != 0 && (count & (count - 1)) != 0) return items;
    char *grown = cg_arena_array(arena, count == 0 ? 1 : 2 * count, item_size);
    if (count != 0) memcpy(grown, items, count * item_size);
    return grown;
}

void cg_arena_defer(cg_arena *arena, void (*undo)(void *what), void *what) {
    deferral *added = try_alloc(arena, sizeof *added);
    if (added == NULL) {
        undo(what);
        cg_arena_out_of_memory(arena);
    }
    added->undo = undo;
    added->what = what;
    added->next = arena->deferrals;
    arena->deferrals = added;
}

void cg_arena_fail_after(cg_arena *arena, long count) { arena->fail_after = count; }
