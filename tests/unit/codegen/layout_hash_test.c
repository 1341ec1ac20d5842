/* Which contracts have one layout hash, which do not, and what is known of older versions. BPT_PAIRS=2000 tries more
 * random pairs. */
#include "codegen/compat.h"
#include "tests/support/contract_pair.h"
#include "tests/support/wire_page.h"
#include "tests/unit/codegen/compile.h"
#include "tests/unit/codegen/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The hash of a version; 0 when the contract does not know it. */
static uint64_t hash_of(const cg_model *model, uint32_t version) {
    uint64_t hash = 0;
    for (size_t i = 0; i < model->layout_count && model->layouts[i].version <= version; i++) {
        hash = model->layouts[i].hash;
    }
    return hash;
}

static uint64_t hash_of_text(const char *text, uint32_t version) {
    bpt_compiled c = bpt_compile_good(text);
    const uint64_t hash = hash_of(c.model, version);
    bpt_compiled_free(&c);
    return hash;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- the text behind the number --------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits, as docs/WIRE.md asks for. */
static uint64_t fnv(const char *text) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *text != '\0'; text++) hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
    return hash;
}

START_TEST(the_hash_is_that_of_the_text_on_the_page) {
    cg_arena *arena = cg_arena_new();
    const char *page = bpt_wire_page(arena);
    const char *contract = bpt_wire_block(arena, page, "## Layout hash", "yaml");
    const char *type = bpt_wire_block(arena, page, "## Layout hash", "type");
    const char *text = bpt_wire_block(arena, page, "## Layout hash", "layout");
    char inside[17];
    snprintf(inside, sizeof inside, "%016" PRIx64, fnv(type));
    ck_assert_msg(strstr(text, inside) != NULL, "the type's hash is %s", inside);
    const uint64_t hash = hash_of_text(contract, 3);
    ck_assert_msg(fnv(text) == hash, "the page's text has %016" PRIx64 ", the contract %016" PRIx64, fnv(text), hash);
    ck_assert_ptr_nonnull(strstr(page, cg_arena_format(arena, "the hash `%016" PRIX64 "`", hash)));
    cg_arena_free_take(&arena);
}
END_TEST

/* ---- one version ------------------------------------------------------------------------------------------------ */

#define BASE_ENUM "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
#define BASE_TYPES "types: {L: {fields: {p: u32, q: u16}}, G: {extensible: true, fields: {x: u32}}}\n"
#define BASE_FIELDS                                                                                                    \
    "a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: 'FixedVec<u32, 9>', g: 'FixedVec<G, "  \
    "9>'"
#define BASE BASE_ENUM BASE_TYPES "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}"
#define WITH(fields) BASE_ENUM BASE_TYPES "messages: {T: {tlv_type: 9, fields: {" fields "}}}"

START_TEST(what_moves_no_byte_changes_nothing) {
    static const char *const same[] = {
        "schema: {name: other, id: 77}\n" BASE,
        "pool: {min_class: 512, memory_limit: 1MiB}\n" BASE,
        "tag_ranges: {app: {range: 1-999, unknown: skip}}\n" BASE,
        BASE_ENUM BASE_TYPES
        "messages: {Tome: {tlv_type: 9, reserve: 99, rate: 7, sensitivity: secret, description: d, "
        "fields: {" BASE_FIELDS "}}}",
        "enums: {Seite: {type: u8, open: true, values: {kauf: 1, x: 9}}}\n" BASE_TYPES
        "messages: {T: {tlv_type: 9, fields: {a: u16, s: Seite, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', "
        "u: 'FixedVec<u32, 9>', g: 'FixedVec<G, 9>'}}}",
        BASE_ENUM "types: {Lage: {fields: {r: u32, s: u16}}, G: {extensible: true, fields: {y: u32}}, Idle: {fields: "
                  "{a: u8}}}\nmessages: {T: {tlv_type: 9, fields: {a: u16, s: Side, l: Lage, o: {type: u8, optional: "
                  "true}, t: 'FixedStr<8>', u: 'FixedVec<u32, 9>', g: 'FixedVec<G, 9>'}}}",
        WITH("b: {type: u16, validation: [{max: 3}]}, s: {type: Side, default: sell}, l: L, o: {type: u8, optional: "
             "true, default: 3}, t: 'FixedStr<8>', u: 'FixedVec<u32, 200>', g: {type: 'Vec<G>', validation: "
             "[{max_length: 60000}]}"),
        WITH("a: {type: u16, retired: true}, s: Side, l: L, o: {type: u8, optional: true, retired: true}, t: "
             "'FixedStr<8>', u: {type: 'FixedVec<u32, 9>', retired: true}, g: 'FixedVec<G, 9>'")};
    const uint64_t hash = hash_of_text(BASE, 1);
    ck_assert_uint_ne(hash, 0);
    for (size_t i = 0; i < COUNT(same); i++) {
        ck_assert_msg(hash_of_text(same[i], 1) == hash, "another hash:\n%s", same[i]);
    }
}
END_TEST

START_TEST(what_moves_or_means_other_bytes_changes_it) {
    static const char *const all[] = {
        BASE,
        BASE_ENUM BASE_TYPES "messages: {T: {tlv_type: 8, fields: {" BASE_FIELDS "}}}",
        BASE_ENUM BASE_TYPES "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}, U: {tlv_type: 10}}",
        WITH(BASE_FIELDS ", z: u8"),
        WITH("a: i16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: 'FixedVec<u32, 9>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: u8, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: 'FixedVec<u32, 9>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: u8, t: 'FixedStr<8>', u: 'FixedVec<u32, 9>', g: 'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<9>', u: 'FixedVec<u32, 9>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'bytes<8>', u: 'FixedVec<u32, 9>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: 'FixedVec<u32, 70000>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: 'FixedVec<i32, 9>', g: "
             "'FixedVec<G, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', g: 'FixedVec<G, 9>', u: "
             "'FixedVec<u32, 9>'"),
        WITH("a: u16, s: Side, l: L, o: {type: u8, optional: true}, t: 'FixedStr<8>', u: {type: 'FixedVec<u32, 9>', "
             "wire: inline}, g: 'FixedVec<G, 9>'"),
        "enums: {Side: {type: i8, values: {buy: 1, sell: 2}}}\n" BASE_TYPES
        "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}",
        BASE_ENUM "types: {L: {fields: {p: i32, q: u16}}, G: {extensible: true, fields: {x: u32}}}\n"
                  "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}",
        BASE_ENUM "types: {L: {fields: {p: u32, q: u16}}, G: {extensible: true, fields: {x: u32, y: u32}}}\n"
                  "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}",
        BASE_ENUM "types: {L: {fields: {p: u32, q: u16}}, G: {fields: {x: u32}}}\n"
                  "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}"};
    uint64_t hashes[COUNT(all)];
    for (size_t i = 0; i < COUNT(all); i++) {
        hashes[i] = hash_of_text(all[i], 1);
        for (size_t k = 0; k < i; k++) ck_assert_msg(hashes[k] != hashes[i], "one hash:\n%s\n%s", all[k], all[i]);
    }
}
END_TEST

/* Two bits for two fields in one bitmap: which is whose is not said by where they lie. */
START_TEST(bits_and_tails_have_their_order) {
    ck_assert_uint_ne(
        hash_of_text(
            "messages: {T: {tlv_type: 9, fields: {a: {type: u8, optional: true}, b: {type: i8, optional: true}}}}", 1),
        hash_of_text(
            "messages: {T: {tlv_type: 9, fields: {b: {type: i8, optional: true}, a: {type: u8, optional: true}}}}", 1));
    ck_assert_uint_ne(
        hash_of_text("messages: {T: {tlv_type: 9, fields: {a: 'FixedStr<99>', b: {type: 'FixedStr<70000>'}}}}", 1),
        hash_of_text("messages: {T: {tlv_type: 9, fields: {b: {type: 'FixedStr<70000>'}, a: 'FixedStr<99>'}}}", 1));
}
END_TEST

/* ---- older versions --------------------------------------------------------------------------------------------- */

#define V2 "schema: {version: 2}\n"
#define V3 "schema: {version: 3}\n"

START_TEST(what_is_new_leaves_the_older_versions_alone) {
    static const char v2[] = V2 BASE;
    static const char *const next[] = {
        V3 WITH(BASE_FIELDS ", z: {type: u64, since: 3}"),
        V3 WITH(BASE_FIELDS ", z: {type: u64, since: 3, optional: true}, y: {type: 'FixedVec<u64, 9>', since: 3}"),
        V3 BASE_ENUM BASE_TYPES "messages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}, U: {tlv_type: 10, since: 3}}",
        V3 BASE_ENUM BASE_TYPES "messages: {U: {tlv_type: 1, since: 3, fields: {a: u8}}, T: {tlv_type: 9, fields: "
                                "{" BASE_FIELDS "}}}",
        V3 BASE_ENUM BASE_TYPES
        "messages: {U: {tlv_type: 1, fields: {a: {type: u8, since: 3}}}, T: {tlv_type: 9, fields: "
        "{" BASE_FIELDS "}}}",
        V3 BASE_ENUM
        "types: {L: {fields: {p: u32, q: u16}}, G: {extensible: true, fields: {x: u32, y: {type: u64, since: "
        "3}}}}\nmessages: {T: {tlv_type: 9, fields: {" BASE_FIELDS "}}}"};
    const uint64_t hash = hash_of_text(v2, 2);
    ck_assert_uint_eq(hash_of_text(v2, 1), hash);
    for (size_t i = 0; i < COUNT(next); i++) {
        ck_assert_msg(hash_of_text(next[i], 1) == hash && hash_of_text(next[i], 2) == hash, "lost:\n%s", next[i]);
        ck_assert_msg(hash_of_text(next[i], 3) != hash, "not new:\n%s", next[i]);
    }
}
END_TEST

/* A tail that comes later brings block_len with it. */
START_TEST(each_version_is_as_it_was) {
    static const char *const versions[] = {
        "messages: {T: {tlv_type: 9, fields: {a: u32}}}",
        V2 "messages: {T: {tlv_type: 9, fields: {a: u32, o: {type: u8, optional: true, since: 2}}}}",
        V3 "messages: {T: {tlv_type: 9, fields: {a: u32, o: {type: u8, optional: true, since: 2}, s: {type: "
           "'FixedStr<40>', since: 3}}}, U: {tlv_type: 3, since: 3}}"};
    for (uint32_t version = 1; version <= 3; version++) {
        const uint64_t hash = hash_of_text(versions[version - 1], version);
        for (uint32_t later = version; later <= 3; later++) {
            ck_assert_uint_eq(hash_of_text(versions[later - 1], version), hash);
        }
    }
    ck_assert_uint_eq(hash_of_text("schema: {version: 3, min_compatible: 3}\nmessages: {T: {tlv_type: 9, fields: {a: "
                                   "{type: u32, since: 2}}}}",
                                   2),
                      0);
}
END_TEST

START_TEST(versions_with_messages_that_are_retired_are_not_known) {
    static const char retired[] = V3 "messages: {T: {tlv_type: 9}, Old: {tlv_type: 8, retired: true}}";
    static const char before[] = V2 "messages: {T: {tlv_type: 9}, Old: {tlv_type: 8}}";
    static const char after[] = "schema: {version: 4}\nmessages: {T: {tlv_type: 9}, Old: {tlv_type: 8, retired: true}}";
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, retired, bpt_publish(arena, before, NULL));
    bpt_compiled c = bpt_compile_locked(after, lock);
    ck_assert_uint_eq(hash_of_text(retired, 2), 0);
    ck_assert_uint_eq(hash_of_text(retired, 3), hash_of_text("messages: {T: {tlv_type: 9}}", 1));
    /* The lock says when it was. */
    ck_assert_uint_eq(hash_of(c.model, 2), 0);
    ck_assert_uint_eq(hash_of(c.model, 3), hash_of_text(retired, 3));
    ck_assert_uint_eq(hash_of_text(after, 3), 0);
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

/* Without a word in the contract: what is not published is new. */
START_TEST(the_lock_says_when_a_message_came) {
    static const char first[] = "messages: {T: {tlv_type: 9}}";
    static const char second[] = V2 "messages: {T: {tlv_type: 9}, U: {tlv_type: 8, fields: {a: u8}}}";
    static const char third[] = V3 "messages: {T: {tlv_type: 9}, U: {tlv_type: 8, fields: {a: u8}}}";
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, first, NULL);
    bpt_compiled now = bpt_compile_locked(second, lock);
    bpt_compiled later = bpt_compile_locked(third, bpt_publish(arena, second, lock));
    ck_assert_uint_eq(hash_of(now.model, 1), hash_of_text(first, 1));
    ck_assert_uint_eq(hash_of(later.model, 1), hash_of_text(first, 1));
    ck_assert_uint_eq(hash_of(later.model, 2), hash_of(now.model, 2));
    ck_assert_uint_ne(hash_of(now.model, 2), hash_of(now.model, 1));
    ck_assert_uint_ne(hash_of_text(second, 1), hash_of_text(first, 1));
    bpt_compiled_free(&now);
    bpt_compiled_free(&later);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_message_that_comes_later_says_so) {
    static const char *const wrong[] = {V2 "messages: {T: {tlv_type: 9, since: 3}}",
                                        V2 "messages: {T: {tlv_type: 9, since: 2, fields: {a: {type: u8, since: 1}}}}"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        bpt_compiled c = bpt_compile(wrong[i]);
        ck_assert_ptr_null(c.model);
        ck_assert_uint_eq(c.diags.error_count, 1);
        ck_assert_int_eq(c.diags.items[0]->id, CG_E_SINCE);
        bpt_compiled_free(&c);
    }
    bpt_compiled c =
        bpt_compile_good(V3 "messages: {T: {tlv_type: 9, since: 2, fields: {a: u8, b: {type: u8, since: 3}}}}");
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "T"), "a")->since, 2);
    ck_assert_uint_eq(bpt_message(&c, "T")->since, 2);
    ck_assert_uint_eq(bpt_message(&c, "T")->accept_min, 1);
    ck_assert_uint_eq(c.model->layout_count, 3);
    bpt_compiled_free(&c);
}
END_TEST

/* ---- random pairs ----------------------------------------------------------------------------------------------- */

static const cg_model *compile_text(cg_arena *arena, const char *text, const char *lock_text) {
    cg_diags diags = {.arena = arena};
    const cg_lock *lock =
        lock_text == NULL ? NULL
                          : cg_lock_read(arena, cg_source_of(arena, "pair.lock", lock_text, strlen(lock_text)), &diags);
    return cg_compile_locked(arena, cg_source_of(arena, "pair.yaml", text, strlen(text)), lock, NULL, &diags);
}

/* Whether a change that breaks the wire is about what bytes mean, and not about where they lie: by names, which the
 * hash does not know, or by values. */
static bool is_about_meaning(cg_verdict verdict) {
    switch (verdict) {
    case CG_C_FIELD_RENAMED:
    case CG_C_FIELD_REMOVED: /* and inserted under another name at the same place */
    case CG_C_FIELD_INSERTED:
    case CG_C_FIELD_MOVED:    /* two of one type that changed places */
    case CG_C_FIELD_CAPACITY: /* of a tail */
    case CG_C_FIELD_DEFAULT:
    case CG_C_FIELD_REVIVED:
    case CG_C_FIELD_RETIRED:
    case CG_C_RULES_TIGHTENED:
    case CG_C_MONOTONIC_ADDED:
    case CG_C_MESSAGE_REMOVED: /* and added under another name */
    case CG_C_ID_REUSED:
    case CG_C_ENUM_VALUE_REMOVED:
    case CG_C_ENUM_VALUE_NUMBER:
    case CG_C_ENUM_CLOSED:
    case CG_C_TOO_LONG_FOR_NEW:
    case CG_C_MIN_COMPATIBLE: return true;
    default: return false;
    }
}

/* Of equal hashes nothing may follow that moves bytes. */
static void check_equal(cg_arena *arena, const cg_model *before, const cg_model *now, const char *what) {
    const cg_compat *compat = cg_compat_make(arena, before, now);
    for (size_t i = 0; i < compat->count; i++) {
        const cg_change *change = &compat->changes[i];
        ck_assert_msg((change->breaks & CG_BREAKS_WIRE) == 0 || is_about_meaning(change->verdict),
                      "one hash, and C%04u: %s\n%s", cg_verdict_kinds[change->verdict].number, change->message, what);
    }
}

typedef struct tally {
    size_t pairs, kept, equal, different;
} tally;

static void check_pair(uint64_t seed, tally *counts) {
    cg_arena *arena = cg_arena_new();
    bpt_random random = {.state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1};
    for (unsigned i = 0; i < 4; i++) (void)bpt_random_next(&random);
    const bpt_contract_pair pair = bpt_contract_pair_make(arena, &random);
    const char *what = cg_arena_format(arena, "seed %" PRIu64 " (%s)\n%s\n%s", seed, pair.edits, pair.before, pair.now);
    const cg_model *before = compile_text(arena, pair.before, NULL), *now = compile_text(arena, pair.now, NULL);
    const uint64_t hash = before == NULL ? 0 : hash_of(before, 2);
    if (before != NULL && now != NULL && now->min_compatible <= 2 && hash_of(now, 2) != 0) {
        const bool is_equal = hash_of(now, 2) == hash;
        counts->pairs++;
        ++*(is_equal ? &counts->equal : &counts->different);
        if (is_equal) check_equal(arena, before, now, what);
    }
    /* What a lock lets pass is never refused by a peer that has the published version. */
    const cg_model *kept = before == NULL ? NULL : compile_text(arena, pair.now, bpt_publish(arena, pair.before, NULL));
    if (kept != NULL && kept->min_compatible <= 2) {
        const uint64_t known = hash_of(kept, 2);
        counts->kept += known != 0;
        ck_assert_msg(known == 0 || known == hash, "the lock lets it pass, and the hash is another: %s", what);
    }
    cg_arena_free_take(&arena);
}

START_TEST(hashes_of_random_pairs_say_what_locks_and_compat_say) {
    const char *text = getenv("BPT_PAIRS");
    const unsigned long pairs = text == NULL ? 200 : strtoul(text, NULL, 10);
    tally counts = {0};
    for (uint64_t seed = 1; counts.pairs < pairs; seed++) check_pair(seed, &counts);
    ck_assert_uint_gt(counts.equal, pairs / 10);
    ck_assert_uint_gt(counts.different, pairs / 10);
    ck_assert_uint_gt(counts.kept, pairs / 10);
}
END_TEST

BPT_SUITE(codegen_layout_hash) {
    BPT_TIMEOUT(120);
    BPT_TEST(the_hash_is_that_of_the_text_on_the_page);
    BPT_TEST(what_moves_no_byte_changes_nothing);
    BPT_TEST(what_moves_or_means_other_bytes_changes_it);
    BPT_TEST(bits_and_tails_have_their_order);
    BPT_TEST(what_is_new_leaves_the_older_versions_alone);
    BPT_TEST(each_version_is_as_it_was);
    BPT_TEST(versions_with_messages_that_are_retired_are_not_known);
    BPT_TEST(the_lock_says_when_a_message_came);
    BPT_TEST(a_message_that_comes_later_says_so);
    BPT_TEST(hashes_of_random_pairs_say_what_locks_and_compat_say);
}
