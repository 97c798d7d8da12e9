/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: counts at which something could wrap, fill or run empty are as good as others. Method: so
 * many events pass to a child, which sees each of them once and in order.
 */
#include "one_ring.h"

TestSuite(boundaries, .timeout = 60);

static void pass_through(uint64_t depth, uint64_t count, uint64_t first_sequence)
{
    struct lam_ring_consumer_options options = {.name = "a", .start = LAM_RING_OLDEST};
    struct child_log *log = make_log();
    pid_t child;

    open_ring_at(depth, first_sequence);
    child = start_child(log, &options, UINT64_MAX);
    await_word(&log->ready, 1);
    while (published < count)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), count));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    close_ring();
    (void)munmap(log, 4096);
}

Test(boundaries, as_many_events_as_16_bits_count_and_one_less_and_more)
{
    for (uint64_t count = 65535; count <= 65537; count++)
        pass_through(512, count, UINT64_MAX - 65536);
}

Test(boundaries, the_rings_depth_and_its_multiples)
{
    for (uint64_t depth = 256; depth <= 4096; depth *= 4) {
        pass_through(depth, depth - 1, UINT64_MAX - 2);
        pass_through(depth, depth, (UINT64_C(1) << 32) - 3);
        pass_through(depth, 2 * depth, (UINT64_C(1) << 63) - 3);
        pass_through(depth, 10 * depth, UINT64_MAX - 2 * depth);
    }
}

Test(boundaries, a_ring_of_two_cells_passes_events_one_by_one)
{
    pass_through(2, 2000, UINT64_MAX - 2);
}
