/* bufpoolc as a program that reads what strangers wrote: any bytes as a contract, and, when they are one, all that can
 * be made of it without a compiler. A crash, a hang or memory without bound is what the fuzzer looks for. */
#include "codegen/build.h"
#include "codegen/emit.h"
#include "codegen/lock.h"
#include "codegen/report.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    cg_arena *arena;
    const uint8_t *data;
    size_t size;
} input;

/* What has no error compiles into the same again. */
static void use(cg_arena *arena, const cg_model *model) {
    cg_text text = {.arena = arena};
    cg_outputs outputs = {.arena = arena};
    cg_report_text(&text, model, NULL);
    cg_report_json(&text, model, NULL);
    if (cg_emit(model, CG_PARTS_DEFAULT, &outputs) != CG_OK) abort(); /* a template met what it does not know */
}

static void compile(void *user) {
    const input *in = user;
    cg_diags diags = {.arena = in->arena};
    const cg_source *source = cg_source_of(in->arena, "fuzz.yaml", (const char *)in->data, in->size);
    const cg_model *model = cg_compile(in->arena, source, NULL, &diags);
    (void)cg_diags_print(&diags);
    (void)cg_diags_json(&diags, "fuzz.yaml");
    if ((model == NULL) != (diags.error_count != 0)) abort(); /* refused without a word, or accepted with one */
    if (model != NULL) use(in->arena, model);
    (void)cg_lock_read(in->arena, source, &diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {.arena = cg_arena_new(), .data = data, .size = size};
    if (in.arena == NULL || !cg_arena_attempt(in.arena, compile, &in)) abort();
    cg_arena_free_take(&in.arena);
    return 0;
}
