/* tests/support/wire_page.h: what docs/WIRE.md says, to hold code against it. Tests run at the root of the project. */
#ifndef BUFPOOL_TESTS_WIRE_PAGE_H
#define BUFPOOL_TESTS_WIRE_PAGE_H

#include "codegen/arena.h"

/* The whole page. */
const char *bpt_wire_page(cg_arena *arena);

/* The first block behind that heading whose fence says `language`; fails the test when there is none. */
const char *bpt_wire_block(cg_arena *arena, const char *page, const char *heading, const char *language);

#endif
