/* codegen/arena.h: the one place where bufpoolc takes memory.
 *
 *     arena     memory of one run, handed out in pieces and given back all at once
 *     attempt   a call under which allocations may fail: the arena leaves it the moment memory runs out, so that code
 *               inside never sees NULL and never checks for it
 *     deferral  what must be undone when the arena goes and is not its memory: a parser, a file
 *
 * Invariant: no piece outlives its arena, and nothing inside an attempt owns what only its own epilogue gives back. */
#ifndef BUFPOOL_CODEGEN_ARENA_H
#define BUFPOOL_CODEGEN_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* How a step of the compiler ended. The numbers are bufpoolc's exit codes. */
typedef enum cg_status {
    CG_OK = 0,
    CG_WRONG = 1, /* the contract has errors (they were reported), or an output is stale */
    CG_USAGE = 2, /* the command line is wrong */
    CG_FAILED = 3 /* no memory, or a file could not be read or written */
} cg_status;

typedef struct cg_arena cg_arena;

/* A new, empty arena, or NULL without memory. */
cg_arena *cg_arena_new(void);

/* Runs the deferrals, latest first, and gives everything back. NULL is allowed. */
void cg_arena_free_take(cg_arena **arena);

/* Runs work(user). False when memory ran out on the way: work was then left in its middle. Attempts do not nest. */
bool cg_arena_attempt(cg_arena *arena, void (*work)(void *user), void *user);

/* size zeroed bytes at the alignment of max_align_t. Never NULL: without memory the attempt is left, and outside of
 * one the process aborts. */
void *cg_arena_alloc(cg_arena *arena, size_t size);

/* The same for count times item_size bytes. */
void *cg_arena_array(cg_arena *arena, size_t count, size_t item_size);

/* piece, of old_size bytes, with size bytes: it may move, and what is added is not zeroed. For buffers that become
 * large; the room that they had before is not wasted then. */
void *cg_arena_extend(cg_arena *arena, void *piece, size_t old_size, size_t size);

/* Copies of text as NUL-terminated strings. */
char *cg_arena_copy(cg_arena *arena, const char *text, size_t length);
char *cg_arena_text(cg_arena *arena, const char *text);
char *cg_arena_format(cg_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *cg_arena_vformat(cg_arena *arena, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* items, an array of count elements of item_size bytes, with room for one more: itself, or a copy twice as long when
 * count is 0 or a power of two. For arrays that only grow by one. */
void *cg_arena_grow(cg_arena *arena, void *items, size_t count, size_t item_size);

/* Where an arena was at some moment. */
typedef struct cg_arena_mark {
    void *blocks, *deferrals;
    char *at, *end;
} cg_arena_mark;

/* Gives back what was handed out since the mark was set; pieces that are older must not have been extended since. For
 * work that goes round and round. */
cg_arena_mark cg_arena_set_mark(const cg_arena *arena);
void cg_arena_rewind(cg_arena *arena, const cg_arena_mark *mark);

/* Runs undo(what) when the arena is freed; at once when there is no memory to remember it. */
void cg_arena_defer(cg_arena *arena, void (*undo)(void *what), void *what);

/* Leaves the attempt, for memory that others could not get. */
_Noreturn void cg_arena_out_of_memory(cg_arena *arena);

/* Makes the allocation after `count` more fail, for tests; a negative count never fails. */
void cg_arena_fail_after(cg_arena *arena, long count);

#define CG_NEW(arena, type) ((type *)cg_arena_alloc((arena), sizeof(type)))
#define CG_NEW_ARRAY(arena, type, count) ((type *)cg_arena_array((arena), (count), sizeof(type)))

#endif
