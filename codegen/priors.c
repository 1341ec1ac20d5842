/* required_prior_messages: which messages must have come before which. */
#include "codegen/build.h"
#include "codegen/schema.h"

#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------------------ */

static void report_unknown(cg_builder *b, const cg_node *name) {
    const cg_model *model = b->model;
    for (size_t i = 0; i < model->retired_count; i++) {
        if (strcmp(model->retired[i].name.text, name->text) != 0) continue;
        cg_report(b->diags, CG_E_PRIOR_UNKNOWN, name->span, "'%s' is retired: it never comes", name->text);
        cg_note(b->diags, cg_node_place(model->retired[i].at), "retired here");
        return;
    }
    cg_guess guess = cg_guess_of(name->text);
    const bool is_guessing = b->guess_count++ < CG_GUESSES_MAX;
    for (size_t i = 0; i < model->message_count && is_guessing; i++) {
        cg_guess_offer(&guess, model->messages[i].name.text);
    }
    cg_report(b->diags, CG_E_PRIOR_UNKNOWN, name->span, "unknown message '%.64s'", name->text);
    cg_suggest(b->diags, &guess);
}

static void read_prior(cg_builder *b, const cg_table *by_name, cg_table *seen, cg_message *message,
                       const cg_node *name) {
    cg_message *prior = cg_table_find(by_name, name->text);
    const cg_node *first = cg_table_add(seen, name->text, (void *)(uintptr_t)name);
    if (first != name) {
        cg_report(b->diags, CG_E_PRIOR_TWICE, name->span, "'%.64s' stands twice", name->text);
        cg_note(b->diags, first->span, "first here");
    } else if (prior == NULL) {
        report_unknown(b, name);
    } else {
        prior->is_required = true;
        message->priors[message->prior_count++] = (cg_prior){.message = prior, .at = name};
    }
}

static void read_priors(cg_builder *b, const cg_table *by_name, cg_message *message) {
    const cg_node *names = cg_good_entry(message->at, "required_prior_messages");
    cg_table seen = {.arena = b->arena};
    if (names == NULL) return;
    message->priors = CG_NEW_ARRAY(b->arena, cg_prior, names->count);
    for (const cg_node *name = names->first; name != NULL; name = name->next) {
        if (!name->is_bad) read_prior(b, by_name, &seen, message, name);
    }
}

/* ---- circles ---------------------------------------------------------------------------------------------------- */

/* A walk from message to required message, without recursion: a contract may chain as many as it has. */
typedef struct step {
    const cg_message *message;
    size_t next; /* prior to be looked at */
} step;

typedef struct walk {
    cg_builder *builder;
    enum { UNSEEN, ON_PATH, DONE } * states; /* by index of the message */
    step *path;
    size_t depth;
} walk;

static void report_circle(const walk *w, const cg_prior *closing) {
    const step *last = &w->path[w->depth - 1];
    if (closing->message == last->message) {
        cg_report(w->builder->diags, CG_E_PRIOR_CIRCLE, closing->at->span,
                  "'%s' requires itself: none could come first", last->message->name.text);
        return;
    }
    size_t i = w->depth - 1;
    while (w->path[i].message != closing->message) i--;
    cg_report(w->builder->diags, CG_E_PRIOR_CIRCLE, closing->at->span,
              "'%s' requires '%s', which requires '%s'%s: none of them could come first", last->message->name.text,
              closing->message->name.text, last->message->name.text, w->depth - i > 2 ? " in turn" : "");
    const cg_prior *opening = &w->path[i].message->priors[w->path[i].next - 1];
    cg_note(w->builder->diags, opening->at->span, "here '%s' requires '%s'", closing->message->name.text,
            opening->message->name.text);
}

static void enter(walk *w, const cg_message *message) {
    w->states[message - w->builder->model->messages] = ON_PATH;
    w->path[w->depth++] = (step){.message = message};
}

static void take_step(walk *w) {
    step *top = &w->path[w->depth - 1];
    if (top->next == top->message->prior_count) {
        w->states[top->message - w->builder->model->messages] = DONE;
        w->depth--;
        return;
    }
    const cg_prior *prior = &top->message->priors[top->next++];
    switch (w->states[prior->message - w->builder->model->messages]) {
    case UNSEEN: enter(w, prior->message); break;
    case ON_PATH: report_circle(w, prior); break;
    case DONE: break;
    }
}

static void refuse_circles(cg_builder *b) {
    const size_t count = b->model->message_count;
    walk w = {.builder = b, .path = CG_NEW_ARRAY(b->arena, step, count)};
    w.states = cg_arena_array(b->arena, count, sizeof *w.states);
    for (size_t i = 0; i < count; i++) {
        if (w.states[i] == UNSEEN) enter(&w, &b->model->messages[i]);
        while (w.depth != 0) take_step(&w);
    }
}

void cg_priors_read(cg_builder *builder) {
    const cg_model *model = builder->model;
    cg_table by_name = {.arena = builder->arena};
    for (size_t i = 0; i < model->message_count; i++) {
        cg_table_add(&by_name, model->messages[i].name.text, &model->messages[i]);
    }
    for (size_t i = 0; i < model->message_count; i++) read_priors(builder, &by_name, &model->messages[i]);
    refuse_circles(builder);
}
