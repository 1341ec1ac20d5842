#include "codegen/value.h"

#include "codegen/format.h"

#include <stdarg.h>
#include <string.h>

static cg_value *value_new(cg_arena *arena, cg_value_kind kind) {
    cg_value *const value = CG_NEW(arena, cg_value);
    value->kind = kind;
    return value;
}

cg_value *cg_value_map(cg_arena *arena) { return value_new(arena, CG_VALUE_MAP); }
cg_value *cg_value_list(cg_arena *arena) { return value_new(arena, CG_VALUE_LIST); }

cg_value *cg_value_text(cg_arena *arena, const char *text) {
    const size_t length = strlen(text);
    if (length > UINT32_MAX) cg_arena_out_of_memory(arena);
    cg_value *const value = value_new(arena, CG_VALUE_TEXT);
    value->text = text;
    value->count = (uint32_t)length;
    return value;
}

/* Room for 16 names, then 48 (what a field has), then twice as many each time. */
static bool map_is_full(uint32_t count) {
    const uint32_t steps = count / 48;
    return count == 0 || count == 16 || (count % 48 == 0 && (steps & (steps - 1)) == 0);
}

void cg_set(cg_arena *arena, cg_value *map, const char *name, const cg_value *value) {
    const uint32_t count = map->count;
    if (map_is_full(count)) {
        const uint32_t room = count == 0 ? 16 : count == 16 ? 48 : 2 * count;
        cg_named_value *const grown = CG_NEW_ARRAY(arena, cg_named_value, room);
        if (count != 0) memcpy(grown, map->named, count * sizeof *grown);
        map->named = grown;
    }
    map->named[map->count++] = (cg_named_value){.name = name, .value = value};
}

void cg_append(cg_arena *arena, cg_value *list, const cg_value *value) {
    list->items = cg_arena_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] = value;
}

void cg_set_text(cg_arena *arena, cg_value *map, const char *name, const char *text) {
    cg_set(arena, map, name, cg_value_text(arena, text));
}

void cg_set_flag(cg_arena *arena, cg_value *map, const char *name, bool flag) {
    static const cg_value flags[2] = {{.kind = CG_VALUE_FLAG, .text = ""},
                                      {.kind = CG_VALUE_FLAG, .text = "", .count = 1}};
    cg_set(arena, map, name, &flags[flag]);
}

void cg_set_number(cg_arena *arena, cg_value *map, const char *name, uint64_t number) {
    typedef struct written {
        cg_value value;
        char digits[];
    } written;
    char digits[CG_DIGITS_MAX];
    const size_t length = cg_digits(digits, number);
    written *const text = cg_arena_alloc(arena, sizeof *text + length + 1);
    memcpy(text->digits, digits, length);
    text->value = (cg_value){.kind = CG_VALUE_TEXT, .count = (uint32_t)length, .text = text->digits};
    cg_set(arena, map, name, &text->value);
}

void cg_set_format(cg_arena *arena, cg_value *map, const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    cg_set_text(arena, map, name, cg_arena_vformat(arena, format, arguments));
    va_end(arguments);
}

const cg_named_value *cg_map_find(const cg_value *map, const char *name, size_t name_length) {
    for (uint32_t i = 0; i < map->count; i++) {
        const cg_named_value *const named = &map->named[i];
        if (named->name[0] != name[0]) continue; /* most names differ here */
        if (strncmp(named->name, name, name_length) == 0 && named->name[name_length] == '\0') return named;
    }
    return NULL;
}
