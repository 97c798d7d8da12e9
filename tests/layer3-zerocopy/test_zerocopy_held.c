/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table between releases in any order and a ring that takes back in order: against a list of
 * flags, over random orders, at every count of held messages.
 */
#include "lamina/zerocopy/held.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

TestSuite(held, .timeout = 20);

/* A message's end, told from its id: nothing that could be mixed up with it. */
static uint64_t end_of(uint64_t id)
{
    return id * 1000 + 7;
}

Test(held, in_order_each_release_hands_its_message_back)
{
    struct lam_zerocopy_held held;
    uint64_t end;

    lam_zerocopy_held_init(&held);
    for (uint64_t id = 0; id < 300; id++) {
        uint32_t place = lam_zerocopy_held_add(&held, id, end_of(id));

        cr_assert(eq(int, lam_zerocopy_held_drop(&held, place, id, &end), 1));
        cr_assert(eq(u64, end, end_of(id)));
    }
}

Test(held, all_64_released_in_reverse_come_back_with_the_last)
{
    struct lam_zerocopy_held held;
    uint32_t places[LAM_ZEROCOPY_HELD_MAX];
    uint64_t end;

    lam_zerocopy_held_init(&held);
    for (uint64_t first = 0; first < 640; first += 64) {
        for (uint64_t i = 0; i < 64; i++) {
            cr_assert(not(lam_zerocopy_held_is_full(&held)));
            places[i] = lam_zerocopy_held_add(&held, first + i, end_of(first + i));
        }
        cr_assert(lam_zerocopy_held_is_full(&held));
        for (uint64_t i = 64; i-- > 1;)
            cr_assert(eq(int, lam_zerocopy_held_drop(&held, places[i], first + i, &end), 0));
        cr_assert(eq(int, lam_zerocopy_held_drop(&held, places[0], first, &end), 1));
        cr_assert(eq(u64, end, end_of(first + 63)));
        cr_assert(eq(u32, lam_zerocopy_held_count(&held), 0));
    }
}

Test(held, one_message_may_stay_while_any_number_pass)
{
    struct lam_zerocopy_held held;
    uint64_t end;
    uint32_t old;

    lam_zerocopy_held_init(&held);
    old = lam_zerocopy_held_add(&held, 0, end_of(0));
    for (uint64_t id = 1; id < 1000; id++)
        cr_assert(eq(int,
            lam_zerocopy_held_drop(&held, lam_zerocopy_held_add(&held, id, end_of(id)), id, &end),
            0));
    cr_assert(eq(int, lam_zerocopy_held_drop(&held, old, 0, &end), 1));
    cr_assert(eq(u64, end, end_of(999)));
}

/* The list: what a reader of ten lines would write. */
struct list {
    uint64_t first;
    uint64_t next;
    uint64_t ids[LAM_ZEROCOPY_HELD_MAX]; /* held, in no order */
    uint32_t places[LAM_ZEROCOPY_HELD_MAX];
    uint32_t held_count;
    uint8_t released[40000];
};

static int list_drop(struct list *list, uint32_t index, uint64_t *end)
{
    uint64_t before = list->first;

    list->released[list->ids[index]] = 1;
    list->held_count--;
    list->ids[index] = list->ids[list->held_count];
    list->places[index] = list->places[list->held_count];
    while (list->first < list->next && list->released[list->first])
        list->first++;
    *end = end_of(list->first - 1);
    return list->first != before;
}

Test(held, any_order_agrees_with_a_plain_list)
{
    static struct list list;
    struct lam_zerocopy_held held;
    uint64_t seed = UINT64_C(88172645463325252);

    lam_zerocopy_held_init(&held);
    while (list.next < sizeof(list.released)) {
        uint64_t width = 1 + list.next * 64 / sizeof(list.released); /* 1 to 64 */
        uint64_t found, expected, id;
        uint32_t index, place;
        int moved;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        if (list.held_count == 0 || (list.held_count < width && (seed & 1) != 0)) {
            list.places[list.held_count] =
                lam_zerocopy_held_add(&held, list.next, end_of(list.next));
            list.ids[list.held_count++] = list.next++;
            continue;
        }
        index = (uint32_t)((seed >> 8) % list.held_count);
        id = list.ids[index];
        place = list.places[index];
        moved = list_drop(&list, index, &expected);
        cr_assert(eq(int, lam_zerocopy_held_drop(&held, place, id, &found), moved));
        if (moved)
            cr_assert(eq(u64, found, expected));
        cr_assert(eq(u32, lam_zerocopy_held_count(&held), list.held_count));
    }
}

Test(held, a_message_released_twice_aborts, .signal = SIGABRT)
{
    struct lam_zerocopy_held held;
    uint64_t end;
    uint32_t place;

    lam_zerocopy_held_init(&held);
    (void)lam_zerocopy_held_add(&held, 1, 1);
    place = lam_zerocopy_held_add(&held, 2, 2);
    (void)lam_zerocopy_held_drop(&held, place, 2, &end);
    (void)lam_zerocopy_held_drop(&held, place, 2, &end);
}

Test(held, a_stale_view_of_a_place_used_again_aborts, .signal = SIGABRT)
{
    struct lam_zerocopy_held held;
    uint64_t end;
    uint32_t place;

    lam_zerocopy_held_init(&held);
    place = lam_zerocopy_held_add(&held, 1, 1);
    (void)lam_zerocopy_held_drop(&held, place, 1, &end);
    if (lam_zerocopy_held_add(&held, 2, 2) != place)
        return;
    (void)lam_zerocopy_held_drop(&held, place, 1, &end);
}
