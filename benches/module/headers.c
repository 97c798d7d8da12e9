/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol's header written and read, beside one copy of its 32 bytes; slices of an arena
 * found, cut and made, all checked, beside the bare addition of an offset.
 */
#include "module.h"

#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/protocol.h"
#include "lamina/runtime/slice.h"

#include "layers.h"
#include "report.h"

#define ARENA_BYTES 65536

struct work {
    struct lam_protocol_header header, found;
    uint8_t bytes[LAM_PROTOCOL_HEADER_BYTES], copy[LAM_PROTOCOL_HEADER_BYTES];
    uint8_t *arena;
    struct lam_slice slice, part;
};

static int open_work(struct bench_lane *lane)
{
    struct work *work = bench_private_memory(sizeof(*work));

    lane->state = work;
    work->header = (struct lam_protocol_header){
        .type = LAM_PROTOCOL_EVENT, .request_id = 7, .module_id = 1, .method_id = 2};
    lam_protocol_write(&work->header, work->bytes);
    work->arena = bench_private_memory(ARENA_BYTES);
    work->slice = (struct lam_slice){4096, 1024};
    return 0;
}

/* @count times what @does, which finds its work behind w; the compiler knows none of it. */
#define LOOP(name, does)                                                                           \
    static uint64_t name(struct bench_lane *lane, uint64_t count, uint64_t value)                  \
    {                                                                                              \
        struct work *w = lane->state;                                                              \
        for (uint64_t i = 0; i < count; i++) {                                                     \
            module_use(w);                                                                         \
            does;                                                                                  \
        }                                                                                          \
        module_use(w);                                                                             \
        return 0;                                                                                  \
    }

LOOP(write_header, lam_protocol_write(&w->header, w->bytes))
LOOP(read_header, bench_must(lam_protocol_read(&w->found, w->bytes, sizeof(w->bytes))))
LOOP(copy_header, memcpy(w->copy, w->bytes, sizeof(w->copy)))
LOOP(find_slice, module_use(lam_slice_at(w->slice, w->arena, ARENA_BYTES)))
LOOP(cut_slice, bench_must(lam_slice_part(w->slice, 64, 128, &w->part) - 1))
LOOP(make_slice,
    bench_must(lam_slice_of(w->arena, ARENA_BYTES, w->arena + 4096, w->slice.bytes, &w->part) - 1))
LOOP(add_offset, module_use(w->arena + w->slice.offset))

#define SUBJECT(its_name, its_layer, loop)                                                         \
    {                                                                                              \
        .name = (its_name), .layer = (its_layer), .open = open_work, .ask = (loop)                 \
    }

enum { WRITE, READ, COPY, FIND, CUT, MAKE, ADD, SUBJECT_COUNT };

static const struct bench_subject subjects[SUBJECT_COUNT] = {
    SUBJECT("write", MODULE_LAYER, write_header),
    SUBJECT("read", MODULE_LAYER, read_header),
    SUBJECT("memcpy", -1, copy_header),
    SUBJECT("at", MODULE_LAYER, find_slice),
    SUBJECT("part", MODULE_LAYER, cut_slice),
    SUBJECT("of", MODULE_LAYER, make_slice),
    SUBJECT("add", -1, add_offset),
};

/* What memlink 0.1.0 publishes of itself, ns, on its own machine; 0: nothing. */
static const double memlink_ns[SUBJECT_COUNT] = {[WRITE] = 46, [READ] = 37};

static void report(const struct bench_campaign *campaign, const uint32_t *lanes, uint32_t does)
{
    uint32_t lane = lanes[does], probe = lanes[does < COPY ? COPY : ADD];
    const char *what = does < COPY ? "header" : "slice";

    bench_report_begin("module", what, &campaign->lanes[lane]);
    bench_report_text("does", subjects[does].name);
    bench_report_number("does_ns", bench_campaign_median(campaign, lane, 0), 2);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 2);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    if (memlink_ns[does] != 0)
        bench_report_number("memlink_ns", memlink_ns[does], 0);
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    const struct bench_shape shape = {
        .payload_bytes = LAM_PROTOCOL_HEADER_BYTES, .batch = 1, .readers = 1};
    uint32_t lanes[SUBJECT_COUNT];

    module_begin(&campaign, &module_measure_alone, options);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        lanes[i] = bench_campaign_add(&campaign, &subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < ADD; i++)
        if (i != COPY)
            report(&campaign, lanes, i);
    return 0;
}

const struct module_part module_headers = {"header", run};
