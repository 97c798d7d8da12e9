/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The round's ring: of a geometry that makes laps short, named, in the worker's own directory.
 */
#include "crash.h"

struct crash_round crash;
struct lam_ring crash_ring;
struct lam_error crash_error;

void crash_make_ring(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {
        .backing = crash_is(CRASH_FILE) ? LAM_BACKING_FILE : LAM_BACKING_NAMED,
        .name = crash.name,
        .directory = crash.directory,
        .depth = CRASH_DEPTH,
        .producers = producers,
        .first_sequence = crash.first};

    /* A ring whose ends never sleep goes other ways; a quarter of the rounds take it. */
    options.waiting = crash_is(CRASH_SLEEPY | CRASH_FULL) || crash.random % 4 != 0
                          ? LAM_RING_MAY_SLEEP
                          : LAM_RING_SPIN_ONLY;
    TEST_OK(lam_ring_create(&crash_ring, &options, &crash_error), crash_error);
}

void crash_destroy_ring(void)
{
    crash_check_ring(&crash_ring);
    crash_check_places(&crash_ring);
    TEST_OK(lam_ring_destroy(&crash_ring), crash_error);
    TEST_CHECK(crash_count_files() == 0);
}

struct lam_ring *crash_attach(void)
{
    static struct lam_ring attached;
    struct lam_ring_attach_options options = {
        .name = crash.name, .directory = crash.directory, .access = LAM_ACCESS_WRITE};

    if ((crash.random >> 21) % 2 == 0)
        return &crash_ring;
    TEST_OK(lam_ring_attach(&attached, &options, &crash_error), crash_error);
    return &attached;
}
