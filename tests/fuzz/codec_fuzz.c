/* Holds generated decoders, views, rules, printers and encoders against the interpreter, on any bytes.
 *
 * Input: the first byte chooses the contract, the next two are a frame's type, the rest is the value. */
#include "codegen/build.h"
#include "tests/support/agree.h"

#include "market_samples.h"
#include "zoo_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONTRACTS = 2, HEAD = 3, TYPES = 65536 };

static const struct {
    const char *path;
    const sample_message *samples;
    size_t count;
} contracts[CONTRACTS] = {{"contracts.yaml", market_samples, MARKET_SAMPLE_COUNT},
                          {"tests/contracts/zoo.yaml", zoo_samples, ZOO_SAMPLE_COUNT}};

static cg_arena *arena;
static bpt_pair *pairs[CONTRACTS][TYPES]; /* NULL: no message has the type */

static void load(size_t ix) {
    cg_source *source = NULL;
    cg_diags diags = {.arena = arena};
    if (cg_source_read(arena, contracts[ix].path, &source) != CG_OK) abort();
    const cg_model *const model = cg_compile(arena, source, NULL, &diags);
    if (model == NULL) abort();
    for (size_t i = 0; i < contracts[ix].count; i++) {
        const sample_message *const generated = &contracts[ix].samples[i];
        bpt_pair *const pair = CG_NEW(arena, bpt_pair);
        for (size_t m = 0; m < model->message_count; m++) {
            if (model->messages[m].tlv_type != generated->type) continue;
            *pair = bpt_pair_of(arena, generated, &model->messages[m]);
            pairs[ix][generated->type] = pair;
        }
    }
}

static void load_all(void) {
    arena = cg_arena_new();
    if (arena == NULL) abort();
    for (size_t i = 0; i < CONTRACTS; i++) load(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (arena == NULL) load_all();
    if (size < HEAD) return 0;
    const bpt_pair *const pair = pairs[data[0] % CONTRACTS][data[1] | data[2] << 8];
    if (pair == NULL) return 0;
    /* Exactly as long, so that reading behind the end is found. */
    uint8_t *const value = malloc(size - HEAD == 0 ? 1 : size - HEAD);
    if (value == NULL) abort();
    memcpy(value, data + HEAD, size - HEAD);
    const cg_arena_mark mark = cg_arena_set_mark(arena);
    const char *const difference = bpt_disagreement(arena, pair, value, size - HEAD);
    if (difference != NULL) {
        fprintf(stderr, "%s: %s\n", pair->generated->name, difference);
        abort();
    }
    cg_arena_rewind(arena, &mark);
    free(value);
    return 0;
}
