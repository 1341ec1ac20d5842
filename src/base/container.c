#define _GNU_SOURCE
#include "base/container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 16 * 1024 }; /* systems with version 1 as well have a dozen lines */

/* The whole file, ended by NUL; false: it cannot be read, or is longer than out. */
static bool read_text(const char *path, char *out, size_t size) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < size) {
        got = read(file, out + length, size - length);
        if (got > 0) length += (size_t)got;
    }
    (void)close(file);
    if (got < 0 || length == size) return false;
    out[length] = '\0';
    return true;
}

/* The path of version 2's group, of the line "0::/path", without a slash at its end; NULL when there is none. A path
 * that leads out of what we see of the tree ("/../...") is taken for the tree's root. */
static const char *group_of(char *text) {
    for (char *line = text, *end; *line != '\0'; line = end + (*end != '\0')) {
        end = line + strcspn(line, "\n");
        if (strncmp(line, "0::/", 4) != 0) continue;
        *end = '\0';
        while (end[-1] == '/') *--end = '\0';
        return strstr(line, "/..") == NULL ? line + 3 : "";
    }
    return NULL;
}

/* A decimal number on a line of its own; 0 for "max" and whatever else there may be. */
static uint64_t number_of(const char *text) {
    uint64_t value = 0;
    if (*text < '0' || *text > '9') return 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return 0;
        value = value * 10 + digit;
    }
    return strcmp(text, "\n") == 0 || *text == '\0' ? value : 0;
}

/* The limit of the group whose path is the first length bytes of group. */
static uint64_t limit_of(const char *root, const char *group, size_t length) {
    char path[PATH_MAX], text[64];
    const int size = snprintf(path, sizeof path, "%s%.*s/memory.max", root, (int)length, group);
    if (size < 0 || (size_t)size >= sizeof path || !read_text(path, text, sizeof text)) return 0;
    return number_of(text);
}

uint64_t bpi_container_read(const char *membership_file, const char *root) {
    char text[TEXT_BYTES];
    const char *group = read_text(membership_file, text, sizeof text) ? group_of(text) : NULL;
    if (group == NULL) return 0;
    uint64_t least = 0;
    for (size_t length = strlen(group);; length--) {
        if (length != 0 && group[length] != '/' && group[length] != '\0') continue;
        const uint64_t limit = limit_of(root, group, length);
        if (limit != 0 && (least == 0 || limit < least)) least = limit;
        if (length == 0) return least;
    }
}
