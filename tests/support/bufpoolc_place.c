#define _POSIX_C_SOURCE 200809L
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <libgen.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char good_contract[] = "schema: {name: tiny, id: 1, version: 1, min_compatible: 1}\n"
                                    "messages:\n"
                                    "  Ping: {tlv_type: 1000, fields: {number: u64}}\n";

char *bpt_place_path(const bpt_place *p, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", p->directory, name);
    return path;
}

void bpt_place_write(const bpt_place *p, const char *name, const char *text) {
    char path[256];
    FILE *file = fopen(bpt_place_path(p, name, path), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

size_t bpt_place_read(const bpt_place *p, const char *name, char *out, size_t size) {
    char path[256];
    FILE *file = fopen(bpt_place_path(p, name, path), "r");
    ck_assert_msg(file != NULL, "%s is not there", path);
    const size_t length = fread(out, 1, size - 1, file);
    out[length] = '\0';
    fclose(file);
    return length;
}

int bpt_place_shell(const bpt_place *p, const char *command) {
    char line[16384];
    ck_assert_int_lt(snprintf(line, sizeof line, "cd '%s' && %s", p->directory, command), (int)sizeof line);
    const int status = system(line);
    ck_assert_msg(WIFEXITED(status), "%s", line);
    return WEXITSTATUS(status);
}

int bpt_place_run(const bpt_place *p, const char *arguments) {
    char command[8000];
    snprintf(command, sizeof command, "'%s' >out 2>err %s", p->bufpoolc, arguments);
    return bpt_place_shell(p, command);
}

bpt_place bpt_place_make(void) {
    bpt_place p = {.directory = "/tmp/bufpoolc-test-XXXXXX"};
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(length, 0);
    self[length] = '\0';
    snprintf(p.bufpoolc, sizeof p.bufpoolc, "%s/bufpoolc", dirname(self));
    ck_assert_ptr_nonnull(mkdtemp(p.directory));
    bpt_place_write(&p, "contract.yaml", good_contract);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated"), 0);
    return p;
}

void bpt_place_remove(const bpt_place *p) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", p->directory);
    ck_assert_int_eq(system(command), 0);
}
