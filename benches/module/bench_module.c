/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module runtime part by part: calls, threads, loading, reloading, its protocol; each figure
 * beside what the machine asks for the same without a runtime, of the same milliseconds.
 */
#include "module.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "runs.h"

static const struct module_part *const parts[] = {&module_calls, &module_threads, &module_loads,
    &module_reload, &module_worker, &module_arena, &module_headers, &module_messages,
    &module_stages, &module_pool, &module_batch};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

void module_begin(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options)
{
    bench_run_init(campaign, measure, options);
    if (!options->quick && options->windows == 0)
        campaign->budget_ns = 3 * BENCH_NS_PER_S;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    uint32_t found = 0;

    bench_options_read(&options, argc, argv, "module: the runtime part by part");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        if (options.part != NULL && strcmp(options.part, parts[i]->name) != 0)
            continue;
        found++;
        if (parts[i]->run(&options) != 0)
            return 1;
    }
    if (found == 0)
        fprintf(stderr, "bench: module has no part %s\n", options.part);
    return found == 0 ? 2 : 0;
}
