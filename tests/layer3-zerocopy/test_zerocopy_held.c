/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window between releases in any order and a ring that takes back in order: against a list of
 * flags, over random orders, at every width of the window.
 */
#include "lamina/zerocopy/held.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>

TestSuite(held, .timeout = 20);

/* A message's end, told from its number: nothing that could be mixed up with it. */
static uint64_t end_of(uint64_t number)
{
    return number * 1000 + 7;
}

Test(held, in_order_each_release_hands_its_message_back)
{
    struct lam_zerocopy_held held;
    uint64_t end;

    lam_zerocopy_held_init(&held);
    for (uint64_t number = 0; number < 300; number++) {
        cr_assert(eq(u64, lam_zerocopy_held_add(&held, end_of(number)), number));
        cr_assert(eq(int, lam_zerocopy_held_drop(&held, number, &end), 1));
        cr_assert(eq(u64, end, end_of(number)));
    }
}

Test(held, all_64_released_in_reverse_come_back_with_the_last)
{
    struct lam_zerocopy_held held;
    uint64_t end;

    lam_zerocopy_held_init(&held);
    for (int round = 0; round < 5; round++) {
        uint64_t first = (uint64_t)round * LAM_ZEROCOPY_HELD_MAX;

        for (uint64_t i = 0; i < LAM_ZEROCOPY_HELD_MAX; i++) {
            cr_assert(not(lam_zerocopy_held_is_full(&held)));
            cr_assert(eq(u64, lam_zerocopy_held_add(&held, end_of(first + i)), first + i));
        }
        cr_assert(lam_zerocopy_held_is_full(&held));
        for (uint64_t i = LAM_ZEROCOPY_HELD_MAX; i-- > 1;)
            cr_assert(eq(int, lam_zerocopy_held_drop(&held, first + i, &end), 0));
        cr_assert(eq(int, lam_zerocopy_held_drop(&held, first, &end), 1));
        cr_assert(eq(u64, end, end_of(first + LAM_ZEROCOPY_HELD_MAX - 1)));
        cr_assert(eq(u32, held.count, 0));
    }
}

/* The list: what a reader of ten lines would write. */
struct list {
    uint64_t first;
    uint64_t next;
    uint8_t released[20000];
};

static int list_drop(struct list *list, uint64_t number, uint64_t *end)
{
    uint64_t before = list->first;

    list->released[number] = 1;
    while (list->first < list->next && list->released[list->first])
        list->first++;
    *end = end_of(list->first - 1);
    return list->first != before;
}

Test(held, any_order_agrees_with_a_plain_list)
{
    static struct list list;
    struct lam_zerocopy_held held;
    uint64_t seed = 88172645463325252u;

    lam_zerocopy_held_init(&held);
    while (list.next < 20000) {
        uint64_t width, number, found, expected;
        int moved;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        width = 1 + list.next / 313; /* from narrow to the full window */
        if (held.count < width && (seed & 1) != 0) {
            lam_zerocopy_held_add(&held, end_of(list.next++));
            continue;
        }
        if (held.count == 0)
            continue;
        number = list.first + (seed >> 8) % held.count;
        if (list.released[number])
            continue;
        moved = list_drop(&list, number, &expected);
        cr_assert(eq(int, lam_zerocopy_held_drop(&held, number, &found), moved));
        if (moved)
            cr_assert(eq(u64, found, expected));
        cr_assert(eq(u64, held.first, list.first));
        cr_assert(eq(u64, held.count, list.next - list.first));
    }
}

Test(held, a_message_released_twice_aborts, .signal = SIGABRT)
{
    struct lam_zerocopy_held held;
    uint64_t end;

    lam_zerocopy_held_init(&held);
    lam_zerocopy_held_add(&held, 1);
    lam_zerocopy_held_add(&held, 2);
    lam_zerocopy_held_drop(&held, 1, &end);
    lam_zerocopy_held_drop(&held, 1, &end);
}

Test(held, a_message_that_was_handed_back_can_not_be_released_again, .signal = SIGABRT)
{
    struct lam_zerocopy_held held;
    uint64_t end;

    lam_zerocopy_held_init(&held);
    lam_zerocopy_held_add(&held, 1);
    lam_zerocopy_held_add(&held, 2);
    lam_zerocopy_held_drop(&held, 0, &end);
    lam_zerocopy_held_drop(&held, 0, &end);
}
