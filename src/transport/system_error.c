#define _GNU_SOURCE
/* One table from the system's errors to ours. libuv's statuses are negative errno values wherever there is an errno, so
 * it serves both, and the files that do without libuv need not link it. */
#include "transport/transport_internal.h"

#include <errno.h>

static const struct {
    int number;
    bp_err err;
} table[] = {
    {ENOMEM, BP_ERR_NO_MEMORY},      {ENOBUFS, BP_ERR_NO_MEMORY},
    {ECANCELED, BP_ERR_CLOSED},      {EADDRINUSE, BP_ERR_ADDRESS_IN_USE},
    {EADDRNOTAVAIL, BP_ERR_ADDRESS}, {EAFNOSUPPORT, BP_ERR_ADDRESS},
    {ENETUNREACH, BP_ERR_ADDRESS},   {EHOSTUNREACH, BP_ERR_ADDRESS},
    {ENAMETOOLONG, BP_ERR_ADDRESS},  {ENOTDIR, BP_ERR_ADDRESS},
    {ENOTSOCK, BP_ERR_ADDRESS},      {ECONNREFUSED, BP_ERR_REFUSED},
    {ENOENT, BP_ERR_REFUSED}, /* no socket file: nobody listens */
    {EAGAIN, BP_ERR_REFUSED}, /* connecting to a Unix socket whose backlog is full */
    {EACCES, BP_ERR_PERMISSION},     {EPERM, BP_ERR_PERMISSION},
    {EROFS, BP_ERR_PERMISSION},      {ECONNRESET, BP_ERR_RESET},
    {ECONNABORTED, BP_ERR_RESET},    {EPIPE, BP_ERR_RESET},
    {ETIMEDOUT, BP_ERR_TIMEOUT},
};

bp_err bpi_err_from_errno(int number) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number) return table[i].err;
    }
    return BP_ERR_SYSTEM;
}

bp_err bpi_err_from_uv(int status) {
    switch (status) {
    case UV_EOF: return BP_ERR_END;
    case UV_EAI_MEMORY: return BP_ERR_NO_MEMORY;
    case UV_EAI_CANCELED: return BP_ERR_CLOSED;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_FAIL:
    case UV_EAI_AGAIN:
    case UV_EAI_ADDRFAMILY:
    case UV_EAI_FAMILY:
    case UV_EAI_SERVICE: return BP_ERR_ADDRESS;
    default: return bpi_err_from_errno(-status);
    }
}
