/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HOSTILE_PREY_H
#define TEST_HOSTILE_PREY_H

/*
 * The hostile one: rings as it maps them, all bytes of both objects for writing, and what it writes
 * there. It knows the layout, and what would hurt: words near each wrap, sizes, states, places of
 * others, events that were never published. It also writes any byte anywhere.
 */

#include <stdint.h>

#include "lamina/ring/ring.h"

#define PREY_MAX 4

/* Map both objects of @ring, by its descriptors. From now on they are written to. */
void prey_add(const struct lam_ring *ring);

/* Unmap all. */
void prey_drop(void);

/* A sequence that some end has just been at: words near it hurt more. */
void prey_hint(uint64_t sequence);

/* Find out where the ends are, from the rings themselves. */
void prey_look(void);

/* Change some bytes of one ring: one mutation. */
void prey_mutate(void);

/* Change the event at @sequence of the ring that was added as number @at, just before a look. */
void prey_forge(uint32_t at, uint64_t sequence);

/*
 * After a call: take back what was changed during it and nobody has written since; now and then a
 * change is left standing for a while. So the rings live on, and more is come to than errors.
 */
void prey_undo(void);

/* Change a word of an object that is being made in @folder, where it is staged or has its name. */
void prey_strike(const char *folder);

/* Mutations, ever. */
uint64_t prey_count(void);

/* Of @object, 0 data and 1 control: a place that means something, and words for it. */
struct prey_field {
    uint32_t object;
    uint32_t offset;
    uint32_t width;  /* bytes */
    uint32_t stride; /* to the next one of an array */
    uint32_t count;
    enum prey_kind {
        PREY_WORD,
        PREY_SEQUENCE,
        PREY_STATE,
        PREY_INDEX,
        PREY_BITS,
        PREY_TIME,
        PREY_CLAIM,
        PREY_TEXT,
    } kind;
};
extern const struct prey_field prey_fields[];
extern const uint32_t prey_field_count;

#endif
