#include "codegen/value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static cg_value *value_new(cg_arena *arena, cg_value_kind kind) {
    cg_value *const value = CG_NEW(arena, cg_value);
    value->kind = kind;
    value->text = "";
    return value;
}

cg_value *cg_value_map(cg_arena *arena) { return value_new(arena, CG_VALUE_MAP); }
cg_value *cg_value_list(cg_arena *arena) { return value_new(arena, CG_VALUE_LIST); }

cg_value *cg_value_text(cg_arena *arena, const char *text) {
    cg_value *const value = value_new(arena, CG_VALUE_TEXT);
    value->text = text;
    return value;
}

void cg_set(cg_arena *arena, cg_value *map, const char *name, const cg_value *value) {
    map->named = cg_arena_grow(arena, map->named, map->count, sizeof *map->named);
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
                                      {.kind = CG_VALUE_FLAG, .text = "", .flag = true}};
    cg_set(arena, map, name, &flags[flag]);
}

void cg_set_number(cg_arena *arena, cg_value *map, const char *name, uint64_t number) {
    cg_set_text(arena, map, name, cg_arena_format(arena, "%" PRIu64, number));
}

void cg_set_format(cg_arena *arena, cg_value *map, const char *name, const char *format, ...) {
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    const int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    const size_t room = length < 0 ? 1 : (size_t)length + 1;
    char *const text = cg_arena_alloc(arena, room);
    if (length > 0) vsnprintf(text, room, format, again);
    va_end(again);
    cg_set_text(arena, map, name, text);
}

const cg_value *cg_map_find(const cg_value *map, const char *name, size_t name_length) {
    for (size_t i = 0; i < map->count; i++) {
        const char *const have = map->named[i].name;
        if (have[0] != name[0]) continue; /* most names differ here */
        if (strncmp(have, name, name_length) == 0 && have[name_length] == '\0') return map->named[i].value;
    }
    return NULL;
}
