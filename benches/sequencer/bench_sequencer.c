/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequencer as its clients see it: one event in flight, fixed rates by schedule, as much as it
 * takes, and how soon it is back. Beside each figure what bare pieces give in the same seconds.
 */
#include "sequencer.h"

#include <stdio.h>
#include <string.h>

static const struct sequencer_part *const parts[] = {
    &sequencer_trip, &sequencer_rate, &sequencer_flood, &sequencer_recovery};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

int main(int argc, char **argv)
{
    struct bench_options options;
    uint32_t found = 0;

    bench_options_read(&options, argc, argv, "sequencer: a node as its clients see it");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        if (options.part != NULL && strcmp(options.part, parts[i]->name) != 0)
            continue;
        found++;
        if (parts[i]->run(&options) != 0)
            return 1;
        (void)fflush(stdout);
    }
    if (found == 0)
        (void)fprintf(stderr, "bench: sequencer has no part %s\n", options.part);
    return found == 0 ? 2 : 0;
}
