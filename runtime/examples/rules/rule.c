/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.c: a rule of a shop: what a price comes to. It is replaced while the shop sells.
 *
 *     cc -shared -fPIC -O2 -DPERCENT=10 -o rule.so rule.c
 */
#include "lamina/runtime/module.h"

#ifndef PERCENT
#define PERCENT 10
#endif

static int price(struct lam_call *call)
{
    uint64_t cents;

    if (call->request_bytes != sizeof(cents))
        return -EINVAL;
    memcpy(&cents, call->request, sizeof(cents));
    cents -= cents * PERCENT / 100;
    return lam_call_answer(call, &cents, sizeof(cents));
}

#define METHODS(METHOD) METHOD(price, "price", LAM_METHOD_IDEMPOTENT)

LAM_MODULE("rule", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
