/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_slices.c: a place in an arena never leads out of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/runtime/slice.h"

TestSuite(slices, .timeout = 10);

Test(slices, what_lies_within_is_found_and_nothing_else)
{
    uint8_t arena[64];
    struct lam_slice whole = {0, 64}, end = {64, 0}, part = {60, 4};

    cr_assert(lam_slice_at(whole, arena, 64) == arena);
    cr_assert(lam_slice_at(end, arena, 64) == arena + 64);
    cr_assert(lam_slice_at(part, arena, 64) == arena + 60);
    part.bytes = 5;
    cr_assert(lam_slice_at(part, arena, 64) == NULL);
    cr_assert(lam_slice_at((struct lam_slice){65, 0}, arena, 64) == NULL);
    cr_assert(lam_slice_at((struct lam_slice){1, UINT64_MAX}, arena, 64) == NULL);
    cr_assert(lam_slice_at((struct lam_slice){UINT64_MAX, 1}, arena, 64) == NULL);
    cr_assert(lam_slice_at((struct lam_slice){UINT64_MAX, UINT64_MAX}, arena, 64) == NULL);
}

Test(slices, a_part_of_a_slice_is_within_it)
{
    struct lam_slice slice = {10, 20}, part;

    cr_assert(eq(int, lam_slice_part(slice, 5, 15, &part), 1));
    cr_assert(part.offset == 15 && part.bytes == 15);
    cr_assert(eq(int, lam_slice_part(slice, 5, 16, &part), 0));
    cr_assert(eq(int, lam_slice_part(slice, 21, 0, &part), 0));
    cr_assert(eq(int, lam_slice_part(slice, UINT64_MAX, 2, &part), 0));
    slice = (struct lam_slice){UINT64_MAX - 1, 20};
    cr_assert(eq(int, lam_slice_part(slice, 5, 1, &part), 0));
}

Test(slices, a_place_in_an_arena_is_a_slice_of_it)
{
    uint8_t arena[64];
    struct lam_slice slice;

    cr_assert(eq(int, lam_slice_of(arena, 32, arena + 8, 24, &slice), 1));
    cr_assert(slice.offset == 8 && slice.bytes == 24);
    cr_assert(lam_slice_at(slice, arena, 32) == arena + 8);
    cr_assert(eq(int, lam_slice_of(arena, 32, arena + 8, 25, &slice), 0));
    cr_assert(eq(int, lam_slice_of(arena + 8, 32, arena + 7, 1, &slice), 0));
}
