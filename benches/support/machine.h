/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_MACHINE_H
#define LAM_BENCH_MACHINE_H

/*
 * machine.h: what a bench ran on.
 */

#include <stdint.h>

#define BENCH_MACHINE_TEXT_BYTES 160

/* Ticks that the hypervisor gave to others, all CPUs, since boot; 0 where nobody says. */
uint64_t bench_machine_stolen_ticks(void);

/* "2 CPUs, AMD EPYC, Linux 6.1": CPUs that this process may use, model, kernel. */
void bench_machine_name(char text[BENCH_MACHINE_TEXT_BYTES]);

/* The date of today, "2026-11-21". */
void bench_machine_date(char text[BENCH_MACHINE_TEXT_BYTES]);

#endif
