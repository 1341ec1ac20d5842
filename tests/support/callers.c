#define _GNU_SOURCE
#include "tests/support/callers.h"

#include <features.h>

#if defined(__GLIBC__)

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first trace loads the unwinder, which allocates. */
void bpt_callers_prepare(void) {
    void *callers[1];
    (void)backtrace(callers, 1);
}

int bpt_callers_take(void *callers[BPT_CALLERS_MAX]) { return backtrace(callers, BPT_CALLERS_MAX); }

/* ---- names: static functions have one only in the file's own table of symbols ---- */

/* A file of symbols, mapped. */
typedef struct object {
    const uint8_t *bytes;
    size_t size;
} object;

static object map_object(const char *path) {
    object mapped = {0};
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return mapped;
    if (fstat(fd, &about) == 0 && about.st_size >= (off_t)sizeof(ElfW(Ehdr))) {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) mapped = (object){bytes, (size_t)about.st_size};
    }
    close(fd);
    return mapped;
}

static const ElfW(Shdr) *sections_of(const object *of, size_t *count) {
    const ElfW(Ehdr) *head = (const void *)of->bytes;
    *count = head->e_shnum;
    return (const void *)(of->bytes + head->e_shoff);
}

/* The function of the table that the address lies in; NULL: none. */
static const char *find_in(const object *of, const ElfW(Shdr) *table, uintptr_t address) {
    size_t section_count;
    const ElfW(Shdr) *names = &sections_of(of, &section_count)[table->sh_link];
    const ElfW(Sym) *symbols = (const void *)(of->bytes + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || address - symbol->st_value >= symbol->st_size) continue;
        return (const char *)of->bytes + names->sh_offset + symbol->st_name;
    }
    return NULL;
}

static const char *find(const object *of, uintptr_t address) {
    size_t count;
    const ElfW(Shdr) *sections = sections_of(of, &count);
    const char *name = NULL;
    for (size_t i = 0; i < count && name == NULL; i++) {
        const ElfW(Word) type = sections[i].sh_type;
        if (type == SHT_SYMTAB || type == SHT_DYNSYM) name = find_in(of, &sections[i], address);
    }
    return name;
}

/* The caller goes on behind its call, which may be the last instruction of a function. */
static int print_one(const void *caller, const char *before, char *out, size_t size) {
    Dl_info info;
    struct link_map *map = NULL;
    const uintptr_t at = (uintptr_t)caller - 1;
    if (dladdr1((const void *)at, &info, (void **)&map, RTLD_DL_LINKMAP) == 0) {
        return snprintf(out, size, "%s%p", before, caller);
    }
    const object own = map_object(map->l_name[0] == 0 ? "/proc/self/exe" : map->l_name);
    const char *name = own.bytes == NULL ? NULL : find(&own, at - map->l_addr);
    const int length = name != NULL
                           ? snprintf(out, size, "%s%s", before, name)
                           : snprintf(out, size, "%s%s+0x%zx", before, info.dli_fname, (size_t)(at - map->l_addr));
    if (own.bytes != NULL) munmap((void *)(uintptr_t)own.bytes, own.size);
    return length;
}

void bpt_callers_print(void *const *callers, int count, char *out, size_t size) {
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < count && used < size; i++) {
        used += (size_t)print_one(callers[i], i == 0 ? "" : " < ", out + used, size - used);
    }
}

#else

void bpt_callers_prepare(void) {}

int bpt_callers_take(void *callers[BPT_CALLERS_MAX]) {
    callers[0] = NULL;
    return 0;
}

void bpt_callers_print(void *const *callers, int count, char *out, size_t size) {
    (void)callers;
    (void)count;
    if (size != 0) out[0] = 0;
}

#endif
