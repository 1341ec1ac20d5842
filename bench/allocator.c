#define _GNU_SOURCE
#include "allocator.h"
#include "bench.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bench_allocator packaged[] = {
    {"glibc", "", false},
    {"jemalloc", "libjemalloc.so.2", false},
    {"mimalloc", "libmimalloc.so.2", false},
    {"tcmalloc", "libtcmalloc_minimal.so.4", false},
};
enum { PACKAGED_COUNT = sizeof packaged / sizeof packaged[0] };

bool bench_malloc_is_replaced(void) {
    Dl_info of_malloc, of_libc;
    if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &of_malloc) == 0) return false;
    if (dladdr(dlsym(RTLD_DEFAULT, "getenv"), &of_libc) == 0) return false;
    return strcmp(of_malloc.dli_fname, of_libc.dli_fname) != 0;
}

static bool is_there(const char *program, const char *library) {
    char command[1024];
    if (library[0] == '\0') return true;
    snprintf(command, sizeof command, "LD_PRELOAD='%s' '%s' --probe 2>/dev/null", library, program);
    return system(command) == 0;
}

/* "name=path,name=path": cut in place, in a copy that lives as long as the process. */
static size_t named_by_user(bench_allocator *out, size_t room) {
    const char *text = getenv("BENCH_MALLOC");
    size_t count = 0;
    char *copy = text == NULL ? NULL : strdup(text), *rest = NULL;
    for (char *word = copy == NULL ? NULL : strtok_r(copy, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest)) {
        char *library = strchr(word, '=');
        if (library == NULL || count == room) bench_fail("BENCH_MALLOC is name=path.so[,name=path.so], eight at most");
        *library++ = '\0';
        out[count++] = (bench_allocator){word, library, false};
    }
    return count;
}

size_t bench_allocators(const char *program, bench_allocator out[BENCH_ALLOCATORS_MAX]) {
    memcpy(out, packaged, sizeof packaged);
    const size_t count = PACKAGED_COUNT + named_by_user(out + PACKAGED_COUNT, BENCH_ALLOCATORS_MAX - PACKAGED_COUNT);
    for (size_t i = 0; i < count; i++) out[i].is_absent = !is_there(program, out[i].library);
    return count;
}
