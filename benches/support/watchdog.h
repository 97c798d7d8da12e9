/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_WATCHDOG_H
#define LAM_BENCH_WATCHDOG_H

/*
 * watchdog.h: no order of a bench lasts minutes: one that does hangs, and must not do so for ever.
 */

#include "crew.h"

/* Seconds; the options make it less where windows are short. */
extern unsigned bench_watchdog_s;

/*
 * Side 0: from now on the crew has so long until the next call. Then a line on standard error names
 * the subject, the order and the sides that are not done, and the process ends with 1; its children
 * end with it.
 */
void bench_watchdog_set(const struct bench_crew *crew);

/* The crew is done. */
void bench_watchdog_end(void);

#endif
