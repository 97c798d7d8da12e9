/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_LADDER_H
#define LAM_BENCH_LADDER_H

/*
 * ladder.h: the points of the ladder, and the two files made of them.
 */

#include <stdint.h>

#include "machine.h"

#define LADDER_POINTS_MAX 256

struct ladder_point {
    char name[16]; /* of the subject */
    uint32_t payload_bytes;
    int is_rate; /* 1: bytes a second; 0: ns of a round trip */
    double value;
    double spread;
    int is_clean; /* 0: no window was undisturbed; kept in the table, not drawn */
};

struct ladder {
    char machine[BENCH_MACHINE_TEXT_BYTES];
    char date[BENCH_MACHINE_TEXT_BYTES];
    struct ladder_point points[LADDER_POINTS_MAX];
    uint32_t point_count;
};

/* Both return 0, or -errno. */
int ladder_write_csv(const struct ladder *ladder, const char *path);
int ladder_write_svg(const struct ladder *ladder, const char *path);

#endif
