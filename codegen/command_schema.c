#include "codegen/command.h"
#include "codegen/schema_json.h"

#include <string.h>

cg_status cg_command_schema(cg_job *job) {
    cg_text text = {.arena = job->arena};
    (strcmp(job->options.format, "json") == 0 ? cg_schema_json : cg_schema_markdown)(&text);
    return cg_print(&text);
}
