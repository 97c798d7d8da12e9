/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/memory.h"

#include <stddef.h>

/* Their names are the linker's. NOLINTBEGIN(readability-identifier-naming) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static int is_on;
static uint64_t calls;

int memory_count(int is_counted)
{
    int before = is_on;

    is_on = is_counted;
    return before;
}

uint64_t memory_calls(void)
{
    return calls;
}

void *__wrap_malloc(size_t size)
{
    calls += (uint64_t)is_on;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls += (uint64_t)is_on;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    calls += (uint64_t)is_on;
    return __real_realloc(old, size);
}
/* NOLINTEND(readability-identifier-naming) */
