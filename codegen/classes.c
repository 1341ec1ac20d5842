#include "codegen/build.h"
#include "codegen/layout.h"
#include "codegen/schema.h"
#include "codegen/strides.h"

#include <inttypes.h>
#include <string.h>

enum { CLASSES_MAX = 64, DEFAULT_MIN = 64, DEFAULT_IDLE = 65536, LIMIT_FACTOR = 4, PAGE = 4096 };

static bool is_power_of_two(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

static cg_class *add_class(cg_builder *b, uint32_t size) {
    cg_model *model = b->model;
    model->classes = cg_arena_grow(b->arena, model->classes, model->class_count, sizeof(cg_class));
    cg_class *added = &model->classes[model->class_count++];
    *added = (cg_class){.size = size, .idle_bytes = model->idle_bytes_per_class};
    return added;
}

/* ---- a list ----------------------------------------------------------------------------------------------------- */

static void add_listed(cg_builder *b, const cg_node *item) {
    uint64_t size = 0;
    const cg_model *model = b->model;
    const bool is_number = item->kind == CG_SCALAR && cg_read_bytes(item->text, &size);
    if (item->is_bad) return;
    if (!is_number || size == 0 || size % CG_STRIDE_STEP != 0 || size > CG_VALUE_MAX) {
        cg_report(b->diags, CG_E_CLASS_SIZE, cg_node_place(item), "a class is a multiple of 16 bytes, at most 1GiB");
    } else if (model->class_count == CLASSES_MAX) {
        cg_report(b->diags, CG_E_TOO_MANY, cg_node_place(item), "a pool has at most %d classes", CLASSES_MAX);
    } else if (model->class_count != 0 && size <= model->classes[model->class_count - 1].size) {
        cg_report(b->diags, CG_E_CLASS_SIZE, cg_node_place(item),
                  "classes must rise: this is not above the one before it");
    } else {
        add_class(b, (uint32_t)size);
    }
}

static void read_list(cg_builder *b, const cg_node *list) {
    b->model->strategy = "list";
    if (list->count == 0) cg_report(b->diags, CG_E_CLASS_SIZE, list->span, "at least one class is needed");
    for (const cg_node *item = list->first; item != NULL; item = item->next) add_listed(b, item);
}

/* ---- of the messages' needs: pow2, auto:K ------------------------------------------------------------------------ */

cg_need *cg_needs_of(cg_arena *arena, const cg_model *model) {
    cg_need *needs = CG_NEW_ARRAY(arena, cg_need, model->message_count);
    for (size_t i = 0; i < model->message_count; i++) {
        const cg_message *message = model->by_type[i];
        needs[i] = (cg_need){message->held, message->rate == 0 ? 1 : message->rate};
    }
    return needs;
}

/* The powers of two that some message needs. */
static void choose_powers(cg_builder *b, const cg_node *pool) {
    const cg_model *model = b->model;
    uint32_t sizes[CG_POWERS_MAX];
    if (!is_power_of_two(model->min_class)) {
        cg_report(b->diags, CG_E_CLASS_SIZE, cg_good_entry(pool, "min_class")->span,
                  "min_class must be a power of two");
    }
    if (b->diags->error_count != 0) return;
    const size_t count = cg_strides_powers(cg_needs_of(b->arena, model), model->message_count, model->min_class, sizes);
    for (size_t i = 0; i < count; i++) add_class(b, sizes[i]);
}

/* The K of "auto:K"; 0 when it is none. */
static size_t count_of(const char *text) {
    uint64_t count = 0;
    if (strncmp(text, "auto:", 5) != 0 || strlen(text) > 7 || !cg_read_bytes(text + 5, &count)) return 0;
    return count <= CLASSES_MAX ? (size_t)count : 0;
}

/* The strides that waste the least. */
static void choose_best(cg_builder *b, const cg_node *classes) {
    cg_model *model = b->model;
    uint32_t sizes[CLASSES_MAX];
    const size_t most = count_of(classes->text);
    if (most == 0) {
        cg_report(b->diags, CG_E_WORD, classes->span, "auto:K needs a K from 1 to %d, such as auto:4", CLASSES_MAX);
        return;
    }
    model->strategy = classes->text;
    if (b->diags->error_count != 0 || model->message_count == 0) return;
    const cg_strides best = cg_strides_find(b->arena, cg_needs_of(b->arena, model), model->message_count, most);
    cg_strides_read(&best, best.level_count, sizes);
    for (size_t i = 0; i < best.level_count; i++) add_class(b, sizes[i]);
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

/* The smallest class that holds need, or class_count. */
static size_t class_for(const cg_model *model, uint32_t need) {
    size_t ix = 0;
    while (ix < model->class_count && model->classes[ix].size < need) ix++;
    return ix;
}

static void join(cg_builder *b, cg_message *message) {
    cg_model *model = b->model;
    const uint32_t need = message->held;
    message->class_ix = class_for(model, need);
    if (message->class_ix == model->class_count) {
        cg_report(b->diags, CG_E_NO_CLASS, cg_node_place(message->at),
                  "'%s' needs %u bytes with its reserve, the largest class has %u", message->name.text, need,
                  model->classes[model->class_count - 1].size);
        return;
    }
    cg_class *its = &model->classes[message->class_ix];
    its->messages = cg_arena_grow(b->arena, its->messages, its->message_count, sizeof(cg_message *));
    its->messages[its->message_count++] = message;
    message->class_size = its->size;
    message->waste = its->size - message->max;
    message->accept_max = its->size;
}

/* What the pool needs to serve anything: four of the largest buffers, and one slab, which is the buffer and what the
 * pool must know of it, each in whole pages. Pages may be larger where the program runs; bp_pool_new asks again. */
static void check_limit(cg_builder *b, const cg_node *pool) {
    const cg_model *model = b->model;
    const cg_node *limit = cg_good_entry(pool, "memory_limit");
    if (limit == NULL || model->memory_limit == 0 || model->class_count == 0) return;
    const uint32_t largest = model->classes[model->class_count - 1].size;
    const uint64_t four = (uint64_t)LIMIT_FACTOR * largest, slab = cg_round_up(largest, PAGE) + PAGE;
    if (model->memory_limit >= four && model->memory_limit >= slab) return;
    cg_report(b->diags, CG_E_MEMORY_LIMIT, limit->span, "memory_limit must be at least %s: %" PRIu64,
              four >= slab ? "four times the largest class" : "one slab, two pages", four >= slab ? four : slab);
}

static void choose_strategy(cg_builder *b, const cg_node *pool) {
    const cg_node *classes = cg_good_entry(pool, "classes");
    b->model->strategy = "pow2";
    if (classes != NULL && classes->kind == CG_LIST) {
        read_list(b, classes);
        return;
    }
    const bool is_text = classes != NULL && classes->kind == CG_SCALAR;
    if (is_text && strncmp(classes->text, "auto:", 5) == 0) {
        choose_best(b, classes);
    } else if (classes != NULL && (!is_text || strcmp(classes->text, "pow2") != 0)) {
        cg_report(b->diags, CG_E_WORD, is_text ? classes->span : cg_node_place(classes),
                  "classes is pow2, auto:K or a list of sizes");
    } else {
        choose_powers(b, pool);
    }
}

void cg_classes_choose(cg_builder *builder, const cg_node *pool) {
    cg_model *model = builder->model;
    model->min_class = (uint32_t)cg_get_uint(pool, "min_class", DEFAULT_MIN);
    model->idle_bytes_per_class = cg_get_uint(pool, "idle_bytes_per_class", DEFAULT_IDLE);
    model->memory_limit = cg_get_uint(pool, "memory_limit", 0);
    choose_strategy(builder, pool);
    /* Sizes mean something only when everything has its place. */
    if (builder->diags->error_count != 0) return;
    for (size_t i = 0; i < model->message_count; i++) join(builder, model->by_type[i]);
    check_limit(builder, pool);
}
