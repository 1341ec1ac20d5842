#define _GNU_SOURCE
/* Whether what is said of peers is true: two ends, one with each contract's numbers, connect. */
#include "codegen/compat.h"
#include "tests/support/contract_pair.h"
#include "tests/support/frame_rig.h"
#include "tests/unit/codegen/compile.h"

enum { PAIRS = 60, LAYOUTS_MAX = 16 };

/* Of a contract, all that HELLO knows; it has no messages to be handled. */
typedef struct end {
    bp_schema schema;
    bp_layout layouts[LAYOUTS_MAX];
} end;

static void end_of(end *e, const cg_model *model) {
    bpt_must(model->layout_count <= LAYOUTS_MAX);
    for (size_t i = 0; i < model->layout_count; i++) {
        e->layouts[i] = (bp_layout){.version = model->layouts[i].version, .hash = model->layouts[i].hash};
    }
    e->schema = (bp_schema){.abi = BP_ABI,
                            .name = "pair",
                            .id = model->id,
                            .version = model->version,
                            .min_compatible = model->min_compatible,
                            .layouts = e->layouts,
                            .layout_count = (uint32_t)model->layout_count};
}

/* Whether two ends that say HELLO become connected. */
static bool do_connect(const cg_model *serving, const cg_model *calling) {
    end server, client;
    bpt_rig rig;
    bpt_rig_init(&rig);
    end_of(&server, serving);
    end_of(&client, calling);
    bp_server_config server_config = bpt_rig_server_config(&rig, 1);
    bp_client_config client_config = bpt_rig_client_config(&rig, 0, 1);
    server_config.conn.hello = client_config.conn.hello = BP_HELLO_REQUIRED;
    server_config.conn.services[0].schema = &server.schema;
    client_config.conn.services[0].schema = &client.schema;
    bpt_rig_listen(&rig, &server_config, 1);
    bpt_rig_connect(&rig, 0, &client_config);
    bpt_rig_until(&rig, (rig.server.opens == 1 && rig.clients[0].opens == 1) || rig.clients[0].closes == 1);
    const bool is_open = rig.clients[0].closes == 0;
    bpt_rig_fini(&rig);
    return is_open;
}

static bool is_said_to_connect(cg_arena *arena, const cg_model *before, const cg_model *now) {
    const cg_compat *compat = cg_compat_make(arena, before, now);
    bool is_refused = false;
    for (size_t i = 0; i < compat->count; i++) {
        const cg_verdict verdict = compat->changes[i].verdict;
        if (verdict != CG_C_SCHEMA_ID && verdict != CG_C_HELLO) continue;
        is_refused = true;
        ck_assert_uint_eq(compat->changes[i].breaks, CG_BREAKS_WIRE | CG_BREAKS_FORWARD);
    }
    return !is_refused;
}

static const cg_model *compile_text(cg_arena *arena, const char *text) {
    cg_diags diags = {.arena = arena};
    return cg_compile(arena, cg_source_of(arena, "pair.yaml", text, strlen(text)), NULL, &diags);
}

/* Whoever serves, and whichever contract is the one of today. */
static bool check(cg_arena *arena, const cg_model *before, const cg_model *now, const char *what) {
    const bool is_said = is_said_to_connect(arena, before, now);
    ck_assert_msg(is_said_to_connect(arena, now, before) == is_said, "%s: judged otherwise in reverse", what);
    ck_assert_msg(do_connect(before, now) == is_said, "%s: compat says %d", what, is_said);
    ck_assert_msg(do_connect(now, before) == is_said, "%s, reversed: compat says %d", what, is_said);
    return is_said;
}

static const struct {
    const char *before, *now;
    bool fits;
} pairs[] = {
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: b, id: 7, version: 1}\nmessages: {B: {tlv_type: 1}}\n", true},
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 8, version: 1}\nmessages: {A: {tlv_type: 1}}\n", false},
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}, B: {tlv_type: 2}}\n", false},
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 7, version: 2}\nmessages: {A: {tlv_type: 1}, B: {tlv_type: 2}}\n", false},
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 7, version: 2}\nmessages: {A: {tlv_type: 1}, B: {tlv_type: 2, since: 2}}\n", true},
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 7, version: 2, min_compatible: 2}\nmessages: {A: {tlv_type: 1}}\n", false},
    {"schema: {name: a, id: 7, version: 2}\nmessages: {A: {tlv_type: 1}}\n",
     "schema: {name: a, id: 7, version: 2, min_compatible: 2}\nmessages: {A: {tlv_type: 1}}\n", true},
    /* What a message that is retired looked like is not known any more. */
    {"schema: {name: a, id: 7, version: 1}\nmessages: {A: {tlv_type: 1}, B: {tlv_type: 2}}\n",
     "schema: {name: a, id: 7, version: 2}\nmessages: {A: {tlv_type: 1}, B: {tlv_type: 2, retired: true}}\n", true},
};

START_TEST(what_is_said_of_peers_is_true) {
    cg_arena *arena = cg_arena_new();
    const cg_model *before = compile_text(arena, pairs[_i].before), *now = compile_text(arena, pairs[_i].now);
    ck_assert(before != NULL && now != NULL);
    ck_assert_int_eq(check(arena, before, now, pairs[_i].now), pairs[_i].fits);
    cg_arena_free_take(&arena);
}
END_TEST

/* 0: refused; 1: connected; -1: one of them is no contract. */
static int check_random(uint64_t seed) {
    cg_arena *arena = cg_arena_new();
    bpt_random random = {.state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1};
    const bpt_contract_pair pair = bpt_contract_pair_make(arena, &random);
    const cg_model *before = compile_text(arena, pair.before), *now = compile_text(arena, pair.now);
    int result = -1;
    if (before != NULL && now != NULL) result = check(arena, before, now, pair.edits);
    cg_arena_free_take(&arena);
    return result;
}

START_TEST(what_is_said_of_random_peers_is_true) {
    unsigned counts[2] = {0};
    for (uint64_t seed = 1; counts[0] + counts[1] < PAIRS; seed++) {
        const int result = check_random(seed);
        if (result >= 0) counts[result]++;
    }
    ck_assert_uint_gt(counts[0], PAIRS / 10);
    ck_assert_uint_gt(counts[1], PAIRS / 10);
}
END_TEST

BPT_SUITE(codegen_compat_hello) {
    BPT_LOOP_TEST(what_is_said_of_peers_is_true, 0, sizeof pairs / sizeof pairs[0]);
    BPT_TEST(what_is_said_of_random_peers_is_true);
}
