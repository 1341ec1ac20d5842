/* What changes the hash of a contract, and what does not. */
#include "tests/unit/codegen/compile.h"

START_TEST(the_hash_follows_the_wire_and_nothing_else) {
    static const char base[] = "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: u8}}}";
    static const char *const same[] = {"# said\nschema: {name: s}\nmessages: {T: {tlv_type: 0x1, description: d, "
                                       "fields: {a: uint8, b: {type: u8, unit: ns}}}}",
                                       "schema: {name: s, version: 1}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: "
                                       "{type: u8, validation: [{max: 3}]}}}}"};
    static const char *const other[] = {
        "schema: {name: s}\nmessages: {T: {tlv_type: 2, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {b: u8, a: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: i8, b: u8}}}",
        "schema: {name: s, version: 2}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, reserve: 99, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, sensitivity: secret, fields: {a: u8, b: u8}}}"};
    bpt_compiled first = bpt_compile_good(base);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        bpt_compiled c = bpt_compile_good(same[i]);
        ck_assert_uint_eq(c.model->contract_hash, first.model->contract_hash);
        bpt_compiled_free(&c);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        bpt_compiled c = bpt_compile_good(other[i]);
        ck_assert_msg(c.model->contract_hash != first.model->contract_hash, "%s", other[i]);
        bpt_compiled_free(&c);
    }
    bpt_compiled_free(&first);
}
END_TEST

/* Members of the structs of hooks and sessions, and whether there are functions that check them. */
START_TEST(the_hash_follows_hooks_and_sessions) {
    static const char *const all[] = {
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{known: true}]}, b: i8}}, "
        "U: "
        "{tlv_type: 2}}",
        "schema: {name: s}\nrules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{known: "
        "true}]}, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nrules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: {type: i8, validation: "
        "[{known: "
        "true}]}}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nrules: [other]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{other: "
        "true}]}, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{monotonic: true}]}, b: "
        "i8}}, "
        "U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: {type: i8, validation: [{monotonic: "
        "true}]}}}, "
        "U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, required_prior_messages: [U], fields: {a: u8, b: i8}}, U: "
        "{tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: i8}}, U: {tlv_type: 2, "
        "required_prior_messages: "
        "[T]}}"};
    enum { ALL = sizeof all / sizeof all[0] };
    uint64_t hashes[ALL];
    for (size_t i = 0; i < ALL; i++) {
        bpt_compiled c = bpt_compile_good(all[i]);
        hashes[i] = c.model->contract_hash;
        bpt_compiled_free(&c);
        for (size_t k = 0; k < i; k++) ck_assert_msg(hashes[k] != hashes[i], "%s\n%s", all[k], all[i]);
    }
    bpt_compiled described =
        bpt_compile_good("schema: {name: s}\nrules: {known: {description: d}}\nmessages: {T: {tlv_type: "
                         "1, fields: {a: {type: u8, validation: [{known: true}]}, b: i8}}, U: "
                         "{tlv_type: 2}}");
    ck_assert_uint_eq(described.model->contract_hash, hashes[2]);
    bpt_compiled_free(&described);
}
END_TEST

/* Each contract is the first with one thing changed that readers, writers or the pool would notice. */
START_TEST(the_hash_follows_types_enums_ranges_and_the_pool) {
#define TAIL                                                                                                           \
    "messages: {T: {tlv_type: 9, fields: {s: Side, v: {type: Vec<L>, validation: [{max_length: 4}]}}}, " GONE "}"
#define GONE "Old: {tlv_type: 8, retired: true}"
#define HEAD "schema: {name: s, id: 5, version: 2}\n"
#define RANGES "tag_ranges: {app: 5-9}\n"
#define POOL "pool: {min_class: 64}\n"
#define ENUM "enums: {Side: {type: u8, values: {buy: 0, sell: 1}}}\n"
#define TYPE "types: {L: {extensible: true, fields: {p: u32, q: {type: u8, since: 2}}}}\n"
    static const char *const all[] = {
        HEAD RANGES POOL ENUM TYPE TAIL,
        "schema: {name: s, id: 6, version: 2}\n" RANGES POOL ENUM TYPE TAIL,
        "schema: {name: s, id: 5, version: 2, min_compatible: 2}\n" RANGES POOL ENUM TYPE TAIL,
        HEAD "tag_ranges: {app: 5-10}\n" POOL ENUM TYPE TAIL,
        HEAD "tag_ranges: {app: {range: 5-9, unknown: skip}}\n" POOL ENUM TYPE TAIL,
        HEAD RANGES "pool: {min_class: 128}\n" ENUM TYPE TAIL,
        HEAD RANGES "pool: {memory_limit: 1MiB}\n" ENUM TYPE TAIL,
        HEAD RANGES "pool: {idle_bytes_per_class: 4096}\n" ENUM TYPE TAIL,
        HEAD RANGES POOL "enums: {Side: {type: i8, values: {buy: 0, sell: 1}}}\n" TYPE TAIL,
        HEAD RANGES POOL "enums: {Side: {type: u8, values: {buy: 0, sell: 2}}}\n" TYPE TAIL,
        HEAD RANGES POOL "enums: {Side: {type: u8, values: {buy: 0, sold: 1}}}\n" TYPE TAIL,
        HEAD RANGES POOL "enums: {Side: {type: u8, open: true, values: {buy: 0, sell: 1}}}\n" TYPE TAIL,
        HEAD RANGES POOL ENUM "types: {L: {fields: {p: u32, q: u8}}}\n" TAIL,
        HEAD RANGES POOL ENUM "types: {L: {extensible: true, fields: {p: u32, q: u8}}}\n" TAIL,
        HEAD RANGES POOL ENUM "types: {L: {extensible: true, fields: {p: u32, r: {type: u8, since: 2}}}}\n" TAIL,
        HEAD RANGES POOL ENUM TYPE "messages: {T: {tlv_type: 9, fields: {s: Side, v: {type: Vec<L>, validation: "
                                   "[{max_length: 5}]}}}, " GONE "}",
        HEAD RANGES POOL ENUM TYPE "messages: {T: {tlv_type: 9, fields: {s: Side, v: {type: Vec<L>, validation: "
                                   "[{max_length: 4}]}}}, Old: {tlv_type: 7, retired: true}}"};
    enum { ALL = sizeof all / sizeof all[0] };
    uint64_t hashes[ALL];
    for (size_t i = 0; i < ALL; i++) {
        bpt_compiled c = bpt_compile_good(all[i]);
        hashes[i] = c.model->contract_hash;
        bpt_compiled_free(&c);
        for (size_t k = 0; k < i; k++) ck_assert_msg(hashes[k] != hashes[i], "%s\n%s", all[k], all[i]);
    }
}
END_TEST

BPT_SUITE(codegen_contract_hash) {
    BPT_TEST(the_hash_follows_the_wire_and_nothing_else);
    BPT_TEST(the_hash_follows_hooks_and_sessions);
    BPT_TEST(the_hash_follows_types_enums_ranges_and_the_pool);
}
