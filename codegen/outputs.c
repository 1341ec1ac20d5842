#include "codegen/outputs.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void cg_outputs_add(cg_outputs *outputs, const char *name, const char *text, size_t length) {
    outputs->items = cg_arena_grow(outputs->arena, outputs->items, outputs->count, sizeof(cg_output));
    outputs->items[outputs->count++] = (cg_output){name, text, length};
}

static cg_status say(const char *path, const char *why) {
    fprintf(stderr, "bufpoolc: %s: %s\n", path, why);
    return CG_FAILED;
}

static char *path_of(const cg_outputs *outputs, const char *directory, const char *name) {
    return cg_arena_format(outputs->arena, "%s/%s", directory, name);
}

/* ---- what is there ---------------------------------------------------------------------------------------------- */

/* An open file as an arena closes it. */
static void close_file(void *file) { fclose(file); }

/* The file's content, or NULL when there is none that could be read; one byte more than expected is enough to tell. */
static const char *read_existing(cg_arena *arena, const char *path, size_t expected, size_t *length) {
    char *text = cg_arena_alloc(arena, expected + 2);
    FILE *file = fopen(path, "rb");
    *length = 0;
    if (file == NULL) return NULL;
    *length = fread(text, 1, expected + 1, file);
    const bool is_read = ferror(file) == 0;
    close_file(file);
    return is_read ? text : NULL;
}

static bool is_same(const cg_outputs *outputs, const cg_output *output, const char *path) {
    size_t length = 0;
    const char *text = read_existing(outputs->arena, path, output->length, &length);
    return text != NULL && length == output->length && memcmp(text, output->text, length) == 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static cg_status make_directory(const char *directory) {
    if (mkdir(directory, 0777) == 0 || errno == EEXIST) return CG_OK;
    return say(directory, strerror(errno));
}

/* Writes the text into a new file beside path; removes it again when that fails. */
static cg_status write_temporary(const cg_output *output, const char *temporary) {
    FILE *file = fopen(temporary, "wb");
    if (file == NULL) return say(temporary, strerror(errno));
    const bool is_written = fwrite(output->text, 1, output->length, file) == output->length && fflush(file) == 0;
    const int why = errno;
    if (fclose(file) == 0 && is_written) return CG_OK;
    remove(temporary);
    return say(temporary, strerror(is_written ? errno : why));
}

/* One file on its way: NULL temporary when it needs no change. */
typedef struct change {
    const char *path;
    const char *temporary;
} change;

static void drop(const change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (changes[i].temporary != NULL) remove(changes[i].temporary);
    }
}

/* Writes every temporary file; after an error none is left. */
static cg_status write_all(const cg_outputs *outputs, const char *directory, change *changes) {
    for (size_t i = 0; i < outputs->count; i++) {
        const cg_output *output = &outputs->items[i];
        changes[i].path = path_of(outputs, directory, output->name);
        if (is_same(outputs, output, changes[i].path)) continue;
        const char *temporary = cg_arena_format(outputs->arena, "%s.%ld.tmp", changes[i].path, (long)getpid());
        if (write_temporary(output, temporary) != CG_OK) {
            drop(changes, i);
            return CG_FAILED;
        }
        changes[i].temporary = temporary;
    }
    return CG_OK;
}

cg_status cg_outputs_write(const cg_outputs *outputs, const char *directory) {
    change *changes = CG_NEW_ARRAY(outputs->arena, change, outputs->count);
    if (make_directory(directory) != CG_OK || write_all(outputs, directory, changes) != CG_OK) return CG_FAILED;
    for (size_t i = 0; i < outputs->count; i++) {
        if (changes[i].temporary == NULL || rename(changes[i].temporary, changes[i].path) == 0) continue;
        const cg_status failed = say(changes[i].path, strerror(errno));
        drop(changes + i, outputs->count - i);
        return failed;
    }
    return CG_OK;
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
