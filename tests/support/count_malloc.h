/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SUPPORT_COUNT_MALLOC_H
#define LAM_TESTS_SUPPORT_COUNT_MALLOC_H

/*
 * count_malloc.h: takes the place of the allocator in a program that includes it, and counts. To be
 * included once, in a program of one thread. Not under a sanitizer, which has its own.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *memory);

static uint64_t malloc_calls;

void *malloc(size_t size)
{
    malloc_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    malloc_calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    malloc_calls++;
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    malloc_calls++;
    return __libc_memalign(align, size);
}

int posix_memalign(void **memory, size_t align, size_t size)
{
    malloc_calls++;
    *memory = __libc_memalign(align, size);
    return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    malloc_calls += memory != NULL;
    __libc_free(memory);
}

#endif
