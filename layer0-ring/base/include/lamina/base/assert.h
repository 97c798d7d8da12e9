/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_ASSERT_H
#define LAM_BASE_ASSERT_H

/*
 * lamina/base/assert.h: what to do when this process itself is wrong.
 *
 * Base, floor 0. A broken precondition is a programmer's error and aborts, in release too. What
 * another process may have written is input: it is checked and answered with an error, never
 * asserted.
 */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Print "file:line: condition" to standard error and abort. Never returns.
 */
__attribute__((noreturn, cold)) void lam_assert_failed(
    const char *file, int line, const char *condition);

/* Always on. Cheap conditions only. */
#define LAM_ASSERT(condition)                                                                      \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : lam_assert_failed(__FILE__, __LINE__, #condition))

/* Debug builds only (-DLAM_SLOW_ASSERTS=1): walks over whole structures. */
#if defined(LAM_SLOW_ASSERTS) && LAM_SLOW_ASSERTS
#define LAM_ASSERT_SLOW(condition) LAM_ASSERT(condition)
#else
#define LAM_ASSERT_SLOW(condition) ((void)sizeof(condition))
#endif

#ifdef __cplusplus
#define LAM_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define LAM_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#ifdef __cplusplus
}
#endif

#endif
