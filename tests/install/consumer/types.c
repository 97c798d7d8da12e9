/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's type, by the installed compiler and codecs: packed, verified, viewed, and the same by
 * MessagePack. Exit 0, or the number of the step that failed.
 */
#include <string.h>

#include "quote.h"

int main(void)
{
    uint64_t message[32];
    struct market_Quote quote;
    struct market_Quote_view view;
    size_t size;

    market_Quote_init(&quote);
    quote.symbol.data = "LAM";
    quote.symbol.size = 3;
    quote.price = 48;
    if (market_Quote_pack(&quote, message, sizeof(message), &size) != 0)
        return 1;
    if (market_Quote_verify(message, size, NULL) != 0)
        return 2;
    view = market_Quote_root(message);
    if (market_Quote_get_price(view) != 48 || market_Quote_get_symbol(view).size != 3)
        return 3;
    if (market_Quote_msgpack_pack(&quote, message, sizeof(message), &size) != 0)
        return 4;
    return size < market_Quote_bound(&quote) ? 0 : 5;
}
