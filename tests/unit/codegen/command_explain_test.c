/* bufpoolc explain without memory. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const bpt_whole_run runs[] = {
    {"explain", CG_OK, 0, NULL},
    {"explain e402", CG_OK, 0, NULL},
    {"explain C0308", CG_OK, 0, NULL},
    {"explain E9999", CG_USAGE, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_SUITE(codegen_command_explain) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
