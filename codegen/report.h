/* codegen/report.h: what a contract costs: sizes of messages, classes and what they waste. */
#ifndef BUFPOOL_CODEGEN_REPORT_H
#define BUFPOOL_CODEGEN_REPORT_H

#include "codegen/model.h"
#include "codegen/text.h"

/* Writes the report as a table for people; with a message, its fields as well and nothing of the others. */
void cg_report_text(cg_text *out, const cg_model *model, const cg_message *only);

/* The same as one JSON object. */
void cg_report_json(cg_text *out, const cg_model *model, const cg_message *only);

/* The same as one page, which needs nothing besides: no script, no other file. NULL when a template is wrong, which is
 * a bug of bufpoolc; *error says where. */
const char *cg_report_html(cg_arena *arena, const cg_model *model, const cg_message *only, const char **error);

#endif
