/* bufpoolc publish without memory: the lock is as it was, or it has the version, and never less. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

static const char first[] = "schema: {name: shop, id: 7, version: 1}\n"
                            "enums:\n"
                            "  Side: {type: u8, values: {buy: 1, sell: 2}}\n"
                            "messages:\n"
                            "  Trade: {tlv_type: 2, fields: {side: Side, price: u64}}\n"
                            "  Old: {tlv_type: 3, fields: {a: u8}}\n";
static const char second[] = "schema: {name: shop, id: 7, version: 2, min_compatible: 1}\n"
                             "enums:\n"
                             "  Side: {type: u8, values: {buy: 1, sell: 2}}\n"
                             "messages:\n"
                             "  Trade: {tlv_type: 2, fields: {side: Side, price: u64, size: {type: u32, since: 2}}}\n"
                             "  Old: {tlv_type: 3, retired: true}\n"
                             "  Quote: {tlv_type: 4, fields: {bid: u64, ask: u64}}\n";
/* What was published of it is different. */
static const char broken[] = "schema: {name: shop, id: 7, version: 2}\n"
                             "messages:\n"
                             "  Trade: {tlv_type: 2, fields: {side: u16, price: u32}}\n";

static void unpublished(void) { bpt_whole_write("first.yaml", first, sizeof first - 1); }

static void published(void) {
    unpublished();
    bpt_whole_write("second.yaml", second, sizeof second - 1);
    bpt_whole_write("broken.yaml", broken, sizeof broken - 1);
    bpt_whole_run_before("publish @/first.yaml");
}

static const bpt_whole_run runs[] = {
    {"publish @/first.yaml", CG_OK, 1, unpublished},
    {"publish @/second.yaml --lock @/first.lock", CG_OK, 0, published},
    {"publish @/first.yaml", CG_OK, 0, published},
    {"publish @/broken.yaml --lock @/first.lock", CG_WRONG, 0, published},
    {"publish @/first.yaml --lock @/second.yaml", CG_WRONG, 0, published},
    {"publish - ", CG_USAGE, 0, NULL},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_SUITE(codegen_command_publish) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
