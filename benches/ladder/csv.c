/* SPDX-License-Identifier: Apache-2.0 */
#include "ladder.h"

#include <errno.h>
#include <stdio.h>

int ladder_write_csv(const struct ladder *ladder, const char *path)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return -errno;
    fprintf(file, "# %s; %s; written by ./dev bench ladder\n", ladder->machine, ladder->date);
    fprintf(file, "subject,payload_bytes,unit,median,spread,clean\n");
    for (uint32_t i = 0; i < ladder->point_count; i++) {
        const struct ladder_point *point = &ladder->points[i];

        fprintf(file, "%s,%u,%s,%.1f,%.3f,%s\n", point->name, point->payload_bytes,
            point->is_rate ? "bytes_per_s" : "round_trip_ns", point->value, point->spread,
            point->is_clean ? "yes" : "no");
    }
    return fclose(file) == 0 ? 0 : -errno;
}
