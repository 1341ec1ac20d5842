#define _POSIX_C_SOURCE 200809L
#include "codegen/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void cg_outputs_add(cg_outputs *outputs, const char *name, const char *text, size_t length) {
    outputs->items = cg_arena_grow(outputs->arena, outputs->items, outputs->count, sizeof(cg_output));
    outputs->items[outputs->count++] = (cg_output){.name = name, .text = text, .length = length};
}

void cg_outputs_add_at(cg_outputs *outputs, const char *path, const char *text, size_t length) {
    cg_outputs_add(outputs, cg_path_name(path), text, length);
    outputs->items[outputs->count - 1].path = path;
}

static cg_status say(const char *path, int why) {
    fprintf(stderr, "bufpoolc: %s: %s\n", path, strerror(why));
    return CG_FAILED;
}

const char *cg_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

const char *cg_path_directory(cg_arena *arena, const char *path) {
    const char *name = cg_path_name(path);
    if (name == path) return ".";
    return name - path == 1 ? "/" : cg_arena_copy(arena, path, (size_t)(name - path) - 1);
}

static const char *path_of(const cg_outputs *outputs, const char *directory, const char *name) {
    return cg_arena_format(outputs->arena, "%s/%s", directory, name);
}

static const char *output_path(const cg_outputs *outputs, const char *directory, const cg_output *output) {
    return output->path != NULL ? output->path : path_of(outputs, directory, output->name);
}

/* ---- what is there ---------------------------------------------------------------------------------------------- */

/* Reads up to size bytes; -1 when that fails. */
static ssize_t read_up_to(int file, char *out, size_t size) {
    size_t length = 0;
    while (length < size) {
        const ssize_t got = read(file, out + length, size - length);
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return -1;
        if (got > 0) length += (size_t)got;
    }
    return (ssize_t)length;
}

/* The content of a regular file, or NULL when there is none that could be read; one byte more than expected is enough
 * to tell. O_NONBLOCK, so that a pipe is not waited for. */
static const char *read_existing(cg_arena *arena, const char *path, size_t expected, size_t *length) {
    char *text = cg_arena_alloc(arena, expected + 2);
    struct stat status;
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *length = 0;
    if (file < 0) return NULL;
    const bool is_regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    const ssize_t got = is_regular ? read_up_to(file, text, expected + 1) : -1;
    close(file);
    if (got < 0) return NULL;
    *length = (size_t)got;
    return text;
}

static bool is_same(const cg_outputs *outputs, const cg_output *output, const char *path) {
    size_t length = 0;
    const char *text = read_existing(outputs->arena, path, output->length, &length);
    return text != NULL && length == output->length && memcmp(text, output->text, length) == 0;
}

/* ---- writing one ------------------------------------------------------------------------------------------------ */

static bool write_all(int file, const char *text, size_t length) {
    while (length != 0) {
        const ssize_t written = write(file, text, length);
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) text += written;
        if (written > 0) length -= (size_t)written;
    }
    return true;
}

/* Writes and closes; 0 or the reason why not. */
static int fill(int file, const cg_output *output, bool is_durable) {
    int why = write_all(file, output->text, output->length) ? 0 : errno;
    if (why == 0 && is_durable && fsync(file) != 0) why = errno;
    if (close(file) != 0 && why == 0) why = errno;
    return why;
}

static cg_status write_special(const cg_output *output, const char *path) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    const int why = file < 0 ? errno : fill(file, output, false);
    return why == 0 ? CG_OK : say(path, why);
}

/* One file on its way. */
typedef struct change {
    const char *path;
    const char *temporary; /* ours, and there: to be renamed or removed; else NULL */
    bool is_special;       /* to be written in place */
} change;

typedef struct changes {
    change *items;
    size_t count;
} changes;

/* Removes what was not renamed; an arena does it too, when memory runs out on the way. */
static void drop(void *what) {
    changes *all = what;
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].temporary != NULL) remove(all->items[i].temporary);
        all->items[i].temporary = NULL;
    }
}

enum { TRIES = 1000 };

/* Opens a file of a name that nobody has, also no other run at the same time; -1 after it was said why not. */
static int open_temporary(const cg_outputs *outputs, change *c) {
    for (unsigned i = 0;; i++) {
        const char *name = cg_arena_format(outputs->arena, "%s.%ld.%u.tmp", c->path, (long)getpid(), i);
        const int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0) {
            c->temporary = name;
            return file;
        }
        if (errno == EEXIST && i < TRIES) continue;
        (void)say(name, errno);
        return -1;
    }
}

/* Writes the text into a new file beside the target, with the target's permissions. */
static cg_status write_temporary(const cg_outputs *outputs, const cg_output *output, const struct stat *old,
                                 change *c) {
    const int file = open_temporary(outputs, c);
    if (file < 0) return CG_FAILED;
    const bool is_mode_kept = old == NULL || fchmod(file, old->st_mode & 07777) == 0;
    const int mode_why = is_mode_kept ? 0 : errno, why = fill(file, output, outputs->is_durable);
    if (why == 0 && is_mode_kept) return CG_OK;
    return say(c->temporary, why != 0 ? why : mode_why);
}

/* Prepares one file: nothing, a temporary, or a special one for later. */
static cg_status prepare(const cg_outputs *outputs, const cg_output *output, change *c) {
    struct stat old;
    const bool is_there = stat(c->path, &old) == 0;
    if (is_there && S_ISDIR(old.st_mode)) return say(c->path, EISDIR);
    c->is_special = is_there && !S_ISREG(old.st_mode);
    if (c->is_special || is_same(outputs, output, c->path)) return CG_OK;
    return write_temporary(outputs, output, is_there ? &old : NULL, c);
}

/* ---- writing all ------------------------------------------------------------------------------------------------ */

static cg_status make_directory(const char *directory) {
    return mkdir(directory, 0777) == 0 || errno == EEXIST ? CG_OK : say(directory, errno);
}

/* Nothing can fail here but the file system. */
static cg_status finish(const cg_outputs *outputs, const changes *all) {
    for (size_t i = 0; i < all->count; i++) {
        change *c = &all->items[i];
        if (c->is_special && write_special(&outputs->items[i], c->path) != CG_OK) return CG_FAILED;
        if (c->temporary == NULL) continue;
        if (rename(c->temporary, c->path) != 0) return say(c->path, errno);
        c->temporary = NULL;
    }
    return CG_OK;
}

static cg_status prepare_all(const cg_outputs *outputs, const char *directory, changes *all) {
    for (size_t i = 0; i < outputs->count; i++) {
        const char *elsewhere = outputs->items[i].path;
        const bool is_there =
            elsewhere == NULL || make_directory(cg_path_directory(outputs->arena, elsewhere)) == CG_OK;
        if (!is_there) return CG_FAILED;
        all->items[i].path = output_path(outputs, directory, &outputs->items[i]);
        if (prepare(outputs, &outputs->items[i], &all->items[i]) != CG_OK) return CG_FAILED;
    }
    return CG_OK;
}

/* A rename is on the disk when its directory is. */
static cg_status sync_directory(const char *directory) {
    const int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = file >= 0 && fsync(file) == 0;
    const int why = errno;
    if (file >= 0) close(file);
    return is_synced ? CG_OK : say(directory, why);
}

/* Whether name is a temporary of the output, "market.h.4711.0.tmp", of a run that is no more. */
static bool is_orphan(const char *name, const cg_output *output) {
    const size_t length = strlen(output->name);
    if (strncmp(name, output->name, length) != 0 || name[length] != '.') return false;
    char *end = NULL;
    errno = 0;
    const long pid = strtol(name + length + 1, &end, 10);
    if (end == name + length + 1 || *end != '.' || pid <= 0 || errno != 0) return false;
    const char *number = end + 1;
    const size_t digits = strspn(number, "0123456789");
    if (digits == 0 || strcmp(number + digits, ".tmp") != 0) return false;
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* Nobody takes that long to write a file; a run may be on another machine, whose processes are not seen here. */
enum { LEFTOVER_SECONDS = 60 };

static bool is_old(int directory, const char *name) {
    struct stat status;
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           time(NULL) - status.st_mtime > LEFTOVER_SECONDS;
}

static void remove_leftovers(const cg_outputs *outputs, const char *directory) {
    DIR *open_directory = opendir(directory);
    if (open_directory == NULL) return;
    for (const struct dirent *entry = readdir(open_directory); entry != NULL; entry = readdir(open_directory)) {
        const size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".tmp") != 0) continue;
        for (size_t i = 0; i < outputs->count; i++) {
            if (!is_orphan(entry->d_name, &outputs->items[i])) continue;
            if (is_old(dirfd(open_directory), entry->d_name)) unlinkat(dirfd(open_directory), entry->d_name, 0);
        }
    }
    closedir(open_directory);
}

cg_status cg_outputs_write(const cg_outputs *outputs, const char *directory) {
    changes *all = CG_NEW(outputs->arena, changes);
    *all = (changes){CG_NEW_ARRAY(outputs->arena, change, outputs->count), outputs->count};
    cg_arena_defer(outputs->arena, drop, all);
    if (make_directory(directory) != CG_OK) return CG_FAILED;
    remove_leftovers(outputs, directory);
    cg_status status = prepare_all(outputs, directory, all);
    if (status == CG_OK) status = finish(outputs, all);
    drop(all);
    return status != CG_OK || !outputs->is_durable ? status : sync_directory(directory);
}

cg_status cg_outputs_write_file(const cg_outputs *outputs, const char *path, const char *text, size_t length) {
    cg_outputs one = {.arena = outputs->arena, .is_durable = outputs->is_durable};
    cg_outputs_add(&one, cg_path_name(path), text, length);
    return cg_outputs_write(&one, cg_path_directory(outputs->arena, path));
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

/* The number of the first line that differs, from 1. */
static unsigned first_difference(const char *left, size_t left_length, const char *right, size_t right_length) {
    unsigned line = 1;
    for (size_t i = 0; i < left_length && i < right_length && left[i] == right[i]; i++) line += left[i] == '\n';
    return line;
}

static cg_status check_one(const cg_outputs *outputs, const cg_output *output, const char *path) {
    size_t length = 0;
    const char *text = read_existing(outputs->arena, path, output->length, &length);
    if (text == NULL) {
        fprintf(stderr, "%s: stale: the file is missing\n", path);
        return CG_WRONG;
    }
    if (length == output->length && memcmp(text, output->text, length) == 0) return CG_OK;
    fprintf(stderr, "%s:%u: stale: the first line that differs\n", path,
            first_difference(text, length, output->text, output->length));
    return CG_WRONG;
}

cg_status cg_outputs_check(const cg_outputs *outputs, const char *directory) {
    cg_status status = CG_OK;
    for (size_t i = 0; i < outputs->count; i++) {
        const cg_output *output = &outputs->items[i];
        if (check_one(outputs, output, path_of(outputs, directory, output->name)) != CG_OK) status = CG_WRONG;
    }
    return status;
}

static bool is_output(const cg_outputs *outputs, const char *name) {
    for (size_t i = 0; i < outputs->count; i++) {
        if (strcmp(outputs->items[i].name, name) == 0) return true;
    }
    return false;
}

/* The names in a directory, ascending, so that what is said about them does not depend on the file system. */
static const char **list_names(cg_arena *arena, DIR *directory, size_t *count) {
    const char **names = NULL;
    *count = 0;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        names = cg_arena_grow(arena, names, *count, sizeof *names);
        names[(*count)++] = cg_arena_text(arena, entry->d_name);
    }
    return names;
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* As an arena closes it: memory may run out while it is read. */
static void close_directory(void *directory) { closedir(directory); }

cg_status cg_outputs_check_strays(const cg_outputs *outputs, const char *directory, const char *mark) {
    cg_status status = CG_OK;
    size_t count = 0, length = 0;
    DIR *open_directory = opendir(directory);
    if (open_directory == NULL) return CG_OK; /* then every file is missing, which was told */
    cg_arena_defer(outputs->arena, close_directory, open_directory);
    const char **names = list_names(outputs->arena, open_directory, &count);
    if (count != 0) qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        const char *path = path_of(outputs, directory, names[i]);
        if (is_output(outputs, names[i])) continue;
        const char *text = read_existing(outputs->arena, path, strlen(mark), &length);
        if (text == NULL || length < strlen(mark) || memcmp(text, mark, strlen(mark)) != 0) continue;
        fprintf(stderr, "%s: stale: it is not written any more; remove it\n", path);
        status = CG_WRONG;
    }
    return status;
}
