/* tests/unit/codegen/compile.h: contracts as text, compiled inside a test. */
#ifndef BUFPOOL_TESTS_CODEGEN_COMPILE_H
#define BUFPOOL_TESTS_CODEGEN_COMPILE_H

#include "codegen/build.h"
#include "tests/support/suite.h"

#include <string.h>

typedef struct bpt_compiled {
    cg_arena *arena;
    cg_diags diags;
    const cg_model *model; /* NULL when the contract is wrong */
} bpt_compiled;

static inline bpt_compiled bpt_compile_bytes(const char *text, size_t length) {
    bpt_compiled c = {.arena = cg_arena_new()};
    ck_assert_ptr_nonnull(c.arena);
    c.model = cg_compile(c.arena, cg_source_of(c.arena, "test.yaml", text, length), NULL, &c.diags);
    return c;
}

static inline bpt_compiled bpt_compile(const char *text) { return bpt_compile_bytes(text, strlen(text)); }

/* A contract that must be right. */
static inline bpt_compiled bpt_compile_good(const char *text) {
    bpt_compiled c = bpt_compile(text);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    return c;
}

static inline void bpt_compiled_free(bpt_compiled *c) { cg_arena_free_take(&c->arena); }

static inline const cg_message *bpt_message(const bpt_compiled *c, const char *name) {
    for (size_t i = 0; i < c->model->message_count; i++) {
        if (strcmp(c->model->messages[i].name.text, name) == 0) return &c->model->messages[i];
    }
    ck_abort_msg("no message %s", name);
    return NULL;
}

static inline const cg_field *bpt_field(const cg_message *message, const char *name) {
    for (size_t i = 0; i < message->field_count; i++) {
        if (strcmp(message->fields[i].name.text, name) == 0) return &message->fields[i];
    }
    ck_abort_msg("no field %s", name);
    return NULL;
}

#endif
