/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>

void bench_report_begin(const char *bench, const char *variant, const struct bench_lane *lane)
{
    printf("{\"bench\":\"%s%s%s\",\"layer\":%d,\"payload_bytes\":%u", bench, variant ? "-" : "",
        variant ? variant : "", lane->subject->layer, lane->shape.payload_bytes);
}

void bench_report_text(const char *key, const char *value)
{
    printf(",\"%s\":\"%s\"", key, value);
}

void bench_report_count(const char *key, uint64_t value)
{
    printf(",\"%s\":%llu", key, (unsigned long long)value);
}

void bench_report_number(const char *key, double value, int digits)
{
    printf(",\"%s\":%.*f", key, digits, value);
}

void bench_report_ratio(const char *key, double value)
{
    bench_report_number(key, value, value < 0.1 ? 6 : 3);
}

void bench_report_end(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index)
{
    const struct bench_shape *shape = &campaign->lanes[lane_index].shape;
    uint32_t clean_count = bench_campaign_clean_count(campaign, lane_index, probe_index);

    bench_report_count("windows", clean_count != 0 ? clean_count : campaign->round_count);
    bench_report_number("spread", bench_campaign_spread(campaign, lane_index, probe_index), 3);
    bench_report_count("left_out_far", campaign->far_windows);
    bench_report_count("left_out_disturbed", campaign->disturbed_windows);
    printf(",\"clean\":%s", clean_count != 0 ? "true" : "false");
    bench_report_number("near_ns", campaign->near_ns, 1);
    printf(",\"pinned\":\"");
    for (uint32_t side = 0; side <= campaign->crew.readers; side++)
        printf("%s%d", side == 0 ? "" : ",", campaign->crew.cpus[side]);
    printf("\",\"pause\":true,\"cell_bytes\":%u,\"depth\":%llu}\n", shape->cell_bytes,
        (unsigned long long)shape->depth);
}
