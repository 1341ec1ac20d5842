/* tests/support/os_pieces.h: the pieces of memory that the library holds, counted at its seam to the system. */
#ifndef BUFPOOL_TESTS_OS_PIECES_H
#define BUFPOOL_TESTS_OS_PIECES_H

/* Counts from here on; no pool may exist. What threads keep for themselves is to be there already, and what was taken
 * before is not given back meanwhile. */
void bpt_os_pieces_begin(void);

/* Pieces that were taken since and not given back; ends the count. */
long bpt_os_pieces_end(void);

#endif
