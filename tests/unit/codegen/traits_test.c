#include "codegen/traits.h"

#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const cg_struct *struct_of(const bpt_compiled *c, const char *name) {
    for (size_t i = 0; i < c->model->struct_count; i++) {
        if (strcmp(c->model->structs[i]->name.text, name) == 0) return c->model->structs[i];
    }
    ck_abort_msg("no type %s", name);
    return NULL;
}

static void expect(const bpt_compiled *c, const char *name, bool checks, bool limits, bool rules) {
    const cg_struct *found = struct_of(c, name);
    ck_assert_msg(found->has_checks == checks, "checks of %s", name);
    ck_assert_msg(found->has_limits == limits, "limits of %s", name);
    ck_assert_msg(found->has_rules == rules, "rules of %s", name);
}

START_TEST(a_type_answers_for_what_is_inside_it) {
    bpt_compiled c = bpt_compile_good(
        "schema: {name: s}\n"
        "enums: {Closed: {type: u8, values: {x: 1}}, Open: {type: u8, open: true, values: {x: 1}}}\n"
        "types: {Plain: {fields: {a: u16, o: Open, z: u8}}, Padded: {fields: {a: u16, b: u8}},\n"
        "  Flag: {fields: {a: bool}}, Choice: {fields: {a: Closed}}, Counted: {fields: {a: \"FixedVec<u8, 3>\"}},\n"
        "  Ruled: {fields: {a: {type: u8, validation: [{max: 3}]}}}, OfRuled: {fields: {a: \"[Ruled; 2]\"}},\n"
        "  OfFlag: {fields: {p: Plain, f: \"[Flag; 3]\"}}, OfChoice: {fields: {c: Choice}}, OfPlain: {fields: {p: "
        "Plain}}}\n"
        "messages: {T: {tlv_type: 1, fields: {a: OfRuled, b: OfFlag, c: OfChoice, d: OfPlain, e: Padded, f: "
        "Counted}}}");
    expect(&c, "Plain", false, false, false);
    expect(&c, "OfPlain", false, false, false);
    expect(&c, "Padded", true, false, false);
    expect(&c, "Flag", true, false, false);
    expect(&c, "OfFlag", true, false, false);
    expect(&c, "Choice", true, true, false);
    expect(&c, "OfChoice", true, true, false);
    expect(&c, "Counted", true, true, false);
    expect(&c, "Ruled", false, false, true);
    expect(&c, "OfRuled", false, false, true);
    bpt_compiled_free(&c);
}
END_TEST

/* Hooks and what a session keeps are no rules of validate. */
START_TEST(hooks_and_sessions_are_found) {
    bpt_compiled c = bpt_compile_good(
        "schema: {name: s}\nrules: [known]\n"
        "types: {Asked: {fields: {a: {type: u8, validation: [{known: true}]}}}, OfAsked: {fields: {a: \"[Asked; "
        "2]\"}},\n"
        "  Deep: {fields: {a: \"FixedVec<OfAsked, 2>\", b: \"[[Asked; 2]; 2]\"}}, Plain: {fields: {a: u8}}}\n"
        "messages:\n  A: {tlv_type: 1, fields: {a: Deep}}\n  B: {tlv_type: 2, fields: {a: Plain}}\n"
        "  C: {tlv_type: 3, fields: {a: {type: u8, validation: [{monotonic: true}]}}}\n"
        "  D: {tlv_type: 4, required_prior_messages: [E]}\n  E: {tlv_type: 5}\n  F: {tlv_type: 6}\n");
    static const char *const asked[] = {"Asked", "OfAsked", "Deep"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert(struct_of(&c, asked[i])->has_hooks);
        expect(&c, asked[i], i == 2, i == 2, false);
    }
    ck_assert(!struct_of(&c, "Plain")->has_hooks);
    ck_assert(cg_message_has_hooks(bpt_message(&c, "A")) && !cg_message_has_hooks(bpt_message(&c, "B")));
    ck_assert(!cg_message_has_session(bpt_message(&c, "A")) && !cg_message_has_session(bpt_message(&c, "F")));
    static const char *const remembered[] = {"C", "D", "E"};
    for (size_t i = 0; i < 3; i++) ck_assert(cg_message_has_session(bpt_message(&c, remembered[i])));
    ck_assert(cg_model_has_hooks(c.model) && cg_model_has_session(c.model));
    bpt_compiled_free(&c);
}
END_TEST

static void ends_with(const bpt_compiled *c, const char *message, const char *field) {
    const cg_field *placed = cg_message_placed(bpt_message(c, message));
    ck_assert_msg(field == NULL ? placed == NULL : placed != NULL && strcmp(placed->name.text, field) == 0,
                  "%s ends with %s", message, placed == NULL ? "nothing to place" : placed->name.text);
}

/* What ends the wire, not the lines of the contract. */
START_TEST(the_bytes_that_end_a_value_are_found) {
    bpt_compiled c = bpt_compile_good(
        "schema: {name: s, version: 2}\nmessages:\n"
        "  Alone: {tlv_type: 1, fields: {a: \"bytes<33>\"}}\n"
        "  Lifted: {tlv_type: 2, fields: {a: \"bytes<33>\", v: \"FixedVec<u16, 3>\"}}\n"
        "  Newer: {tlv_type: 3, fields: {a: \"bytes<33>\", v: {type: \"FixedVec<u16, 3>\", since: 2}}}\n"
        "  Words: {tlv_type: 4, fields: {a: \"bytes<33>\", t: \"FixedStr<33>\"}}\n"
        "  Brief: {tlv_type: 5, fields: {a: \"bytes<32>\"}}\n"
        "  Two: {tlv_type: 6, fields: {a: \"bytes<33>\", b: \"bytes<33>\", z: u8}}\n"
        "  Forced: {tlv_type: 7, fields: {a: {type: \"bytes<9>\", wire: tail}}}\n"
        "  Left: {tlv_type: 8, fields: {a: \"bytes<33>\", t: {type: \"FixedStr<33>\", retired: true}}}\n"
        "  Gone: {tlv_type: 9, fields: {t: \"FixedStr<33>\", a: {type: \"bytes<33>\", retired: true}}}\n"
        "  Empty: {tlv_type: 10}\n");
    ends_with(&c, "Alone", "a");
    ends_with(&c, "Lifted", "a");
    ends_with(&c, "Newer", NULL);
    ends_with(&c, "Words", NULL);
    ends_with(&c, "Brief", NULL);
    ends_with(&c, "Two", "b");
    ends_with(&c, "Forced", "a");
    ends_with(&c, "Left", "a");
    ends_with(&c, "Gone", NULL);
    ends_with(&c, "Empty", NULL);
    ck_assert(cg_model_has_place(c.model));
    bpt_compiled_free(&c);
    c = bpt_compile_good("messages: {Words: {tlv_type: 4, fields: {t: \"FixedStr<33>\"}}}");
    ck_assert(!cg_model_has_place(c.model));
    bpt_compiled_free(&c);
}
END_TEST

/* Each type holds the one before it four times: 2^28 paths, which a walk along every one of them would not end in time.
 */
START_TEST(types_that_double_are_asked_once_each) {
    char text[2048] = "schema: {name: s}\ntypes:\n  T0: {fields: {a: u8}}\n";
    for (int i = 1; i <= 14; i++) {
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "  T%d: {fields: {a: T%d, b: T%d, c: T%d, d: T%d}}\n", i, i - 1,
                       i - 1, i - 1, i - 1);
    }
    strncat(text, "messages: {M: {tlv_type: 1, fields: {v: \"FixedVec<T14, 2>\"}}}\n", sizeof text - strlen(text) - 1);
    bpt_compiled c = bpt_compile_good(text);
    for (size_t i = 0; i < c.model->struct_count; i++) {
        const cg_type type = {.kind = CG_STRUCT, .structure = c.model->structs[i]};
        ck_assert(!cg_type_has_checks(&type) && !cg_type_has_limits(&type) && !cg_type_has_rules(&type));
    }
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_traits) {
    BPT_TEST(a_type_answers_for_what_is_inside_it);
    BPT_TEST(hooks_and_sessions_are_found);
    BPT_TEST(the_bytes_that_end_a_value_are_found);
    BPT_TEST(types_that_double_are_asked_once_each);
}
