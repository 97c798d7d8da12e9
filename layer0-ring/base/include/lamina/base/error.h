/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_ERROR_H
#define LAM_BASE_ERROR_H

/*
 * lamina/base/error.h: the sentence that goes with an error code.
 *
 * Base, floor 0. Calls return negative errno. Control-plane calls (create, attach, open, parse)
 * also take a struct lam_error of the caller's, or NULL, and write what was wrong, where, and what
 * to do. Nothing is thread-local, nothing is allocated. On success the text is left alone.
 */

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_ERROR_TEXT_BYTES 768

struct lam_error {
    char text[LAM_ERROR_TEXT_BYTES]; /* one sentence or a few lines, always terminated */
};

/*
 * Write a formatted sentence into @error, cut short where it does not fit. @error may be NULL.
 *
 * Returns @code, so that a failing function can end in one line:
 *     return lam_error_set(error, -EINVAL, "depth %u is not a power of two", depth);
 */
__attribute__((format(printf, 3, 4))) int lam_error_set(
    struct lam_error *error, int code, const char *format, ...);

/*
 * Put a formatted prefix before the text that @error already holds ("edge steps: no such file").
 * @error may be NULL.
 *
 * Returns @code.
 */
__attribute__((format(printf, 3, 4))) int lam_error_prefix(
    struct lam_error *error, int code, const char *format, ...);

#ifdef __clang_analyzer__
/*
 * Static analysis reads one source at a time. It is told here what error.c does, that the code
 * comes back and is negative, or it would follow paths on which a refused call went on. Compilers
 * never see this.
 */
static inline int lam_error_negative(int code)
{
    if (code >= 0)
        __builtin_unreachable();
    return code;
}
#define lam_error_set(error, code, ...)                                                            \
    (lam_error_set(error, code, __VA_ARGS__), lam_error_negative(code))
#define lam_error_prefix(error, code, ...)                                                         \
    (lam_error_prefix(error, code, __VA_ARGS__), lam_error_negative(code))
#endif

#ifdef __cplusplus
}
#endif

#endif
