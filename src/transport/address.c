#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

bp_err bpi_address_parse(const char *text, bpi_address *out) {
    static const bpi_transport *const transports[] = {&bpi_tcp, &bpi_unix};
    *out = (bpi_address){0};
    if (text == NULL) return BP_ERR_ADDRESS;
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        const size_t length = strlen(transports[i]->scheme);
        if (strncmp(text, transports[i]->scheme, length) != 0) continue;
        out->transport = transports[i];
        return transports[i]->parse(text + length, out);
    }
    return BP_ERR_ADDRESS;
}

/* The name of a socket: none, a file's, or one of Linux's own, which begins with a zero. */
static int format_unix(const struct sockaddr_un *from, socklen_t from_length, char *out, size_t size) {
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    const int count = from_length > before ? (int)(from_length - before) : 0;
    if (count > 1 && from->sun_path[0] == '\0') {
        return snprintf(out, size, "unix://@%.*s", count - 1, from->sun_path + 1);
    }
    return snprintf(out, size, "unix://%.*s", count, from->sun_path);
}

bp_err bpi_address_format(const struct sockaddr_storage *from, socklen_t from_length, char *out, size_t size) {
    char host[INET6_ADDRSTRLEN] = "";
    int length;
    if (from->ss_family == AF_UNIX) {
        length = format_unix((const struct sockaddr_un *)from, from_length, out, size);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        length = snprintf(out, size, "tcp://[%s]:%u", host, (unsigned)ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        length = snprintf(out, size, "tcp://%s:%u", host, (unsigned)ntohs(v4->sin_port));
    }
    return length >= 0 && (size_t)length < size ? BP_OK : BP_ERR_SPACE;
}

bool bpi_address_is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (address->sa_family != AF_INET6) return false;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}
