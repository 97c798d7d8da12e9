/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_VERSION_H
#define LAM_RUNTIME_VERSION_H

/*
 * lamina/runtime/version.h: versions, their order, and ranges of them.
 *
 * Runtime, floor 6. A version is MAJOR.MINOR.PATCH, three numbers up to 65535, compared one after
 * the other. There are no pre-releases and no build numbers: a text with either is refused, so that
 * nobody is surprised by their order.
 *
 *     1.2.3  =1.2.3       that one           1.2  =1.2   every 1.2.x       1    every 1.x.y
 *     ^1.2.3              from it on, below the next of its first number that is not zero: <2.0.0
 *     ^0.2.3  ^0.0.3      <0.3.0, <0.0.4     ^0   <1.0.0
 *     ~1.2.3              from it on, below 1.3.0; ~1 below 2.0.0
 *     >=1.2  >1.2  <2  <=1.2   what lacks is zero for >= and <; > and <= go past every 1.2.x
 *     *  or nothing       any version
 *     >=1.2.0, <2         with commas or spaces between: all of them hold
 */

#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "65535.65535.65535" and its terminator. */
#define LAM_VERSION_TEXT_BYTES 18

/* Versions from low on, below high, each as a number that has their order. */
struct lam_range {
    uint64_t low;
    uint64_t high;
};

/* Below zero, zero or above it, as @a is older than @b, the same, or newer. */
int lam_version_compare(struct lam_version a, struct lam_version b);

/* Returns 0 and sets *@version, or -EINVAL @text is not exactly three numbers. */
int lam_version_parse(const char *text, struct lam_version *version);

/* @text gets MAJOR.MINOR.PATCH. Returns @text. */
const char *lam_version_format(struct lam_version version, char text[LAM_VERSION_TEXT_BYTES]);

/*
 * What @text says; NULL is any version.
 *
 * Returns 0 and sets *@range, or -EINVAL: it is no range, or no version is in it; @error says what
 * was found.
 */
int lam_range_parse(struct lam_range *range, const char *text, struct lam_error *error);

/* Is @version in @range? 1 or 0. */
int lam_range_has(const struct lam_range *range, struct lam_version version);

#ifdef __cplusplus
}
#endif

#endif
