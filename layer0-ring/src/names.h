/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_NAMES_H
#define LAM_RING_NAMES_H

/*
 * The names of a ring's objects, and the rules by which they come and go.
 *
 * They appear complete or not at all, control first, data last. They go data first, control last,
 * and only by the hand of who holds the replace lock of the control object that has the name: so
 * of those who replace, destroy and clean nobody ever takes away a name that is another's by now.
 *
 * An end takes its own lock first and then looks at the replace lock; who takes away looks at the
 * ends' locks after it has taken the replace lock. One of the two always sees the other.
 */

#include "layout.h"

/* Nothing open. */
void lam_ring_clear(struct lam_ring *ring);

/* "lamina.NAME.control" and "lamina.NAME.data". @file holds LAM_SEGMENT_NAME_MAX + 1 bytes. */
void lam_ring_control_file(char *file, const char *name);
void lam_ring_data_file(char *file, const char *name);

/* Wait for what others do in the meantime: a nap of a millisecond. */
void lam_ring_nap(void);

/*
 * Take the replace lock of @control, waiting up to two seconds. Returns 0, -EBUSY or -errno.
 */
int lam_ring_take_replace(struct lam_lock *replace, const struct lam_segment *control);

/* Say which end keeps the ring behind @control alive. Returns -EEXIST, or 0: nobody does. */
int lam_ring_name_the_living(
    const struct lam_segment *control, const char *name, struct lam_error *error);

/*
 * Remove both names. The caller holds the replace lock of @control. Returns 0 or -errno; 0 too when
 * @control has no name any more.
 */
int lam_ring_remove_names(
    const struct lam_segment *control, const char *data_path, struct lam_error *error);

/* Give both objects of a created ring their names. Returns 0, -EEXIST or -errno. */
int lam_ring_appear(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error);

/*
 * For an end that has just taken its lock: is the ring still the one of its name? Returns 0, or
 *   -ENOENT its name was taken away, or is another ring's by now
 *   -EBUSY  somebody is at it, and does not come to an end
 */
int lam_ring_confirm(const struct lam_ring *ring, struct lam_error *error);

/* Open, check and map, without waiting. Returns as lam_ring_attach(). */
int lam_ring_attach_once(
    struct lam_ring *ring, const struct lam_ring_attach_options *options, struct lam_error *error);

/*
 * A file ring of an earlier boot, mapped for writing: keep what its CRCs vouch for. Returns 0,
 * also when there was nothing to do, or -EBUSY, -errno.
 */
int lam_ring_revive(struct lam_ring *ring, struct lam_error *error);

/* 1: the file ring was written last in an earlier boot, and has not been revived. */
int lam_ring_is_of_earlier_boot(const struct lam_ring_data *data);

/*
 * Make both objects of a ring, filled, and held by the creator's lock. Returns 0, or an error of
 * lam_ring_create(); what was made until then is @ring's to detach.
 */
int lam_ring_create_objects(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error);

#endif
