/* base/poison.h: tells AddressSanitizer and Valgrind which bytes may be touched. Called unconditionally; costs nothing
 * where neither is there.
 *
 * POISON: nobody may touch these bytes. UNPOISON: they may be written, and read once written. ROOT_ADD: memory of our
 * own mapping points at allocations, which are therefore no leaks. DEFINED: bytes that may be touched are read although
 * nobody has written them, on purpose. IS_WATCHED: whether any of this has an effect. */
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

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#define BPI_HAS_VALGRIND 1
#endif
#endif

#if defined(BPI_HAS_ASAN)

#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define BPI_POISON(memory, size) ASAN_POISON_MEMORY_REGION(memory, size)
#define BPI_UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#define BPI_DEFINED(memory, size) ((void)(memory), (void)(size))
#define BPI_ROOT_ADD(memory, size) __lsan_register_root_region(memory, size)
#define BPI_ROOT_REMOVE(memory, size) __lsan_unregister_root_region(memory, size)
#define BPI_IS_WATCHED() 1

#elif defined(BPI_HAS_VALGRIND)

#include <valgrind/memcheck.h>
#define BPI_POISON(memory, size) ((void)VALGRIND_MAKE_MEM_NOACCESS(memory, size))
#define BPI_UNPOISON(memory, size) ((void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size))
#define BPI_DEFINED(memory, size) ((void)VALGRIND_MAKE_MEM_DEFINED(memory, size))
#define BPI_ROOT_ADD(memory, size) ((void)(memory), (void)(size))
#define BPI_ROOT_REMOVE(memory, size) ((void)(memory), (void)(size))
#define BPI_IS_WATCHED() (RUNNING_ON_VALGRIND != 0)

#else

#define BPI_POISON(memory, size) ((void)(memory), (void)(size))
#define BPI_UNPOISON(memory, size) ((void)(memory), (void)(size))
#define BPI_DEFINED(memory, size) ((void)(memory), (void)(size))
#define BPI_ROOT_ADD(memory, size) ((void)(memory), (void)(size))
#define BPI_ROOT_REMOVE(memory, size) ((void)(memory), (void)(size))
#define BPI_IS_WATCHED() 0

#endif

#endif
