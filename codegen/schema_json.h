/* codegen/schema_json.h: the shape of a contract as others read it: editors, and people. */
#ifndef BUFPOOL_CODEGEN_SCHEMA_JSON_H
#define BUFPOOL_CODEGEN_SCHEMA_JSON_H

#include "codegen/schema.h"
#include "codegen/text.h"

/* A JSON Schema, draft 7, of what keys.def says: as much of a contract as structure can tell. */
void cg_schema_json(cg_text *out);

/* The tables of docs/CONTRACTS.md, each between the comments that `make docs` looks for. */
void cg_schema_markdown(cg_text *out);

#endif
