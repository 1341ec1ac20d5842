#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Lists: the directories are walked, and the first count_max names behind `after` are kept, so that what a list takes
 * does not depend on how many objects there are. Directories that can have none of them are not gone into. */
#include "transfer/dir_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef char name_room[BP_OBJECT_NAME_MAX + 1];

/* The names that were found, sorted: order[i] is the room of the i-th one. One more than is told of, which says that
 * there are more. */
typedef struct names {
    const bpi_dir *dir;
    const char *prefix, *after;
    name_room last; /* where after is, once all that were found were gone */
    size_t prefix_length;
    uint32_t count, limit;
    uint32_t *order;
    name_room *rooms;
    char path[BP_OBJECT_NAME_MAX + 1]; /* where the walk is: of a directory, "" or with a slash at its end */
} names;

/* ---- the names that are kept ---- */

static const char *name_at(const names *of, uint32_t ix) { return of->rooms[of->order[ix]]; }

static uint32_t find_ix(const names *of, const char *name) {
    uint32_t low = 0, high = of->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (strcmp(name_at(of, middle), name) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool is_behind_all(const names *of, const char *name) {
    return of->count == of->limit && strcmp(name, name_at(of, of->count - 1)) > 0;
}

/* Where there is no room, the last one goes. A directory that changes while it is read may tell of a name twice. */
static void keep(names *of, const char *name) {
    if (is_behind_all(of, name)) return;
    const uint32_t ix = find_ix(of, name);
    if (ix < of->count && strcmp(name_at(of, ix), name) == 0) return;
    const bool is_full = of->count == of->limit;
    const uint32_t room = is_full ? of->order[of->count - 1] : of->count;
    if (!is_full) of->count++;
    memmove(of->order + ix + 1, of->order + ix, (of->count - 1 - ix) * sizeof *of->order);
    of->order[ix] = room;
    memcpy(of->rooms[room], name, strlen(name) + 1);
}

/* ---- which names can be wanted ---- */

static bool is_wanted(const names *of, const char *name) {
    return strncmp(name, of->prefix, of->prefix_length) == 0 && strcmp(name, of->after) > 0;
}

/* Whether a name that begins with path, of a directory, may be. */
static bool is_way(const names *of, const char *path) {
    const size_t length = strlen(path);
    const size_t common = length < of->prefix_length ? length : of->prefix_length;
    if (memcmp(path, of->prefix, common) != 0 || is_behind_all(of, path)) return false;
    return strncmp(path, of->after, length) >= 0;
}

/* ---- the walk ---- */

typedef enum kind { OTHER, OBJECT, DIRECTORY } kind;

static kind kind_of_mode(mode_t mode) {
    if (S_ISREG(mode)) return OBJECT;
    return S_ISDIR(mode) ? DIRECTORY : OTHER;
}

static kind kind_of(const names *of, int at, const struct dirent *entry) {
    struct stat file;
    if (entry->d_type == DT_REG) return OBJECT;
    if (entry->d_type == DT_DIR) return DIRECTORY;
    if (entry->d_type != DT_UNKNOWN && (entry->d_type != DT_LNK || !of->dir->is_followed)) return OTHER;
    if (fstatat(at, entry->d_name, &file, of->dir->is_followed ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return OTHER;
    return kind_of_mode(file.st_mode);
}

static bp_err walk(names *of, int at, const char *name, size_t path_length);

/* What goes away meanwhile, or may not be read, has no objects for us. */
static bp_err walk_into(names *of, int at, const char *name, size_t path_length) {
    if (path_length >= BP_OBJECT_NAME_MAX) return BP_OK;
    of->path[path_length++] = '/';
    of->path[path_length] = '\0';
    const bp_err err = is_way(of, of->path) ? walk(of, at, name, path_length) : BP_OK;
    return err == BP_ERR_NOT_FOUND || err == BP_ERR_PERMISSION ? BP_OK : err;
}

static bp_err visit(names *of, int at, const struct dirent *entry, size_t path_length) {
    const size_t length = strlen(entry->d_name);
    if (length > BP_OBJECT_NAME_MAX - path_length || !bpi_dir_is_segment(entry->d_name, length)) return BP_OK;
    memcpy(of->path + path_length, entry->d_name, length + 1);
    if (!bpi_dir_is_name(of->path)) return BP_OK;
    switch (kind_of(of, at, entry)) {
    case OBJECT:
        if (is_wanted(of, of->path)) keep(of, of->path);
        return BP_OK;
    case DIRECTORY: return walk_into(of, at, entry->d_name, path_length + length);
    case OTHER: break;
    }
    return BP_OK;
}

static bp_err read_all(names *of, DIR *entries, size_t path_length) {
    bp_err err = BP_OK;
    while (err == BP_OK) {
        errno = 0;
        const struct dirent *entry = readdir(entries);
        if (entry == NULL) return errno == 0 ? BP_OK : bpi_dir_err(errno);
        err = visit(of, dirfd(entries), entry, path_length);
    }
    return err;
}

/* The directory `name` of `at`, whose path is there already. Links to directories are not gone into: they may lead back
 * to where they are. */
static bp_err walk(names *of, int at, const char *name, size_t path_length) {
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return bpi_dir_err(errno);
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        const bp_err err = bpi_dir_err(errno);
        (void)close(fd);
        return err;
    }
    const bp_err err = read_all(of, entries, path_length);
    (void)closedir(entries);
    return err;
}

/* ---- telling ---- */

static bp_err tell_one(const names *of, bp_store_call *call, const char *name, uint32_t *told_count) {
    struct stat file;
    int fd;
    bp_err err = bpi_dir_open_object(of->dir, name, &fd, &file);
    if (err == BP_ERR_NOT_FOUND || err == BP_ERR_PERMISSION) return BP_OK; /* it is gone, or not for us */
    if (err != BP_OK) return err;
    bpi_dir_close(&fd);
    const bp_object_info object = {
        .name = name, .size = (uint64_t)file.st_size, .version = bpi_dir_version(&file)};
    err = bp_store_tell(call, &object);
    if (err == BP_OK) (*told_count)++;
    return err;
}

/* Where all that were found are gone already, those behind them are looked for: an empty list has no more. */
static bp_err list(names *of, bp_store_call *call) {
    uint32_t told_count = 0;
    do {
        of->count = 0;
        of->path[0] = '\0';
        bp_err err = walk(of, of->dir->root, ".", 0);
        call->has_more = of->count == of->limit;
        const uint32_t count = call->has_more ? of->limit - 1 : of->count;
        for (uint32_t i = 0; err == BP_OK && i < count; i++) err = tell_one(of, call, name_at(of, i), &told_count);
        if (err != BP_OK) return err;
        if (count == 0) return BP_OK;
        memcpy(of->last, name_at(of, count - 1), strlen(name_at(of, count - 1)) + 1);
        of->after = of->last;
    } while (told_count == 0 && call->has_more);
    return BP_OK;
}

enum { COUNT_MAX = 4096 };

static bp_err list_job(bp_store *store, bp_store_call *call) {
    names of = {.dir = bpi_dir_of(store), .prefix = call->name == NULL ? "" : call->name};
    of.after = call->after == NULL ? "" : call->after;
    of.prefix_length = strlen(of.prefix);
    of.limit = (call->count_max < COUNT_MAX ? call->count_max : COUNT_MAX) + 1;
    of.order = bpi_os.alloc_raw(of.limit * sizeof *of.order);
    of.rooms = bpi_os.alloc_raw(of.limit * sizeof *of.rooms);
    const bp_err err = of.order == NULL || of.rooms == NULL ? BP_ERR_NO_MEMORY : list(&of, call);
    bpi_os.free(of.rooms);
    bpi_os.free(of.order);
    return err;
}

void bpi_dir_list(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, list_job); }
