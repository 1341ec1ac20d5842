#include "codegen/command.h"
#include "codegen/diag.h"
#include "codegen/report.h"

#include <stdio.h>
#include <string.h>

/* The message that was asked for, by its name or as C spells it; NULL when there is none. */
static const cg_message *find_message(const cg_model *model, const char *name) {
    for (size_t i = 0; i < model->message_count; i++) {
        const cg_message *message = &model->messages[i];
        if (strcmp(message->name.text, name) == 0 || strcmp(message->name.snake, name) == 0) return message;
    }
    return NULL;
}

static cg_status refuse_message(const cg_job *job, const cg_model *model, const char *name) {
    cg_guess guess = cg_guess_of(name);
    for (size_t i = 0; i < model->message_count; i++) cg_guess_offer(&guess, model->messages[i].name.text);
    fprintf(stderr, "bufpoolc: the contract has no message '%s'%s\n", name, cg_guess_text(&guess, job->arena));
    return CG_USAGE;
}

static cg_status print_html(const cg_job *job, const cg_model *model, const cg_message *only) {
    const char *error = NULL;
    const char *page = cg_report_html(job->arena, model, only, &error);
    cg_text text = {.arena = job->arena};
    if (page == NULL) {
        fprintf(stderr, "bufpoolc: %s\n", error);
        return CG_FAILED;
    }
    cg_text_add(&text, page, strlen(page));
    return cg_print(&text);
}

cg_status cg_command_report(cg_job *job) {
    cg_status status = CG_OK;
    const char *name = job->options.operands[1];
    const cg_model *model = cg_job_compile(job, &status);
    if (model == NULL) return status;
    const cg_message *only = name == NULL ? NULL : find_message(model, name);
    if (name != NULL && only == NULL) return refuse_message(job, model, name);
    cg_text text = {.arena = job->arena};
    if (strcmp(job->options.format, "html") == 0) return print_html(job, model, only);
    (strcmp(job->options.format, "json") == 0 ? cg_report_json : cg_report_text)(&text, model, only);
    return cg_print(&text);
}
