/* The vectors of docs/WIRE.md, read from that page: interpreter and generated code find in each one's bytes what the
 * page says, write it so, and refuse what is refused. tests/contracts/vectors.yaml is the page's contract. */
#include "tests/support/agree.h"
#include "tests/unit/codegen/compile.h"

#include "vectors_samples.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 1024, BYTES = 256, CONTRACT = 8192 };

/* Where the reading of the page is. */
typedef struct page {
    FILE *file;
    char contract[CONTRACT]; /* all YAML so far */
    char name[64];           /* of the message that was declared last */
    char json[LINE];         /* the value that was said last */
    uint8_t bytes[BYTES];
    size_t length;
    char outcome[16]; /* "", "read" or an error */
} page;

static bool next_line(page *p, char line[LINE]) {
    if (fgets(line, LINE, p->file) == NULL) return false;
    ck_assert_ptr_nonnull(strchr(line, '\n'));
    return true;
}

/* The next line of a block; false at its end. */
static bool next_in_block(page *p, char line[LINE]) {
    ck_assert(next_line(p, line));
    return strcmp(line, "```\n") != 0;
}

static void read_yaml(page *p) {
    char line[LINE];
    while (next_in_block(p, line)) {
        ck_assert_uint_lt(strlen(p->contract) + strlen(line), CONTRACT);
        strcat(p->contract, line);
        if (strncmp(line, "  ", 2) == 0 && line[2] != ' ') {
            snprintf(p->name, sizeof p->name, "%.*s", (int)strcspn(line + 2, ":"), line + 2);
        }
    }
}

static void read_json(page *p) {
    char line[LINE];
    ck_assert(next_in_block(p, p->json));
    p->json[strcspn(p->json, "\n")] = '\0';
    ck_assert(!next_in_block(p, line));
}

static void read_bytes(page *p, const char *line) {
    while (*line != '#' && *line != '\0') {
        char *end;
        const unsigned long byte = strtoul(line, &end, 16);
        if (end == line) break;
        ck_assert(byte <= 0xFF && p->length < BYTES);
        p->bytes[p->length++] = (uint8_t)byte;
        line = end;
    }
    line += strspn(line, " \n");
    ck_assert_msg(*line == '#' || *line == '\0', "not a byte: %s", line);
}

static void read_hex(page *p, const char *opening) {
    char line[LINE];
    snprintf(p->outcome, sizeof p->outcome, "%.*s", (int)strcspn(opening, "\n"), opening);
    p->length = 0;
    while (next_in_block(p, line)) read_bytes(p, line);
}

/* Goes on to the next vector; false behind the last one. */
static bool next_vector(page *p) {
    char line[LINE];
    while (next_line(p, line)) {
        if (strcmp(line, "```yaml\n") == 0) read_yaml(p);
        if (strcmp(line, "```json\n") == 0) read_json(p);
        if (strncmp(line, "```hex", 6) != 0) continue;
        read_hex(p, line + (line[6] == ' ' ? 7 : 6));
        return true;
    }
    return false;
}

static page open_page(void) {
    page p = {.file = fopen("docs/WIRE.md", "r")};
    char line[LINE] = "";
    ck_assert_ptr_nonnull(p.file);
    while (strcmp(line, "## Vectors\n") != 0) ck_assert(next_line(&p, line));
    return p;
}

static const sample_message *find_sample(uint16_t type) {
    for (size_t i = 0; i < VECTORS_SAMPLE_COUNT; i++) {
        if (vectors_samples[i].type == type) return &vectors_samples[i];
    }
    ck_abort_msg("no message of type %u", type);
    return NULL;
}

static void check_value(const page *p, const bpt_compiled *c, const cg_message *message, const cg_reading *reading) {
    cg_text text = {.arena = c->arena};
    const uint8_t *bytes = NULL;
    uint32_t length = 0;
    cg_interp_print(&text, reading, false);
    ck_assert_str_eq(cg_text_end(&text), p->json);
    ck_assert_int_eq(cg_interp_write(c->arena, message, reading->fields, &bytes, &length).kind, CG_FAULT_NONE);
    const bool is_same = length == p->length && (length == 0 || memcmp(bytes, p->bytes, length) == 0);
    ck_assert_msg(is_same == (strcmp(p->outcome, "read") != 0), "%s %s", p->name, p->json);
}

static void check_vector(const page *p, const bpt_compiled *c) {
    cg_reading reading;
    const cg_message *const message = bpt_message(c, p->name);
    const cg_fault fault = cg_interp_read(c->arena, message, p->bytes, p->length, &reading);
    const bool is_good = p->outcome[0] == '\0' || strcmp(p->outcome, "read") == 0;
    ck_assert_msg(strcmp(cg_fault_name(fault.kind), is_good ? "none" : p->outcome) == 0, "%s %s: %s at %u", p->name,
                  p->outcome, cg_fault_name(fault.kind), fault.offset);
    if (is_good) check_value(p, c, message, &reading);
    const bpt_pair pair = bpt_pair_of(c->arena, find_sample(message->tlv_type), message);
    const char *const difference = bpt_disagreement(c->arena, &pair, p->bytes, p->length);
    ck_assert_msg(difference == NULL, "%s: %s", p->name, difference);
}

static char contract[CONTRACT + 1];

static bpt_compiled compile_contract(void) {
    FILE *const file = fopen("tests/contracts/vectors.yaml", "r");
    ck_assert_ptr_nonnull(file);
    contract[fread(contract, 1, CONTRACT, file)] = '\0';
    fclose(file);
    return bpt_compile_good(contract);
}

START_TEST(every_vector_of_the_page_is_so) {
    page p = open_page();
    bpt_compiled c = compile_contract();
    int count = 0, refused = 0;
    for (; next_vector(&p); count++) {
        check_vector(&p, &c);
        refused += p.outcome[0] != '\0' && strcmp(p.outcome, "read") != 0;
    }
    ck_assert_int_ge(count - refused, 30);
    ck_assert_int_ge(refused, 15);
    fclose(p.file);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(the_contract_is_the_one_of_the_page) {
    page p = open_page();
    bpt_compiled c = compile_contract();
    while (next_vector(&p)) {}
    ck_assert_str_eq(p.contract, contract);
    fclose(p.file);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(generated_vectors) {
    BPT_TEST(every_vector_of_the_page_is_so);
    BPT_TEST(the_contract_is_the_one_of_the_page);
}
