#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* From an object's name to its place. Each segment is opened by itself, in the directory before it, so that nothing but
 * a link that is allowed leads out of the root, whatever others rename meanwhile. */
#include "transfer/dir_store.h"

#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A directory that is only gone through need not be readable. */
#ifdef O_PATH
enum { THROUGH = O_PATH | O_DIRECTORY | O_CLOEXEC };
#else
enum { THROUGH = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
#endif

static const char reserved[] = ".bufpool";

bool bpi_dir_is_segment(const char *segment, size_t length) {
    const size_t reserved_length = sizeof reserved - 1;
    if (length == 0 || (length == 1 && segment[0] == '.')) return false;
    if (length == 2 && segment[0] == '.' && segment[1] == '.') return false;
    return length < reserved_length || memcmp(segment, reserved, reserved_length) != 0;
}

bool bpi_dir_is_name(const char *name) {
    const size_t length = strnlen(name, BP_OBJECT_NAME_MAX + 1);
    if (length > BP_OBJECT_NAME_MAX || !bpi_utf8_is_valid((const uint8_t *)name, length)) return false;
    for (;;) {
        const size_t segment = strcspn(name, "/");
        if (!bpi_dir_is_segment(name, segment)) return false;
        if (name[segment] == '\0') return true;
        name += segment + 1;
    }
}

/* ---- places ---- */

static int no_follow(const bpi_dir *dir) { return dir->is_followed ? 0 : O_NOFOLLOW; }

/* A new directory is on the disk once the one that it is in is. */
static bp_err make_directory(const bpi_dir *dir, int at, const char *segment) {
    if (mkdirat(at, segment, 0777) != 0) return errno == EEXIST ? BP_OK : bpi_dir_err(errno);
    return dir->is_fast ? BP_OK : bpi_dir_sync_directory(at);
}

static bp_err step_into(const bpi_dir *dir, int at, const char *segment, bool is_made, int *fd) {
    *fd = openat(at, segment, THROUGH | no_follow(dir));
    if (*fd < 0 && errno == ENOENT && is_made) {
        const bp_err err = make_directory(dir, at, segment);
        if (err != BP_OK) return err;
        *fd = openat(at, segment, THROUGH | no_follow(dir));
    }
    if (*fd >= 0) return BP_OK;
    return errno == ENOTDIR || errno == ELOOP ? BP_ERR_NAME : bpi_dir_err(errno);
}

static bp_err walk(const bpi_dir *dir, const char *name, bool is_made, bpi_dir_place *out) {
    char segment[BP_OBJECT_NAME_MAX + 1];
    int fd;
    bp_err err = step_into(dir, dir->root, ".", false, &out->at);
    for (const char *slash; err == BP_OK && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        const size_t length = (size_t)(slash - name);
        memcpy(segment, name, length);
        segment[length] = '\0';
        err = step_into(dir, out->at, segment, is_made, &fd);
        bpi_dir_close(&out->at);
        out->at = fd;
    }
    out->leaf = name;
    return err;
}

bp_err bpi_dir_find(const bpi_dir *dir, const char *name, bpi_dir_place *out) { return walk(dir, name, false, out); }

bp_err bpi_dir_make(const bpi_dir *dir, const char *name, bpi_dir_place *out) { return walk(dir, name, true, out); }

void bpi_dir_leave(bpi_dir_place *place) { bpi_dir_close(&place->at); }

bp_err bpi_dir_open_object(const bpi_dir *dir, const char *name, int *fd, struct stat *file) {
    bpi_dir_place place;
    *fd = -1;
    if (!bpi_dir_is_name(name)) return BP_ERR_NAME;
    bp_err err = bpi_dir_find(dir, name, &place);
    if (err == BP_OK) err = bpi_dir_open(place.at, place.leaf, O_RDONLY | no_follow(dir), fd, file);
    bpi_dir_leave(&place);
    return err == BP_ERR_NAME ? BP_ERR_NOT_FOUND : err; /* the name could be an object's, but not here */
}
