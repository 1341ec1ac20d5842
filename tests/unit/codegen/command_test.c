/* What commands have in common, and check, without memory. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const bpt_whole_run runs[] = {
    {"check tests/contracts/zoo.yaml", CG_OK, 0, NULL},
    {"check tests/bad/many-mistakes.yaml --format json", CG_WRONG, 0, NULL},
    {"check contracts.yaml --prefix 9x --color always", CG_WRONG, 0, NULL},
    {"check @/nothing.yaml", CG_FAILED, 0, NULL},
    {"generate --help", CG_OK, 0, NULL},
    {"genrate contracts.yaml", CG_USAGE, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_SUITE(codegen_command) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
