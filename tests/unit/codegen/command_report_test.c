/* bufpoolc report without memory. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const bpt_whole_run runs[] = {
    {"report contracts.yaml", CG_OK, 0, NULL},
    {"report contracts.yaml OrderBook --format json", CG_OK, 0, NULL},
    {"report contracts.yaml --format html", CG_OK, 0, NULL},
    {"report contracts.yaml OrderBok", CG_USAGE, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_LONG_SUITE(codegen_command_report) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
