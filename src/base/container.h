/* base/container.h: how much memory the container gives us, as cgroup v2 has it. */
#ifndef BUFPOOL_BASE_CONTAINER_H
#define BUFPOOL_BASE_CONTAINER_H

#include <stdint.h>

/* The least memory.max, in bytes, of the control group that membership_file (/proc/self/cgroup) names and of all above
 * it, up to root (/sys/fs/cgroup); 0: none of them has one that can be read. */
uint64_t bpi_container_read(const char *membership_file, const char *root);

#endif
