/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the CRC of an event is that of its shape word, of the extensions before it and of its
 * payload, and no bit of them changes unnoticed. Method: the same bytes in a row, and every bit.
 */
#include "lamina/base/crc32c.h"
#include "lamina/ring/event_crc.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define ALL   (LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)
#define BYTES (3 * LAM_EVENT_EXTENSION_BYTES + 21)

static _Alignas(16) uint8_t payload[BYTES];
static struct lam_event event;

static void setup(void)
{
    for (unsigned i = 0; i < BYTES; i++)
        payload[i] = (uint8_t)(i * 37 + 1);
    lam_event_crc_write(payload, BYTES, 77, ALL);
    event =
        (struct lam_event){.payload = payload, .payload_bytes = BYTES, .kind = 77, .flags = ALL};
}

TestSuite(event_crc, .init = setup, .timeout = 10);

Test(event_crc, it_covers_shape_extensions_and_payload_in_this_order)
{
    uint64_t shape = lam_event_shape(BYTES, 77, ALL);
    uint8_t row[8 + 32 + 21];
    uint32_t written;

    memcpy(row, &shape, 8);
    memcpy(row + 8, payload, 32);
    memcpy(row + 40, payload + 48, 21);
    memcpy(&written, payload + 32, 4);
    cr_assert(eq(u32, written, lam_crc32c(0, row, sizeof(row))));
    for (int i = 36; i < 48; i++)
        cr_assert_eq(payload[i], 0);
    cr_assert(eq(int, lam_event_crc_is_right(&event), 1));
}

Test(event_crc, no_bit_changes_unnoticed)
{
    for (unsigned bit = 0; bit < 8 * BYTES; bit++) {
        if (bit / 8 >= 36 && bit / 8 < 48)
            continue; /* the extension's own zeros */
        payload[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cr_assert(eq(int, lam_event_crc_is_right(&event), 0), "bit %u", bit);
        payload[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    event.kind ^= 1;
    cr_assert(eq(int, lam_event_crc_is_right(&event), 0));
    event.kind ^= 1;
    event.payload_bytes--;
    cr_assert(eq(int, lam_event_crc_is_right(&event), 0));
    event.payload_bytes++;
    cr_assert(eq(int, lam_event_crc_is_right(&event), 1));
}

Test(event_crc, an_event_without_it_or_without_room_for_it_is_not_vouched_for)
{
    event.flags = LAM_EVENT_TIMESTAMP;
    cr_assert(eq(int, lam_event_crc_is_right(&event), 0));
    event.flags = ALL;
    event.payload_bytes = 47;
    cr_assert(eq(int, lam_event_crc_is_right(&event), 0));
    lam_event_crc_write(payload, 16, 1, LAM_EVENT_CRC32C); /* alone, and nothing else */
    event = (struct lam_event){
        .payload = payload, .payload_bytes = 16, .kind = 1, .flags = LAM_EVENT_CRC32C};
    cr_assert(eq(int, lam_event_crc_is_right(&event), 1));
}
