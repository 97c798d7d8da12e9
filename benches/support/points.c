/* SPDX-License-Identifier: Apache-2.0 */
#include "points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

void bench_points_init(struct bench_points *points)
{
    memset(points, 0, sizeof(*points));
    bench_machine_name(points->machine);
    bench_machine_date(points->date);
}

struct bench_point *bench_points_add(
    struct bench_points *points, const char *name, uint32_t payload_bytes, int is_rate)
{
    struct bench_point *point = &points->points[points->count];

    LAM_ASSERT(points->count < BENCH_POINTS_MAX);
    points->count++;
    snprintf(point->name, sizeof(point->name), "%s", name);
    point->payload_bytes = payload_bytes;
    point->is_rate = is_rate;
    return point;
}

static int compare(const void *left, const void *right)
{
    const struct bench_point *a = left, *b = right;

    if (a->is_rate != b->is_rate)
        return a->is_rate - b->is_rate;
    if (a->payload_bytes != b->payload_bytes)
        return a->payload_bytes < b->payload_bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

void bench_points_sort(struct bench_points *points)
{
    qsort(points->points, points->count, sizeof(points->points[0]), compare);
}

int bench_points_write(const struct bench_points *points, const char *path, const char *writer)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return -errno;
    fprintf(file, "# %s; %s; written by %s\n", points->machine, points->date, writer);
    fprintf(file, "subject,payload_bytes,unit,median,spread,clean\n");
    for (uint32_t i = 0; i < points->count; i++) {
        const struct bench_point *point = &points->points[i];

        fprintf(file, "%s,%u,%s,%.1f,%.3f,%s\n", point->name, point->payload_bytes,
            point->is_rate ? "bytes_per_s" : "round_trip_ns", point->value, point->spread,
            point->is_clean ? "yes" : "no");
    }
    return fclose(file) == 0 ? 0 : -errno;
}

/* "# MACHINE; DATE; written by ..." */
static void read_heading(struct bench_points *points, char *line)
{
    char *rest = line + 2, *machine = strsep(&rest, ";"), *date = rest ? strsep(&rest, ";") : "";

    snprintf(points->machine, sizeof(points->machine), "%s", machine);
    snprintf(points->date, sizeof(points->date), "%s", date + strspn(date, " "));
}

static int read_point(struct bench_points *points, const char *line)
{
    struct bench_point point = {.is_clean = 0};
    char unit[16], clean[4];

    if (points->count == BENCH_POINTS_MAX ||
        sscanf(line, "%23[^,],%u,%15[^,],%lf,%lf,%3s", point.name, &point.payload_bytes, unit,
            &point.value, &point.spread, clean) != 6)
        return -EBADMSG;
    point.is_rate = strcmp(unit, "bytes_per_s") == 0;
    point.is_clean = strcmp(clean, "yes") == 0;
    points->points[points->count++] = point;
    return 0;
}

int bench_points_read(struct bench_points *points, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[512];
    int rc = 0;

    if (file == NULL)
        return -errno;
    memset(points, 0, sizeof(*points));
    while (rc == 0 && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "# ", 2) == 0)
            read_heading(points, line);
        else if (strncmp(line, "subject,", 8) != 0)
            rc = read_point(points, line);
    }
    fclose(file);
    return rc == 0 && points->count == 0 ? -EBADMSG : rc;
}
