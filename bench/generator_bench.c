/* Generator rows: bufpoolc and protoc-c as whole processes, on messages of the same ten fields, into empty directories.
 * Files are written beside the program, in bench/generator. */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BUFPOOLC, PROTOC_C };

/* The field types in turn; the same kinds for both. */
static const char *const contract_types[] = {"u64", "u32", "\"FixedStr<32>\"", "\"FixedVec<u32, 16>\"", "u64"};
static const char *const proto_types[] = {"uint64", "uint32", "string", "repeated uint32", "uint64"};
enum { TYPES = sizeof contract_types / sizeof contract_types[0], FIELDS = 10 };

/* "/…/build/release/", where the program lies. */
static const char *home(void) {
    static char path[PATH_MAX];
    if (path[0] != '\0') return path;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) bench_fail("/proc/self/exe cannot be read");
    path[length] = '\0';
    strrchr(path, '/')[1] = '\0';
    return path;
}

static void write_contract(FILE *file, unsigned messages) {
    fputs("schema: {name: large, id: 1, version: 1, min_compatible: 1}\nmessages:\n", file);
    for (unsigned m = 0; m < messages; m++) {
        fprintf(file, "  Message%u:\n    tlv_type: %u\n    fields:\n", m, m + 1);
        for (unsigned f = 0; f < FIELDS; f++) fprintf(file, "      field_%u: %s\n", f, contract_types[f % TYPES]);
    }
}

static void write_proto(FILE *file, unsigned messages) {
    fputs("syntax = \"proto3\";\npackage large;\n", file);
    for (unsigned m = 0; m < messages; m++) {
        fprintf(file, "message Message%u {\n", m);
        for (unsigned f = 0; f < FIELDS; f++) fprintf(file, "  %s field_%u = %u;\n", proto_types[f % TYPES], f, f + 1);
        fputs("}\n", file);
    }
}

static void make_directory(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST) bench_fail("a directory cannot be made");
}

static void empty_directory(const char *path) {
    DIR *const directory = opendir(path);
    if (directory == NULL) bench_fail("a directory cannot be read");
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) != 0) bench_fail("an old file cannot be removed");
    }
    closedir(directory);
}

/* Milliseconds until the process has ended; BENCH_ABSENT when there is no such program. */
static double run_process(char *const arguments[]) {
    pid_t child = 0;
    int status = 0;
    const uint64_t start = bench_now_ns();
    if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) != 0) return BENCH_ABSENT;
    if (waitpid(child, &status, 0) != child) bench_fail("a process was lost");
    const uint64_t end = bench_now_ns();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return BENCH_ABSENT;
    if (status != 0) bench_fail("a generator failed");
    return (double)(end - start) / 1e6;
}

static double run(const bench_row *row) {
    char folder[PATH_MAX], input[PATH_MAX + 64], out[PATH_MAX + 64], program[PATH_MAX + 64], option[PATH_MAX + 128];
    const bool is_ours = row->variant == BUFPOOLC;
    snprintf(folder, sizeof folder, "%.*sbench/generator", PATH_MAX - 32, home());
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(input, sizeof input, "%s/large%u.%s", folder, row->size, is_ours ? "yaml" : "proto");
    make_directory(folder);
    make_directory(out);
    empty_directory(out);
    FILE *const file = fopen(input, "w");
    if (file == NULL) bench_fail("an input cannot be written");
    (is_ours ? write_contract : write_proto)(file, row->size);
    if (fclose(file) != 0) bench_fail("an input cannot be written");
    snprintf(program, sizeof program, "%sbufpoolc", home());
    snprintf(option, sizeof option, "--c_out=%s", out);
    char path_option[PATH_MAX + 64];
    snprintf(path_option, sizeof path_option, "-I%s", folder);
    char generate[] = "generate", out_dir[] = "--out-dir", protoc[] = "protoc-c";
    char *const ours[] = {program, generate, input, out_dir, out, NULL};
    char *const theirs[] = {protoc, path_option, option, input, NULL};
    return run_process(is_ours ? ours : theirs);
}

static const bench_row rows[] = {
    {"generator", "3 messages: protoc-c", "ms", NULL, run, 3, PROTOC_C, false},
    {"generator", "3 messages: bufpoolc", "ms", "3 messages: protoc-c", run, 3, BUFPOOLC, false},
    {"generator", "500 messages: protoc-c", "ms", NULL, run, 500, PROTOC_C, false},
    {"generator", "500 messages: bufpoolc", "ms", "500 messages: protoc-c", run, 500, BUFPOOLC, false},
    {"generator", "5000 messages: bufpoolc", "ms", "500 messages: bufpoolc", run, 5000, BUFPOOLC, false},
};

const bench_table bench_generator_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
