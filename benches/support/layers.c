/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct bench_layer bench_layers[] = {
    {&bench_ring, NULL, 1},
#ifdef BENCH_WITH_FRAMED
    {&bench_framed, NULL, 1},
#endif
#ifdef BENCH_WITH_TYPED
    {&bench_typed_pod, NULL, 0},
#endif
#ifdef BENCH_WITH_ZEROCOPY
    {&bench_zerocopy, NULL, 0},
#endif
    {&bench_ring_hybrid, "hybrid", 1},
#ifdef BENCH_WITH_TYPED
    {&bench_typed_msgpack, "msgpack", 0},
#endif
#ifdef BENCH_WITH_ZEROCOPY
    {&bench_zerocopy_pod, "pod", 0},
#endif
};
const uint32_t bench_layer_count = sizeof(bench_layers) / sizeof(bench_layers[0]);

int bench_said(int rc, const struct lam_error *error)
{
    if (rc < 0)
        fprintf(stderr, "bench: %s\n", error->text);
    return rc;
}

void bench_failed(int rc)
{
    fprintf(stderr, "bench: a call failed in mid-stream: %s\n", strerror(-rc));
    exit(1);
}
