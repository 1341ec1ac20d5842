/* tests/support/file_faults.h: calls on files and directories that go wrong when a test says so, by interposition.
 *
 * Linking file_faults.c into a program puts its calls in the place of the C library's, as system_faults.h does for those
 * on sockets; only those with 64 bits of offset are seen, which is what files with _FILE_OFFSET_BITS 64 call. With
 * another system or C library nothing is interposed. */
#ifndef BUFPOOL_TESTS_FILE_FAULTS_H
#define BUFPOOL_TESTS_FILE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bpt_file_fault {
    int error;       /* errno that the call fails with, without having been made; 0: it does not */
    size_t at_most;  /* bytes: a call that reads or writes takes no more; 0: any number */
    bool is_deadly;  /* the process is killed before the call */
    const char *only; /* calls of this name alone count; NULL: all */
} bpt_file_fault;

/* Whether calls are interposed in this build. */
bool bpt_file_faults_are_possible(void);

/* From now on calls are counted, in any thread, and the one after `before` more goes wrong. */
void bpt_file_faults_arm(const bpt_file_fault *fault, uint64_t before);

/* Ends that: the name of the call that went wrong; NULL: there were not so many. */
const char *bpt_file_faults_disarm(void);

#endif
