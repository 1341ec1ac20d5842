#include "codegen/value.h"

#include "codegen/format.h"

#include <stdarg.h>
#include <string.h>

static cg_value *value_new(cg_arena *arena, cg_value value) {
    cg_value *const made = CG_NEW(arena, cg_value);
    *made = value;
    return made;
}

cg_value *cg_value_map_for(cg_arena *arena, uint16_t names) {
    cg_named_value *const named = CG_NEW_ARRAY(arena, cg_named_value, names);
    return value_new(arena, (cg_value){.kind = CG_VALUE_MAP, .room = names, .named = named});
}

cg_value *cg_value_map(cg_arena *arena) { return cg_value_map_for(arena, 16); }

cg_value *cg_value_list(cg_arena *arena) { return value_new(arena, (cg_value){.kind = CG_VALUE_LIST}); }

static cg_value text_value(cg_arena *arena, const char *text) {
    const size_t length = strlen(text);
    if (length > UINT32_MAX) cg_arena_out_of_memory(arena);
    return (cg_value){.kind = CG_VALUE_TEXT, .count = (uint32_t)length, .text = text};
}

cg_value *cg_value_text(cg_arena *arena, const char *text) { return value_new(arena, text_value(arena, text)); }

/* Room for twice as many names. */
static void grow(cg_arena *arena, cg_value *map) {
    if (map->room > UINT16_MAX / 2) cg_arena_out_of_memory(arena);
    cg_named_value *const grown = CG_NEW_ARRAY(arena, cg_named_value, 2u * map->room);
    memcpy(grown, map->named, map->count * sizeof *grown);
    map->named = grown;
    map->room *= 2;
}

static void set(cg_arena *arena, cg_value *map, const char *name, cg_value value) {
    if (map->count == map->room) grow(arena, map);
    map->named[map->count++] = (cg_named_value){.name = name, .value = value};
}

void cg_set(cg_arena *arena, cg_value *map, const char *name, const cg_value *value) { set(arena, map, name, *value); }

void cg_append(cg_arena *arena, cg_value *list, const cg_value *value) {
    list->items = cg_arena_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] = *value;
}

void cg_set_text(cg_arena *arena, cg_value *map, const char *name, const char *text) {
    set(arena, map, name, text_value(arena, text));
}

void cg_set_flag(cg_arena *arena, cg_value *map, const char *name, bool flag) {
    set(arena, map, name, (cg_value){.kind = CG_VALUE_FLAG, .count = flag, .text = ""});
}

void cg_set_number(cg_arena *arena, cg_value *map, const char *name, uint64_t number) {
    char digits[CG_DIGITS_MAX];
    const size_t length = cg_digits(digits, number);
    const char *const text = cg_arena_copy(arena, digits, length);
    set(arena, map, name, (cg_value){.kind = CG_VALUE_TEXT, .count = (uint32_t)length, .text = text});
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
