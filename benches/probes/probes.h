/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_PROBES_H
#define LAM_BENCH_PROBES_H

/*
 * probes.h: what the hardware can do, written by hand, without Lamina.
 *
 * Each probe is a subject like the layers are, and the honest opponent of them: the least code that
 * moves the same bytes the same way. No headers, no many consumers, no death, and except where
 * sleeping is the question no waiting but by spinning with a pause, as the subjects spin.
 */

#include "subject.h"

/* One line, written by both sides in turn: where the CPUs lie to each other. */
extern const struct bench_subject bench_probe_bounce1;

/* Two lines, one for each direction, one word in each. */
extern const struct bench_subject bench_probe_bounce2;

/* Two buffers, one for each direction: a word that says "new", and the payload behind it. */
extern const struct bench_subject bench_probe_buffer2;

/*
 * A ring of slots with the sequence in the slot, stored last: the reader polls the line that it
 * then reads. One writer; each reader has a cursor on lines of its own that holds the writer back.
 */
extern const struct bench_subject bench_probe_stamped;

/* A ring of slots with the writer's cursor beside it: the classic queue with cached cursors. */
extern const struct bench_subject bench_probe_cursor;

/*
 * A copy to the places that the messages would have in the ring; readers are told when to look.
 */
extern const struct bench_subject bench_probe_memcpy;

/* A stamped ring whose many writers claim their slots by an atomic addition; one reader. */
extern const struct bench_subject bench_probe_claimed;

/* Stores to the slots of a stamped ring that nobody reads. */
extern const struct bench_subject bench_probe_stores;

/* Two buffers whose readers sleep on a futex at once. */
extern const struct bench_subject bench_probe_sleeper;

#endif
