/* tests/support/bufpoolc_place.h: a folder of its own for a test that runs bufpoolc as a process. */
#ifndef BUFPOOL_TESTS_BUFPOOLC_PLACE_H
#define BUFPOOL_TESTS_BUFPOOLC_PLACE_H

#include <stddef.h>

typedef struct bpt_place {
    char directory[64];
    char bufpoolc[4200]; /* the compiler's path */
} bpt_place;

/* A new folder with a good contract of one message, contract.yaml, and what is generated from it, in generated/. */
bpt_place bpt_place_make(void);
void bpt_place_remove(const bpt_place *p);

char *bpt_place_path(const bpt_place *p, const char *name, char path[256]);
void bpt_place_write(const bpt_place *p, const char *name, const char *text);

/* Reads at most size - 1 bytes and a NUL; returns their count. */
size_t bpt_place_read(const bpt_place *p, const char *name, char *out, size_t size);

/* Runs `bufpoolc arguments` in the folder by the shell; its output goes to the files out and err. Its exit code. */
int bpt_place_run(const bpt_place *p, const char *arguments);

/* Runs a command of the shell in the folder. Its exit code. */
int bpt_place_shell(const bpt_place *p, const char *command);

#endif
