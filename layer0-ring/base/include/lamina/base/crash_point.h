/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_CRASH_POINT_H
#define LAM_BASE_CRASH_POINT_H

/*
 * lamina/base/crash_point.h: named places at which a test kills a process.
 *
 * Base, floor 0. A process may die between any two instructions; the places that matter are where
 * two stores that belong together are apart. They carry names, so that a test can have a peer die
 * at each of them (tests/layer0-ring, crash points). In a library that is built as usual the macro
 * is nothing.
 */

#ifdef LAM_CRASH_POINTS

#ifdef __cplusplus
extern "C" {
#endif

/* The test's: it dies here, or returns. @label: AREA.PLACE, as "commit.stamp_stored". */
void lam_crash_point(const char *label);

#ifdef __cplusplus
}
#endif

#define LAM_CRASH_POINT(label) lam_crash_point(label)
#else
#define LAM_CRASH_POINT(label) ((void)0)
#endif

#endif
