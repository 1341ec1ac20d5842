#define _GNU_SOURCE
#include "tests/support/suite.h"
#include "transport/transport_internal.h"

#include <errno.h>

/* libuv's statuses are the negative errno wherever there is one: the one table serves both. */
START_TEST(libuv_and_the_system_agree) {
    static const int numbers[] = {ENOMEM, EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, ENOENT, EACCES,
                                  EPERM,  ECONNRESET, EPIPE,         ETIMEDOUT,    EIO};
    ck_assert_int_eq(UV_ECONNRESET, -ECONNRESET);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        bpt_err(bpi_err_from_uv(-numbers[i]), bpi_err_from_errno(numbers[i]));
        bpt_err(bpi_err_from_uv(uv_translate_sys_error(numbers[i])), bpi_err_from_errno(numbers[i]));
    }
}
END_TEST

START_TEST(every_status_of_libuv_is_an_error_of_ours) {
#define CHECK(name, text) ck_assert_int_ge(bpi_err_from_uv(UV_##name), BP_ERR_ARGUMENT);
    UV_ERRNO_MAP(CHECK)
#undef CHECK
    bpt_err(bpi_err_from_uv(UV_EOF), BP_ERR_END);
    bpt_err(bpi_err_from_uv(UV_EPIPE), BP_ERR_RESET);
    bpt_err(bpi_err_from_uv(UV_EAI_NONAME), BP_ERR_ADDRESS);
    bpt_err(bpi_err_from_uv(UV_ECONNREFUSED), BP_ERR_REFUSED);
    bpt_err(bpi_err_from_uv(UV_EACCES), BP_ERR_PERMISSION);
    bpt_err(bpi_err_from_uv(UV_EIO), BP_ERR_SYSTEM);
}
END_TEST

BPT_SUITE(transport_system_error) {
    BPT_TEST(libuv_and_the_system_agree);
    BPT_TEST(every_status_of_libuv_is_an_error_of_ours);
}
