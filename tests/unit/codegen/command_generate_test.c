/* bufpoolc generate without memory: all files are there, or none is. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const bpt_whole_run runs[] = {
    {"generate contracts.yaml --out-dir @ --with tests,fuzz,reference -MD", CG_OK, 10, NULL},
    {"generate tests/contracts/vault.yaml -o @/sizes.h --only sizes -MD -MF @/sizes.d", CG_OK, 2, NULL},
    {"generate tests/contracts/vault.yaml --only sizes -o -", CG_OK, 0, NULL},
    {"generate tests/contracts/vault.yaml --only sizes -o - -MD -MT sizes -MF @/sizes.d", CG_OK, 1, NULL},
    {"generate contracts.yaml --out-dir generated --check", CG_OK, 0, NULL},
    {"generate contracts.yaml --out-dir generated --list-outputs", CG_OK, 0, NULL},
    {"generate tests/bad/many-mistakes.yaml --out-dir @", CG_WRONG, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_LONG_SUITE(codegen_command_generate) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
