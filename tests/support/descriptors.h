/* tests/support/descriptors.h: the open descriptors of this process. */
#ifndef BUFPOOL_TESTS_DESCRIPTORS_H
#define BUFPOOL_TESTS_DESCRIPTORS_H

/* How many there are; 0 where the system does not tell. */
int bpt_descriptor_count(void);

/* Fills the table of descriptors but for `left` of them: from then on, until they are given back, every call that would
 * make one more fails with EMFILE. */
void bpt_descriptors_take(int left);
void bpt_descriptors_give(void);

#endif
