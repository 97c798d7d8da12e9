/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_INLINE_H
#define LAM_BASE_INLINE_H

/*
 * lamina/base/inline.h: how the hot calls of the layers are defined in their headers.
 *
 * Base, floor 0. What is merely inline is a call again where a program makes it in several places
 * (gcc 12, -O2); the call's own pushes and the reloads around it cost more than the work.
 */
#define LAM_INLINE static inline __attribute__((always_inline))

#endif
