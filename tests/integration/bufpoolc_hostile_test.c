/* Contracts that somebody made to do harm: bufpoolc ends, soon, in bounded memory, with a diagnostic. */
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

/* Crash guards, not measurements: what goes wrong here takes all memory or never ends. The sanitizers need address
 * space without end themselves. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUARD "timeout 300"
#else
#define GUARD "ulimit -v 3000000; timeout 120"
#endif

static void repeat(FILE *out, const char *text, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) fputs(text, out);
}

static const char head[] = "schema: {name: hostile}\nmessages:\n";

static void write_flow_bomb(FILE *out) { repeat(out, "[", 1000000); }
static void write_map_bomb(FILE *out) { repeat(out, "{a: ", 500000); }
static void write_block_bomb(FILE *out) { repeat(out, "- ", 500000); }
static void write_question_bomb(FILE *out) { repeat(out, "? ", 500000); }

static void write_type_bomb(FILE *out) {
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: \"", head);
    repeat(out, "[", 8000);
    fprintf(out, "\"}}\n");
}

static void write_large_text(FILE *out) {
    fprintf(out, "%s  Ping: {tlv_type: 1, description: \"", head);
    repeat(out, "0123456789abcdef", 10 * 65536);
    fprintf(out, "\", fields: {a: u8}}\n");
}

static void write_large_key(FILE *out) {
    fprintf(out, "%s  ", head);
    repeat(out, "x", 1000000);
    fprintf(out, ": {tlv_type: 1}\n");
}

static void write_large_number(FILE *out) {
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: {type: u256, default: ", head);
    repeat(out, "9", 16000);
    fprintf(out, "}}}\n");
}

static void write_nul(FILE *out) {
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: u8}}\n", head);
    fputc('\0', out);
}

static void write_bom(FILE *out) { fprintf(out, "\xEF\xBB\xBF%s  Ping: {tlv_type: 1, fields: {a: u8}}\n", head); }

static void write_two_boms(FILE *out) {
    fprintf(out, "\xEF\xBB\xBF\xEF\xBB\xBF%s  Ping: {tlv_type: 1, fields: {a: u8}}\n", head);
}

static void write_utf16(FILE *out, int high_first) {
    fputs(high_first ? "\xFE\xFF" : "\xFF\xFE", out);
    for (const char *at = head; *at != '\0'; at++) {
        if (high_first) fputc('\0', out);
        fputc(*at, out);
        if (!high_first) fputc('\0', out);
    }
}
static void write_utf16_le(FILE *out) { write_utf16(out, 0); }
static void write_utf16_be(FILE *out) { write_utf16(out, 1); }

static void write_large_values(FILE *out) {
    static const char two_64[] = "18446744073709551616";
    fprintf(out, "schema: {name: hostile, id: %s, version: %s, min_compatible: %s}\n", two_64, two_64, two_64);
    fprintf(out, "tag_ranges: {app: 1-%s}\npool: {min_class: %s, memory_limit: %sGiB, classes: [%s]}\n", two_64, two_64,
            two_64, two_64);
    fprintf(out, "enums: {E: {type: u64, values: {a: %s}}}\nmessages:\n", two_64);
    fprintf(out,
            "  Ping: {tlv_type: %s, reserve: %s, max_total: %s, rate: %s, hold: %ss, typical: {b: %s}, fields: "
            "{a: \"[u8; %s]\", b: {type: String, validation: [{max_length: %s}]}, c: \"FixedVec<u8, %s>\", "
            "d: {type: u64, since: %s, default: %s}}}\n",
            two_64, two_64, two_64, two_64, two_64, two_64, two_64, two_64, two_64, two_64, two_64);
}

static void write_wide_types(FILE *out) {
    fprintf(out, "types:\n  T0: {fields: {a: \"[u64; 1000000]\"}}\n");
    for (int i = 1; i < 15; i++) fprintf(out, "  T%d: {fields: {a: \"[T%d; 1000000]\"}}\n", i, i - 1);
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: T14}}\n", head);
}

/* Every alias would double what it stands for. */
static void write_laughs(FILE *out) {
    fprintf(out, "a0: &a0 [lol]\n");
    for (int i = 1; i < 40; i++) fprintf(out, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
}

static void write_messages(FILE *out) {
    fputs(head, out);
    for (unsigned i = 1; i <= 65535; i++) fprintf(out, "  M%u: {tlv_type: %u, fields: {a: u8}}\n", i, i);
}

static void write_fields(FILE *out) {
    fprintf(out, "%s  Ping:\n    tlv_type: 1\n    fields:\n", head);
    for (unsigned i = 0; i < 100000; i++) fprintf(out, "      f%u: u64\n", i);
}

static void write_optional_fields(FILE *out) {
    fprintf(out, "%s  Ping:\n    tlv_type: 1\n    fields:\n", head);
    for (unsigned i = 0; i < 100000; i++) fprintf(out, "      f%u: {type: String, optional: true, was: g%u}\n", i, i);
}

static void write_values(FILE *out) {
    fprintf(out, "enums:\n  E:\n    type: u32\n    values:\n");
    for (unsigned i = 0; i < 100000; i++) fprintf(out, "      v%u: %u\n", i, i);
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: E}}\n", head);
}

static void write_same_keys(FILE *out) {
    fputs(head, out);
    repeat(out, "  Ping: {tlv_type: 1, fields: {a: u8}}\n", 100000);
}

static void write_long_line(FILE *out) {
    fprintf(out, "schema: {name: hostile}\nmessages: {");
    for (unsigned i = 0; i < 30000; i++) fprintf(out, "\xC3\xB6%u: {tlv_type: %u}, ", i, i + 1);
    fprintf(out, "}\n");
}

static void write_errors(FILE *out) {
    fputs(head, out);
    for (unsigned i = 0; i < 100000; i++)
        fprintf(out, "  M%u: {tlv_type: none, feilds: {a: u9}, fields: {b: Strin}}\n", i);
}

static void write_circle(FILE *out) {
    fprintf(out, "%s", head);
    for (unsigned i = 0; i < 20000; i++) {
        fprintf(out, "  M%u: {tlv_type: %u, required_prior_messages: [M%u]}\n", i, i + 1, (i + 1) % 20000);
    }
}

static void write_aliases(FILE *out) {
    fprintf(out, "types:\n");
    for (unsigned i = 0; i < 50000; i++) fprintf(out, "  T%u: {is: T%u}\n", i, (i + 1) % 50000);
    fprintf(out, "%s  Ping: {tlv_type: 1, fields: {a: T0}}\n", head);
}

static void write_priors(FILE *out) {
    fputs(head, out);
    for (unsigned i = 0; i < 3000; i++) {
        fprintf(out, "  M%u: {tlv_type: %u, required_prior_messages: [", i, i + 1);
        for (unsigned k = i + 1; k < i + 50 && k < 3000; k++) fprintf(out, "M%u,", k);
        fprintf(out, "]}\n");
    }
}

static void write_too_large_file(FILE *out) { repeat(out, "# 0123456789abcdef 0123456789abcde\n", 1000000); }

static const struct {
    const char *name;
    void (*write)(FILE *out);
    int exit_code;
    const char *says; /* or NULL */
} cases[] = {
    {"flow bomb", write_flow_bomb, 1, "error[E01"},
    {"map bomb", write_map_bomb, 1, "error[E01"},
    {"block bomb", write_block_bomb, 1, "error[E0107]"},
    {"question bomb", write_question_bomb, 1, "error[E01"},
    {"type bomb", write_type_bomb, 1, "error[E04"},
    {"10 MB text", write_large_text, 1, "error[E0108]"},
    {"1 MB key", write_large_key, 1, "error[E0"},
    {"number of 16,000 digits", write_large_number, 1, "error[E0506]"},
    {"NUL", write_nul, 1, "error[E01"},
    {"byte order mark", write_bom, 0, NULL},
    {"two byte order marks", write_two_boms, 1, "error[E0"},
    {"UTF-16, low byte first", write_utf16_le, 1, "error[E0101]"},
    {"UTF-16, high byte first", write_utf16_be, 1, "error[E0101]"},
    {"2^64 everywhere", write_large_values, 1, "error[E0206]"},
    {"types of 10^90 bytes", write_wide_types, 1, "error[E04"},
    {"a billion laughs", write_laughs, 1, "error[E0105]"},
    {"65,535 messages", write_messages, 0, NULL},
    {"100,000 fields", write_fields, 1, "error[E0602]"},
    {"100,000 optional fields", write_optional_fields, 1, "error[E0"},
    {"100,000 values of an enum", write_values, 0, NULL},
    {"100,000 times the same key", write_same_keys, 1, "error[E0110]"},
    {"a line of a megabyte", write_long_line, 1, "error[E0301]"},
    {"100,000 lines of errors", write_errors, 1, " more\nhostile.yaml: "},
    {"a circle of 20,000 messages", write_circle, 1, "error[E0322]"},
    {"a circle of 50,000 names", write_aliases, 1, "error[E0409]"},
    {"150,000 required messages", write_priors, 0, NULL},
    {"a file of 35 MB", write_too_large_file, 3, "hostile.yaml"},
};

START_TEST(a_hostile_contract_is_refused_soon_and_in_little_memory) {
    static char said[1 << 20];
    char command[8192], path[256];
    const bpt_place p = bpt_place_make();
    FILE *file = fopen(bpt_place_path(&p, "hostile.yaml", path), "wb");
    ck_assert_ptr_nonnull(file);
    cases[_i].write(file);
    ck_assert_int_eq(fclose(file), 0);
    snprintf(command, sizeof command, "(" GUARD " '%s' check hostile.yaml >out 2>err)", p.bufpoolc);
    const int code = bpt_place_shell(&p, command);
    bpt_place_read(&p, "err", said, sizeof said);
    ck_assert_msg(code == cases[_i].exit_code, "%s: exit code %d\n%.2000s", cases[_i].name, code, said);
    ck_assert_msg(cases[_i].says == NULL || strstr(said, cases[_i].says) != NULL, "%s: '%s' is not in\n%.2000s",
                  cases[_i].name, cases[_i].says, said);
    bpt_place_remove(&p);
}
END_TEST

BPT_LONG_SUITE(integration_bufpoolc_hostile) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(a_hostile_contract_is_refused_soon_and_in_little_memory, 0, sizeof cases / sizeof cases[0]);
}
