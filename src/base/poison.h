/* base/poison.h: tells AddressSanitizer and Valgrind which bytes may be touched. Called unconditionally; costs nothing
 * where neither is there. */
#ifndef BUFPOOL_BASE_POISON_H
#define BUFPOOL_BASE_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define BPI_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BPI_HAS_ASAN 1
#endif
#endif

#ifdef BPI_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define BPI_POISON(memory, size) ASAN_POISON_MEMORY_REGION(memory, size)
#define BPI_UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define BPI_POISON(memory, size) ((void)(memory), (void)(size))
#define BPI_UNPOISON(memory, size) ((void)(memory), (void)(size))
#endif

#endif
