#include "bufpool/detail/bytes.h"
#include "tests/support/suite.h"

START_TEST(what_was_asked_for_is_zero_and_nothing_beside_it) {
    uint8_t bytes[12], expected[12] = {0xA5, 0xA5, 0, 0, 0, 0, 0, 0, 0, 0xA5, 0xA5, 0xA5};
    memset(bytes, 0xA5, sizeof bytes);
    bpt_err(bpi_refuse(BP_ERR_MALFORMED, bytes + 2, 7), BP_ERR_MALFORMED);
    ck_assert_mem_eq(bytes, expected, sizeof bytes);
}
END_TEST

BPT_SUITE(base_refuse) { BPT_TEST(what_was_asked_for_is_zero_and_nothing_beside_it); }
