#include "codegen/load.h"
#include "codegen/table.h"

#include <string.h>
#include <yaml.h>

typedef struct loader {
    cg_arena *arena;
    const cg_source *source;
    cg_diags *diags;
    yaml_parser_t parser;
    yaml_event_t event; /* the one that is looked at */
    bool has_event;
    bool is_stopped; /* nothing more can be read */
    uint32_t depth, node_count;
    cg_table seen[CG_DEPTH_MAX + 1]; /* per depth the keys of the map that is being read there */
} loader;

static cg_node *read_node(loader *l);

static void undo_loader(void *what) {
    loader *l = what;
    if (l->has_event) yaml_event_delete(&l->event);
    yaml_parser_delete(&l->parser);
}

static cg_span event_span(const loader *l) {
    const cg_span span = {cg_source_offset(l->source, l->event.start_mark.index),
                          cg_source_offset(l->source, l->event.end_mark.index)};
    return span;
}

/* Reports what makes all that follows unreadable. */
static void stop(loader *l, cg_diag_id id, cg_span at, const char *message) {
    cg_report(l->diags, id, at, "%s", message);
    l->is_stopped = true;
}

/* What libyaml says, and how one would say it to whom it happened; the note then shows where the thing began. */
static const struct {
    const char *problem, *words;
} yaml_words[] = {
    {"mapping values are not allowed in this context",
     "a ':' that cannot stand here: quote a text that holds ': ', or see whether the line before lacks its ': '"},
    {"did not find expected key", "this is indented unlike its neighbours: the entries of a map begin in one column"},
    {"did not find expected '-' indicator",
     "this is indented unlike its neighbours: the items of a list begin in one column"},
    {"did not find expected ',' or '}'",
     "a ',' or '}' is missing here; a text that holds any of : , { } [ ] needs quotes"},
    {"did not find expected ',' or ']'",
     "a ',' or ']' is missing here; a text that holds any of : , { } [ ] needs quotes"},
    {"could not find expected ':'", "a key needs ': ' behind it"},
    {"found unexpected end of stream", "the file ends inside a quoted text"},
    {"while parsing a flow mapping", "the {...} begins here"},
    {"while parsing a flow sequence", "the [...] begins here"},
    {"while parsing a block mapping", "the map begins here"},
    {"while parsing a block collection", "the list begins here"},
    {"while scanning a simple key", "the key is this"},
    {"while scanning a quoted scalar", "the quotes open here"},
};

static const char *in_words(const char *problem) {
    for (size_t i = 0; i < sizeof yaml_words / sizeof yaml_words[0]; i++) {
        if (strcmp(yaml_words[i].problem, problem) == 0) return yaml_words[i].words;
    }
    return problem;
}

/* A character that begins no value. */
static const char *problem_at(const loader *l, uint32_t at, const char *problem) {
    const char c = at < l->source->length ? l->source->text[at] : '\0';
    if (strcmp(problem, "found character that cannot start any token") != 0) return in_words(problem);
    if (c == '\t') return "a tab cannot indent: use spaces";
    return cg_arena_format(l->arena, "'%c' cannot begin a value: put the text in quotes", c);
}

static void report_yaml_error(loader *l) {
    const yaml_parser_t *parser = &l->parser;
    const uint32_t at = cg_source_offset(l->source, parser->problem_mark.index);
    const char *problem = parser->problem == NULL ? "unreadable" : parser->problem;
    if (parser->error == YAML_MEMORY_ERROR) cg_arena_out_of_memory(l->arena);
    if (parser->error == YAML_READER_ERROR) {
        const uint32_t byte = parser->problem_offset < l->source->length ? (uint32_t)parser->problem_offset : 0;
        stop(l, CG_E_YAML, (cg_span){byte, byte + 1}, problem);
        return;
    }
    cg_report(l->diags, CG_E_YAML, (cg_span){at, at + 1}, "%s", problem_at(l, at, problem));
    if (parser->context != NULL && parser->context_mark.index != parser->problem_mark.index) {
        const uint32_t context = cg_source_offset(l->source, parser->context_mark.index);
        cg_note(l->diags, (cg_span){context, context + 1}, "%s", in_words(parser->context));
    }
    l->is_stopped = true;
}

/* Looks at the next event. After a stop there is none: then the event is of no type. */
static yaml_event_type_t look(loader *l) {
    if (!l->has_event && !l->is_stopped) {
        l->has_event = yaml_parser_parse(&l->parser, &l->event) == 1;
        if (!l->has_event) report_yaml_error(l);
    }
    return l->has_event && !l->is_stopped ? l->event.type : YAML_NO_EVENT;
}

static void pass(loader *l) {
    if (l->has_event) yaml_event_delete(&l->event);
    l->has_event = false;
}

static cg_node *new_node(loader *l, cg_node_kind kind) {
    cg_node *node = CG_NEW(l->arena, cg_node);
    node->kind = kind;
    node->span = event_span(l);
    if (++l->node_count > CG_NODES_MAX) stop(l, CG_E_SIZE, node->span, "the contract has too many values");
    return node;
}

static void refuse_decoration(loader *l, const yaml_char_t *anchor, const yaml_char_t *tag) {
    cg_span at = event_span(l);
    if (anchor != NULL) cg_report(l->diags, CG_E_ANCHOR, at, "anchors are not part of the contract language");
    if (tag != NULL) cg_report(l->diags, CG_E_TAG, at, "tags are not part of the contract language");
}

static cg_node *read_scalar(loader *l) {
    cg_node *node = new_node(l, CG_SCALAR);
    const char *text = (const char *)l->event.data.scalar.value;
    const size_t length = l->event.data.scalar.length;
    refuse_decoration(l, l->event.data.scalar.anchor, l->event.data.scalar.tag);
    node->text = "";
    node->is_bad = true;
    if (length > CG_SCALAR_MAX) {
        cg_report(l->diags, CG_E_SIZE, node->span, "one text may have at most %d bytes", CG_SCALAR_MAX);
    } else if (memchr(text, '\0', length) != NULL) {
        cg_report(l->diags, CG_E_NUL, node->span, "text may not hold a NUL character");
    } else {
        node->text = cg_arena_copy(l->arena, text, length);
        node->length = (uint32_t)length;
        node->is_bad = false;
    }
    pass(l);
    return node;
}

static cg_node *read_alias(loader *l) {
    cg_node *node = new_node(l, CG_SCALAR);
    cg_report(l->diags, CG_E_ANCHOR, node->span, "aliases are not part of the contract language: write the value out");
    node->text = "";
    node->is_bad = true;
    pass(l);
    return node;
}

/* Enters a map or list; false when it is nested too deeply. */
static bool enter(loader *l, const cg_node *node) {
    refuse_decoration(l,
                      node->kind == CG_MAP ? l->event.data.mapping_start.anchor : l->event.data.sequence_start.anchor,
                      node->kind == CG_MAP ? l->event.data.mapping_start.tag : l->event.data.sequence_start.tag);
    pass(l);
    if (++l->depth > CG_DEPTH_MAX) stop(l, CG_E_DEPTH, node->span, "the contract is nested too deeply");
    return !l->is_stopped;
}

/* Leaves it. A block map ends where the next token starts, so its last entry says better how far it goes. */
static void leave(loader *l, cg_node *node, const cg_node *last) {
    if (look(l) != YAML_NO_EVENT) {
        const cg_span end = event_span(l);
        if (end.end > end.start)
            node->span.end = end.end;
        else if (last != NULL)
            node->span.end = last->span.end;
        pass(l);
    }
    l->depth--;
}

static void append(cg_node *parent, cg_node **last, cg_node *child) {
    *(*last == NULL ? &parent->first : &(*last)->next) = child;
    *last = child;
    parent->count++;
}

static cg_node *read_list(loader *l) {
    cg_node *list = new_node(l, CG_LIST), *last = NULL;
    if (!enter(l, list)) return list;
    while (look(l) != YAML_SEQUENCE_END_EVENT && look(l) != YAML_NO_EVENT) append(list, &last, read_node(l));
    leave(l, list, last);
    return list;
}

/* Whether the node that was read may be a key; reports what it is not. */
static bool is_key(loader *l, const cg_node *key, bool is_plain) {
    if (key->is_bad) return false;
    if (key->kind != CG_SCALAR || key->length == 0) {
        cg_report(l->diags, CG_E_KEY_KIND, key->span, "a key must be plain text");
        return false;
    }
    if (is_plain && strcmp(key->text, "<<") == 0) {
        cg_report(l->diags, CG_E_ANCHOR, key->span, "merge keys are not part of the contract language");
        return false;
    }
    return true;
}

static bool is_first(loader *l, cg_table *seen, const cg_node *key) {
    const cg_node *earlier = cg_table_add(seen, key->text, (void *)(uintptr_t)key);
    if (earlier == key) return true;
    cg_report(l->diags, CG_E_DUPLICATE_KEY, key->span, "the key '%s' stands twice in one map", key->text);
    cg_note(l->diags, earlier->span, "first here");
    return false;
}

static cg_node *read_map(loader *l) {
    cg_node *map = new_node(l, CG_MAP), *last = NULL;
    if (!enter(l, map)) return map;
    cg_table *seen = &l->seen[l->depth];
    seen->arena = l->arena;
    cg_table_clear(seen);
    while (look(l) != YAML_MAPPING_END_EVENT && look(l) != YAML_NO_EVENT) {
        const bool is_plain =
            l->event.type == YAML_SCALAR_EVENT && l->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        const cg_node *key = read_node(l);
        if (look(l) == YAML_NO_EVENT) break; /* the reader was stopped: nobody will see the map */
        cg_node *value = read_node(l);
        value->key = key;
        if (is_key(l, key, is_plain) && is_first(l, seen, key))
            append(map, &last, value);
        else
            map->is_bad = true;
    }
    leave(l, map, last);
    return map;
}

static cg_node *read_node(loader *l) {
    switch (look(l)) {
    case YAML_SCALAR_EVENT: return read_scalar(l);
    case YAML_SEQUENCE_START_EVENT: return read_list(l);
    case YAML_MAPPING_START_EVENT: return read_map(l);
    default: return read_alias(l);
    }
}

static void expect_end(loader *l) {
    while (look(l) == YAML_DOCUMENT_END_EVENT) pass(l);
    if (look(l) == YAML_DOCUMENT_START_EVENT) {
        stop(l, CG_E_DOCUMENTS, event_span(l), "a contract is one document: this is the start of a second one");
    }
}

static cg_node *read_document(loader *l) {
    while (look(l) == YAML_STREAM_START_EVENT || look(l) == YAML_DOCUMENT_START_EVENT) pass(l);
    if (look(l) == YAML_STREAM_END_EVENT) {
        cg_report(l->diags, CG_E_EMPTY, (cg_span){0, 0}, "the file holds no contract");
        return NULL;
    }
    if (look(l) == YAML_NO_EVENT) return NULL;
    cg_node *root = read_node(l);
    expect_end(l);
    return l->is_stopped ? NULL : root;
}

cg_node *cg_load(cg_arena *arena, const cg_source *source, cg_diags *diags) {
    if (source->bad_at < source->length) {
        cg_report(diags, CG_E_UTF8, (cg_span){source->bad_at, source->bad_at + 1}, "the file is not UTF-8: byte 0x%02X",
                  (unsigned char)source->text[source->bad_at]);
        return NULL;
    }
    loader *l = CG_NEW(arena, loader);
    *l = (loader){.arena = arena, .source = source, .diags = diags};
    if (yaml_parser_initialize(&l->parser) != 1) cg_arena_out_of_memory(arena);
    cg_arena_defer(arena, undo_loader, l);
    yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)source->text, source->length);
    return read_document(l);
}

cg_node *cg_entry(const cg_node *map, const char *key) {
    if (map == NULL || map->kind != CG_MAP) return NULL;
    for (cg_node *entry = map->first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->key->text, key) == 0) return entry;
    }
    return NULL;
}

cg_span cg_node_place(const cg_node *node) {
    if (node->key != NULL) return node->key->span;
    if (node->kind != CG_SCALAR && node->first != NULL) {
        const cg_span first = cg_node_place(node->first);
        return (cg_span){node->span.start, first.end};
    }
    return node->span;
}
