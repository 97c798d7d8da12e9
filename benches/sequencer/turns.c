/* SPDX-License-Identifier: Apache-2.0 */
#include "sequencer.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "stats.h"

double turns_median(const struct turns *turns, uint32_t lane)
{
    double values[TURNS_ROUNDS_MAX];

    memcpy(values, turns->figures[lane], turns->rounds * sizeof(*values));
    return bench_quantile(values, turns->rounds, 0.5);
}

double turns_ratio(const struct turns *turns, uint32_t lane, uint32_t probe, double *spread)
{
    double values[TURNS_ROUNDS_MAX];

    for (uint32_t i = 0; i < turns->rounds; i++)
        values[i] = turns->figures[lane][i] / turns->figures[probe][i];
    *spread = bench_spread(values, turns->rounds);
    return bench_quantile(values, turns->rounds, 0.5);
}

void turns_report(const struct turns *turns, const char *name, const char *variant,
    uint32_t payload_bytes, uint32_t lane, uint32_t probe, const char *probe_name)
{
    double spread;
    double ratio = turns_ratio(turns, lane, probe, &spread);

    printf("{\"bench\":\"sequencer-%s\",\"variant\":\"%s\",\"payload_bytes\":%u", name, variant,
        payload_bytes);
    bench_report_number("figure", turns_median(turns, lane), 1);
    bench_report_text("probe", probe_name);
    bench_report_number("probe_figure", turns_median(turns, probe), 1);
    bench_report_ratio("ratio", ratio);
    bench_report_number("spread", spread, 3);
    bench_report_count("rounds", turns->rounds);
}
