/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol: requests, responses and errors written and read, with 5 bytes to 100 KiB of
 * payload. Beside each one copy of the same bytes, and the same array by the packer and unpacker
 * of msgpack-c, which has to make the same bytes. To read copies nothing: it finds views.
 */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef BENCH_WITH_MSGPACK
#include <msgpack.h>
#endif

#include "lamina/runtime/messages.h"

#include "layers.h"
#include "report.h"

#define ROOM_BEYOND 256
#define SIZES       4

static const uint32_t sizes[SIZES] = {5, 1024, 10240, 102400}; /* those that memlink publishes */

/*
 * What memlink 0.1.0 publishes of itself, ns, on its own machine (Windows, Criterion); 0: nothing.
 * To write, and to read.
 */
struct published {
    double ns[SIZES][2];
};

struct kind {
    enum lam_protocol_type type;
    const char *name;
    struct published memlink;
};

static const struct kind kinds[] = {
    {LAM_PROTOCOL_REQUEST, "request",
        {{{1070, 1110}, {18200, 12000}, {109000, 121000}, {1300000, 1550000}}}},
    {LAM_PROTOCOL_RESPONSE, "response", {{{1170, 491}}}},
    {LAM_PROTOCOL_ERROR, "error", {{{1000, 477}}}},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct work {
    struct lam_protocol_message message, found;
    uint8_t *payload, *room, *copy;
    uint64_t capacity, bytes; /* room; of the message written */
#ifdef BENCH_WITH_MSGPACK
    msgpack_sbuffer packed;
    msgpack_unpacked array, unpacked; /* what is packed, made from ours; what was unpacked */
#endif
};

/* The one that the lanes opened now are of: one campaign has one kind. */
static const struct kind *kind_now;

static void must_be(int is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "bench: %s of a %s\n", what, kind_now->name);
    exit(1);
}

static void fill(struct lam_protocol_message *message, struct lam_protocol_view payload)
{
    static const struct lam_protocol_view module = {"echo", 4};

    message->header = (struct lam_protocol_header){
        .type = (uint8_t)kind_now->type, .request_id = 7, .module_id = 1, .method_id = 2};
    if (kind_now->type == LAM_PROTOCOL_REQUEST)
        message->body.request = (struct lam_protocol_request){.module = module,
            .method = module,
            .args = payload,
            .trace = "a trace of sixty",
            .deadline_ns = UINT64_C(1) << 40,
            .priority = LAM_PROTOCOL_NORMAL,
            .reply_capacity = payload.bytes,
            .span = UINT64_C(1) << 50};
    else if (kind_now->type == LAM_PROTOCOL_RESPONSE)
        message->body.response = (struct lam_protocol_response){.data = payload};
    else
        message->body.error = (struct lam_protocol_failure){
            .code = LAM_PROTOCOL_TIMED_OUT, .text = payload, .retry_after_ms = 20, .result = -110};
}

static uint64_t write_messages(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct work *work = lane->state;
    int rc = 0;

    for (uint64_t i = 0; i < count; i++) {
        rc |= lam_protocol_write_message(&work->message, work->room, work->capacity, &work->bytes);
        module_use(work->room);
    }
    bench_must(rc);
    return 0;
}

static uint64_t read_messages(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct work *work = lane->state;
    int rc = 0;

    for (uint64_t i = 0; i < count; i++) {
        rc |= lam_protocol_read_message(&work->found, work->room, work->bytes, NULL);
        module_use(&work->found);
    }
    bench_must(rc);
    return 0;
}

static uint64_t copy_messages(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct work *work = lane->state;

    for (uint64_t i = 0; i < count; i++) {
        memcpy(work->copy, work->room, work->bytes);
        module_use(work->copy);
    }
    return 0;
}

#ifdef BENCH_WITH_MSGPACK

/* The body alone: the header is no MessagePack. */
static uint64_t pack_messages(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct work *work = lane->state;
    msgpack_packer packer;
    int rc = 0;

    msgpack_packer_init(&packer, &work->packed, msgpack_sbuffer_write);
    for (uint64_t i = 0; i < count; i++) {
        msgpack_sbuffer_clear(&work->packed);
        rc |= msgpack_pack_object(&packer, work->array.data);
        module_use(work->packed.data);
    }
    must_be(rc == 0, "msgpack-c writes no array");
    return 0;
}

static uint64_t unpack_messages(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct work *work = lane->state;
    int fails = 0;

    for (uint64_t i = 0; i < count; i++) {
        size_t at = 0;

        fails |= msgpack_unpack_next(&work->unpacked, work->packed.data, work->packed.size, &at) !=
                 MSGPACK_UNPACK_SUCCESS;
        module_use(&work->unpacked);
    }
    must_be(!fails, "msgpack-c reads no array");
    return 0;
}

/* The array is made from what we wrote; what is compared has to do the same. */
static void open_msgpack(struct bench_lane *lane)
{
    struct work *work = lane->state;
    const char *body = (const char *)work->room + LAM_PROTOCOL_HEADER_BYTES;
    uint64_t bytes = work->bytes - LAM_PROTOCOL_HEADER_BYTES;
    size_t at = 0;

    msgpack_sbuffer_init(&work->packed);
    msgpack_unpacked_init(&work->array);
    msgpack_unpacked_init(&work->unpacked);
    must_be(msgpack_unpack_next(&work->array, body, bytes, &at) == MSGPACK_UNPACK_SUCCESS,
        "msgpack-c cannot read the body");
    (void)pack_messages(lane, 1, 0);
    must_be(work->packed.size == bytes && memcmp(work->packed.data, body, bytes) == 0,
        "msgpack-c writes other bytes");
}

static void close_msgpack(struct work *work)
{
    msgpack_sbuffer_destroy(&work->packed);
    msgpack_unpacked_destroy(&work->array);
    msgpack_unpacked_destroy(&work->unpacked);
}

#else

static void open_msgpack(struct bench_lane *lane)
{
}

static void close_msgpack(struct work *work)
{
}

#endif

static int open_nothing(struct bench_lane *lane)
{
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct lam_protocol_view payload = {NULL, lane->shape.payload_bytes};
    struct work *work;

    if (side != 0)
        return 0;
    work = lane->state = bench_private_memory(sizeof(*work));
    work->capacity = payload.bytes + ROOM_BEYOND;
    payload.data = work->payload = bench_private_memory(payload.bytes);
    memset(work->payload, 'q', payload.bytes);
    work->room = bench_private_memory(work->capacity);
    work->copy = bench_private_memory(work->capacity);
    fill(&work->message, payload);
    (void)write_messages(lane, 1, 0);
    open_msgpack(lane);
    return 0;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    if (side == 0)
        close_msgpack(lane->state);
}

/* Behind a window: what was written last is read as what was meant. */
static uint64_t look(struct bench_lane *lane, uint64_t count)
{
    struct work *work = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;
    struct lam_protocol_view found;

    (void)read_messages(lane, 1, 0);
    if (kind_now->type == LAM_PROTOCOL_REQUEST)
        found = work->found.body.request.args;
    else if (kind_now->type == LAM_PROTOCOL_RESPONSE)
        found = work->found.body.response.data;
    else
        found = work->found.body.error.text;
    must_be(found.bytes == bytes && memcmp(found.data, work->payload, bytes) == 0,
        "other bytes are read than were written");
    return 0;
}

#define SUBJECT(its_name, its_layer, loop)                                                         \
    {                                                                                              \
        .name = (its_name), .layer = (its_layer), .open = open_nothing, .attach = attach,          \
        .detach = detach, .ask = (loop), .receive = look                                           \
    }

enum { WRITE, READ, COPY, PACK, UNPACK, SUBJECT_COUNT };

static const struct bench_subject subjects[] = {
    SUBJECT("write", MODULE_LAYER, write_messages),
    SUBJECT("read", MODULE_LAYER, read_messages),
    SUBJECT("memcpy", -1, copy_messages),
#ifdef BENCH_WITH_MSGPACK
    SUBJECT("msgpack_pack", -1, pack_messages),
    SUBJECT("msgpack_unpack", -1, unpack_messages),
#endif
};
#define HERE (sizeof(subjects) / sizeof(subjects[0]))

/* @does is WRITE or READ. */
static void report(
    const struct bench_campaign *campaign, const uint32_t *lanes, uint32_t does, double memlink_ns)
{
    uint32_t lane = lanes[does], probe = lanes[COPY];

    bench_report_begin("module", "message", &campaign->lanes[lane]);
    bench_report_text("message", kind_now->name);
    bench_report_text("does", subjects[does].name);
    bench_report_number("does_ns", bench_campaign_median(campaign, lane, 0), 2);
    bench_report_text("probe", subjects[COPY].name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 2);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    if (HERE == SUBJECT_COUNT) {
        uint32_t other = lanes[does == WRITE ? PACK : UNPACK];

        bench_report_number("msgpack_ns", bench_campaign_median(campaign, other, 0), 2);
        bench_report_ratio("ratio_msgpack", bench_campaign_ratio(campaign, lane, other));
    }
    if (memlink_ns != 0)
        bench_report_number("memlink_ns", memlink_ns, 0);
    bench_report_end(campaign, lane, probe);
}

static int run_kind(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    uint32_t lanes[SIZES][SUBJECT_COUNT] = {{0}};

    module_begin(&campaign, &module_measure_alone, options);
    for (uint32_t i = 0; i < SIZES; i++) {
        struct bench_shape shape = {.payload_bytes = sizes[i], .batch = 1, .readers = 1};

        if (options->payload_bytes != 0 && options->payload_bytes != sizes[i])
            continue;
        for (uint32_t k = 0; k < HERE; k++)
            lanes[i][k] = bench_campaign_add(&campaign, &subjects[k], &shape);
    }
    if (campaign.lane_count == 1)
        return 0;
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < SIZES; i++)
        for (uint32_t does = WRITE; does <= READ && lanes[i][does] != 0; does++)
            report(&campaign, lanes[i], does, kind_now->memlink.ns[i][does]);
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < KIND_COUNT; i++) {
        kind_now = &kinds[i];
        if (run_kind(options) != 0)
            return 1;
    }
    return 0;
}

const struct module_part module_messages = {"message", run};
