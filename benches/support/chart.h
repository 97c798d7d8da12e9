/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_CHART_H
#define LAM_BENCH_CHART_H

/*
 * chart.h: points as a picture (SVG): two panels side by side, both axes logarithmic, round trips
 * on the left, bytes a second on the right, one line for each subject. Readable on white and on
 * dark pages: the page is white itself.
 */

#include "points.h"

struct bench_chart_line {
    const char *name;  /* of the subject */
    const char *label; /* NULL: drawn, but not named: another line's label stands for both */
    const char *colour, *dash;
};

struct bench_chart {
    const char *title;
    const struct bench_chart_line *lines; /* those without a point are not named */
    uint32_t line_count;
};

/* Returns 0, or -errno. */
int bench_chart_write(
    const struct bench_points *points, const struct bench_chart *chart, const char *path);

/*
 * FOLDER/NAME.csv and FOLDER/NAME.svg, as "./dev bench NAME" writes them; standard error says so.
 * Returns 0, or -errno.
 */
int bench_chart_save(const struct bench_points *points, const struct bench_chart *chart,
    const char *folder, const char *name);

#endif
