/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_PREFETCH_H
#define LAM_BASE_PREFETCH_H

/*
 * lamina/base/prefetch.h: ask for a line that will be written.
 *
 * Base, floor 0. A hint: it changes no memory and never faults. Cores drain stores in order and ask
 * for the lines of only a few of them ahead; who knows which lines come can have more under way.
 */

#include "lamina/base/inline.h"

/* The line at @address will be written soon. */
LAM_INLINE void lam_prefetch_write(const void *address)
{
#if defined(__x86_64__)
    /* By name: compilers make a prefetch for reading of it where the target is plain x86-64. */
    __asm__("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1, 3);
#endif
}

#endif
