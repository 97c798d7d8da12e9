/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_POINTS_H
#define LAM_BENCH_POINTS_H

/*
 * points.h: figures over payloads, as they are kept in a table (CSV) and drawn (chart.h).
 */

#include <stdint.h>

#include "machine.h"

#define BENCH_POINTS_MAX     512
#define BENCH_POINT_NAME_MAX 24

struct bench_point {
    char name[BENCH_POINT_NAME_MAX]; /* of the subject */
    uint32_t payload_bytes;
    int is_rate; /* 1: bytes a second; 0: ns of a round trip */
    double value;
    double spread;
    int is_clean; /* 0: no window was undisturbed; kept in the table, not drawn */
};

struct bench_points {
    char machine[BENCH_MACHINE_TEXT_BYTES];
    char date[BENCH_MACHINE_TEXT_BYTES];
    struct bench_point points[BENCH_POINTS_MAX];
    uint32_t count;
};

/* None, and where and when they will have been taken. */
void bench_points_init(struct bench_points *points);

/* Room for one more, named after @name. Ends the program where there is none. */
struct bench_point *bench_points_add(
    struct bench_points *points, const char *name, uint32_t payload_bytes, int is_rate);

/* By unit, size and name. */
void bench_points_sort(struct bench_points *points);

/* The table, which says that @writer wrote it. Returns 0, or -errno. */
int bench_points_write(const struct bench_points *points, const char *path, const char *writer);

/* Reads such a table. Returns 0, -errno, or -EBADMSG where it is none. */
int bench_points_read(struct bench_points *points, const char *path);

#endif
