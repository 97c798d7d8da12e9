/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw-peers TABLE PICTURE: the picture of bench peers, drawn again from a stored table.
 */
#include <stdio.h>
#include <string.h>

#include "peers_chart.h"

int main(int argc, char **argv)
{
    static struct bench_points points;
    int rc;

    if (argc != 3) {
        fprintf(stderr, "usage: draw-peers TABLE.csv PICTURE.svg\n");
        return 2;
    }
    rc = bench_points_read(&points, argv[1]);
    if (rc == 0)
        rc = bench_chart_write(&points, &peers_chart, argv[2]);
    if (rc != 0)
        fprintf(stderr, "draw-peers: %s: %s\n", argv[1], strerror(-rc));
    return rc != 0;
}
