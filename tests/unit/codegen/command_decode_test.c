/* bufpoolc decode without memory. */
#include "tests/support/suite.h"
#include "tests/support/whole_run.h"

#include <stdint.h>
#include <string.h>

static const char contract[] = "schema: {name: shop, id: 7, version: 1}\n"
                               "messages:\n"
                               "  Small: {tlv_type: 1, fields: {a: u16, b: {type: u16, validation: [{max: 9}]}}}\n"
                               "  Large:\n"
                               "    tlv_type: 2\n"
                               "    fields: {a: {type: 'Vec<u64>', validation: [{max_length: 40000}]}}\n";

enum { LARGE = 30000 /* elements: more than the stream has room for at first */ };

/* A frame of Large: the length of its block, the count of its elements, and the elements. */
static void write_large(const char *name, size_t size) {
    static uint8_t frame[6 + 8 + 8 * LARGE];
    const uint32_t length = sizeof frame - 6, count = LARGE;
    frame[0] = 2;
    memcpy(frame + 2, &length, sizeof length);
    frame[6] = 8;
    memcpy(frame + 6 + 4, &count, sizeof count);
    bpt_whole_write(name, frame, size < sizeof frame ? size : sizeof frame);
}

static void frames(void) {
    static const uint8_t hello[] = {0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 7, 0, 0, 0, 1, 0, 1, 0, 6, 6, 6, 6, 6, 6, 6, 6};
    static const uint8_t bad[] = {1, 0, 4, 0, 0, 0, 1, 0, 10, 0, 1, 0, 3, 0, 0, 0, 1, 2, 3, 9, 0, 1, 0, 0, 0, 7};
    bpt_whole_write("contract.yaml", contract, sizeof contract - 1);
    bpt_whole_write("bad", bad, sizeof bad);
    bpt_whole_write("hello", hello, sizeof hello);
    write_large("good", SIZE_MAX);
    write_large("cut", 200000);
}

static const bpt_whole_run runs[] = {
    {"decode @/contract.yaml @/good", CG_OK, 0, frames},
    {"decode @/contract.yaml @/bad --all", CG_WRONG, 0, frames},
    {"decode @/contract.yaml @/hello", CG_OK, 0, frames},
    {"decode @/contract.yaml @/cut", CG_WRONG, 0, frames},
    {"decode @/contract.yaml @/nothing", CG_FAILED, 0, frames},
};

START_TEST(every_allocation_may_fail) { bpt_whole_run_check(&runs[_i]); }
END_TEST

BPT_SUITE(codegen_command_decode) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, bpt_whole_set_up, bpt_whole_tear_down);
    BPT_LOOP_TEST(every_allocation_may_fail, 0, sizeof runs / sizeof runs[0]);
}
