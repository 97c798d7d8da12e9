/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message, built where it will be read; verified, read in place, copied out; and the same value
 * as MessagePack.
 */
#include <inttypes.h>
#include <stdio.h>

#include "quote.h"

static size_t build(void *memory, size_t capacity)
{
    struct lam_fb_builder b;
    struct market_Quote_at quote;
    size_t size;

    lam_fb_builder_init(&b, memory, capacity);
    quote = market_Quote_start(&b);
    market_Quote_set_symbol(&b, quote, "LAM", 3);
    market_Quote_set_time_ns(&b, quote, 1000);
    for (int32_t price = 10250; price > 10240; price -= 5) {
        int32_t *bid = market_Quote_extend_bids(&b, quote, 1);

        if (bid != NULL)
            *bid = price;
    }
    return market_Quote_finish(&b, &size) == 0 ? size : 0;
}

int main(void)
{
    _Alignas(market_Quote_ALIGN) unsigned char memory[256], packed[256], room[256];
    size_t size = build(memory, sizeof(memory));
    struct lam_error error;
    struct market_Quote value;
    struct lam_arena arena;

    if (market_Quote_verify(memory, size, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct market_Quote_view view = market_Quote_root(memory);
    struct lam_i32_span bids = market_Quote_get_bids(view);
    printf("%s: %" PRIu32 " bids, best %" PRId32 ", %zu bytes\n",
        market_Quote_get_symbol(view).data, bids.count, bids.count != 0 ? bids.data[0] : 0, size);

    lam_arena_init(&arena, room, sizeof(room));
    if (market_Quote_copy(view, &value, &arena) != 0 ||
        market_Quote_msgpack_pack(&value, packed, sizeof(packed), &size) != 0)
        return 1;
    printf("as MessagePack %zu bytes\n", size);
    return 0;
}
