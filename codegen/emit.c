#include "codegen/emit.h"

#include "codegen/emit_map.h"
#include "codegen/template.h"
#include "codegen/traits.h"

#include <inttypes.h>
#include <string.h>

static cg_value *emit_classes(const cg_emitter *emitter) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < emitter->model->class_count; i++) {
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_number(emitter->arena, map, "size", emitter->model->classes[i].size);
        cg_set_number(emitter->arena, map, "idle_bytes", emitter->model->classes[i].idle_bytes);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static cg_value *emit_ranges(const cg_emitter *emitter) {
    static const char *const unknown[] = {
        [CG_UNKNOWN_FAIL] = "FAIL", [CG_UNKNOWN_SKIP] = "SKIP", [CG_UNKNOWN_DELIVER] = "DELIVER"};
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < emitter->model->range_count; i++) {
        const cg_range *const range = &emitter->model->ranges[i];
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_text(emitter->arena, map, "name", range->name);
        cg_set_number(emitter->arena, map, "first", range->first);
        cg_set_number(emitter->arena, map, "last", range->last);
        cg_set_text(emitter->arena, map, "unknown", unknown[range->unknown]);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static cg_value *emit_layouts(const cg_emitter *emitter) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < emitter->model->layout_count; i++) {
        const cg_layout *const layout = &emitter->model->layouts[i];
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_number(emitter->arena, map, "version", layout->version);
        cg_set_format(emitter->arena, map, "hash", "0x%016" PRIx64, layout->hash);
        cg_set_flag(emitter->arena, map, "is_unknown", layout->hash == 0);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static void set_lists(const cg_emitter *emitter, cg_value *root) {
    cg_arena *const arena = emitter->arena;
    const cg_model *const model = emitter->model;
    cg_value *const enums = cg_value_list(arena);
    cg_value *const structs = cg_value_list(arena);
    cg_value *const messages = cg_value_list(arena);
    for (size_t i = 0; i < model->enum_count; i++) cg_append(arena, enums, cg_emit_enum(emitter, &model->enums[i]));
    for (size_t i = 0; i < model->struct_count; i++)
        cg_append(arena, structs, cg_emit_struct(emitter, model->structs[i]));
    for (size_t i = 0; i < model->message_count; i++) {
        cg_append(arena, messages, cg_emit_message(emitter, model->by_type[i]));
    }
    cg_set(arena, root, "enums", enums);
    cg_set(arena, root, "structs", structs);
    cg_set(arena, root, "messages", messages);
    cg_set(arena, root, "classes", emit_classes(emitter));
    cg_set(arena, root, "ranges", emit_ranges(emitter));
    cg_set(arena, root, "layouts", emit_layouts(emitter));
    cg_set(arena, root, "hooks", cg_emit_hooks(emitter));
}

static cg_value *emit_root(const cg_emitter *emitter) {
    cg_arena *const arena = emitter->arena;
    const cg_model *const model = emitter->model;
    cg_value *const root = cg_value_map(arena);
    cg_set_text(arena, root, "file", model->file);
    cg_set_text(arena, root, "schema", model->name.text);
    cg_set_text(arena, root, "s", model->name.snake);
    cg_set_text(arena, root, "S", model->name.upper);
    cg_set_format(arena, root, "id", "0x%" PRIX32, model->id);
    cg_set_number(arena, root, "version", model->version);
    cg_set_number(arena, root, "min_compatible", model->min_compatible);
    cg_set_format(arena, root, "hash", "0x%016" PRIx64, model->contract_hash);
    cg_set_format(arena, root, "layout", "0x%016" PRIx64, model->layouts[model->layout_count - 1].hash);
    cg_set_number(arena, root, "layout_count", model->layout_count);
    cg_set_number(arena, root, "memory_limit", model->memory_limit);
    cg_set_flag(arena, root, "has_session", cg_model_has_session(model));
    cg_set_flag(arena, root, "has_place", cg_model_has_place(model));
    cg_set_number(arena, root, "message_count", model->message_count);
    cg_set_number(arena, root, "class_count", model->class_count);
    cg_set_number(arena, root, "range_count", model->range_count);
    set_lists(emitter, root);
    return root;
}

const cg_part cg_parts[] = {
    {"umbrella", CG_PART_UMBRELLA},
    {"sizes", CG_PART_SIZES},
    {"messages", CG_PART_MESSAGES_H | CG_PART_MESSAGES_C},
    {"messages.h", CG_PART_MESSAGES_H},
    {"messages.c", CG_PART_MESSAGES_C},
    {"service", CG_PART_SERVICE_H | CG_PART_SERVICE_C},
    {"service.h", CG_PART_SERVICE_H},
    {"service.c", CG_PART_SERVICE_C},
    {"tests", CG_PART_TESTS},
    {"fuzz", CG_PART_FUZZ},
    {"reference", CG_PART_REFERENCE},
};
const size_t cg_part_count = sizeof cg_parts / sizeof cg_parts[0];

/* Parts whose templates make instances of messages. */
enum { PARTS_WITH_EXAMPLES = CG_PART_TESTS | CG_PART_FUZZ };

/* Which template writes which file; %s is the schema's name. */
static const struct {
    unsigned part;
    const char *template_name, *file_name;
} files[] = {
    {CG_PART_UMBRELLA, "umbrella.h", "%s.h"},
    {CG_PART_SIZES, "sizes.h", "%s_sizes.h"},
    {CG_PART_MESSAGES_H, "messages.h", "%s_messages.h"},
    {CG_PART_MESSAGES_C, "messages.c", "%s_messages.c"},
    {CG_PART_SERVICE_H, "service.h", "%s_service.h"},
    {CG_PART_SERVICE_C, "service.c", "%s_service.c"},
    {CG_PART_TESTS, "test.c", "%s_test.c"},
    {CG_PART_FUZZ, "fuzz.c", "%s_fuzz.c"},
    {CG_PART_REFERENCE, "reference.md", "%s_reference.md"},
};

static const char *file_name(const cg_model *model, cg_arena *arena, size_t i) {
    return cg_arena_format(arena, files[i].file_name, model->name.snake);
}

void cg_emit_names(const cg_model *model, cg_outputs *out) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        cg_outputs_add(out, file_name(model, out->arena, i), "", 0);
    }
}

const cg_value *cg_emit_values(const cg_model *model, cg_arena *arena) {
    const cg_emitter emitter = {.arena = arena, .model = model};
    return emit_root(&emitter);
}

cg_status cg_emit(const cg_model *model, unsigned parts, cg_outputs *out) {
    const cg_emitter emitter = {.arena = out->arena,
                                .model = model,
                                .has_examples = (parts & PARTS_WITH_EXAMPLES) != 0};
    const cg_value *const code = (parts & ~(unsigned)CG_PART_REFERENCE) == 0 ? NULL : emit_root(&emitter);
    const cg_value *const page = (parts & CG_PART_REFERENCE) == 0 ? NULL : cg_emit_reference(&emitter);
    cg_template_set set;
    cg_template_error error;
    cg_template_set_init(&set, out->arena, cg_templates, cg_template_count);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if ((parts & files[i].part) == 0) continue;
        const cg_value *const root = files[i].part == CG_PART_REFERENCE ? page : code;
        const char *const text = cg_render(&set, files[i].template_name, root, &error);
        if (text == NULL) {
            out->error =
                cg_arena_format(out->arena, "template %s, line %zu: %s", error.template_name, error.line, error.text);
            return CG_FAILED;
        }
        cg_outputs_add(out, file_name(model, out->arena, i), text, strlen(text));
    }
    return CG_OK;
}
