/* tests/unit/codegen/lock.h: publishing and compiling with locks inside a test. */
#ifndef BUFPOOL_TESTS_CODEGEN_LOCK_H
#define BUFPOOL_TESTS_CODEGEN_LOCK_H

#include "tests/unit/codegen/compile.h"

/* The lock after a contract was published; before is the lock until then, or NULL. Lives in the arena. */
static inline const char *bpt_publish(cg_arena *arena, const char *contract, const char *before) {
    cg_diags diags = {.arena = arena};
    const cg_lock *lock = NULL;
    size_t count = 0;
    cg_text text = {.arena = arena};
    if (before != NULL) {
        lock = cg_lock_read(arena, cg_source_of(arena, "test.lock", before, strlen(before)), &diags);
        ck_assert_msg(lock != NULL, "%s", cg_diags_print(&diags));
    }
    const cg_source *source = cg_source_of(arena, "test.yaml", contract, strlen(contract));
    const cg_model *model = cg_compile_locked(arena, source, lock, NULL, &diags);
    ck_assert_msg(model != NULL, "%s", cg_diags_print(&diags));
    cg_text_format(&text, "%s", before == NULL ? "bufpool lock 1\n" : before);
    const cg_lock_line *changes = cg_lock_changes(arena, model, lock, &count);
    cg_lock_write(&text, model, lock, changes, count);
    return cg_text_end(&text);
}

/* Compiles with a lock that must be one. */
static inline bpt_compiled bpt_compile_locked(const char *contract, const char *lock_text) {
    bpt_compiled c = {.arena = cg_arena_new()};
    c.diags.arena = c.arena;
    const cg_source *source = cg_source_of(c.arena, "test.lock", lock_text, strlen(lock_text));
    const cg_lock *lock = cg_lock_read(c.arena, source, &c.diags);
    ck_assert_msg(lock != NULL, "%s", cg_diags_print(&c.diags));
    source = cg_source_of(c.arena, "test.yaml", contract, strlen(contract));
    c.model = cg_compile_locked(c.arena, source, lock, NULL, &c.diags);
    return c;
}

#endif
