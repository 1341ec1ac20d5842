/* bufpoolc compat without memory. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const char old[] = "schema: {name: shop, id: 7, version: 1}\n"
                          "messages:\n"
                          "  Trade: {tlv_type: 2, fields: {a: u64, b: 'FixedStr<9>'}}\n";
static const char new[] = "schema: {name: shop, id: 7, version: 2, min_compatible: 1}\n"
                          "messages:\n"
                          "  Trade:\n"
                          "    tlv_type: 2\n"
                          "    fields: {a: u64, b: 'FixedStr<9>', c: {type: u8, since: 2}}\n";

/* Two versions, and the lock with the first, which both are read by. */
static void published(void) {
    bpt_whole_write("old.yaml", old, sizeof old - 1);
    bpt_whole_write("new.yaml", new, sizeof new - 1);
    bpt_whole_run_before("publish @/old.yaml --lock @/new.lock");
}

#define PAIR(name) "tests/compat/" name ".new.yaml --against tests/compat/" name ".old.yaml"

static const bpt_whole_run runs[] = {
    {"compat " PAIR("c0308-field-type"), CG_WRONG, 0, NULL},
    {"compat " PAIR("c0301-extensible-grown") " --format json --level class", CG_WRONG, 0, NULL},
    {"compat @/new.yaml --against @/old.yaml --color always", CG_OK, 0, published},
    {"compat tests/compat/c0308-field-type.new.yaml --against tests/bad/many-mistakes.yaml", CG_WRONG, 0, NULL},
    {"compat contracts.yaml", CG_USAGE, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_SUITE(codegen_command_compat) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
