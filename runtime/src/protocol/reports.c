/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reports.c: what the data of a response is where it is no method's, both ways.
 */
#include "protocol/reading.h"
#include "protocol/sink.h"

/* ---- written ---- */

void lam_protocol_put_negotiation(
    struct sink *sink, const struct lam_protocol_negotiation *negotiation)
{
    if (negotiation->count == 0 || negotiation->count > LAM_PROTOCOL_VERSIONS_MAX) {
        sink->rc = -EINVAL;
        return;
    }
    put_array(sink, 1);
    put_array(sink, negotiation->count);
    for (uint32_t i = 0; i < negotiation->count; i++) {
        put_array(sink, 3);
        put_number(sink, negotiation->versions[i].major);
        put_number(sink, negotiation->versions[i].minor);
        put_number(sink, negotiation->versions[i].features);
    }
}

int lam_protocol_write_negotiation(const struct lam_protocol_negotiation *negotiation, void *room,
    uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;

    begin_writing(&sink, room, capacity, 0);
    lam_protocol_put_negotiation(&sink, negotiation);
    return end_writing(&sink, bytes);
}

int lam_protocol_write_health_report(
    const struct lam_protocol_health_report *report, void *room, uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;

    begin_writing(&sink, room, capacity, 0);
    put_array(&sink, 3);
    put_choice(&sink, report->state, LAM_PROTOCOL_UNHEALTHY);
    put_signed(&sink, report->detail);
    put_text(&sink, &report->text);
    return end_writing(&sink, bytes);
}

static void put_module(struct sink *sink, const struct lam_protocol_module *module)
{
    if (module->name.bytes >= LAM_NAME_BYTES_MAX)
        sink->rc = -EINVAL;
    put_array(sink, 6);
    put_text(sink, &module->name);
    put_array(sink, 3);
    put_number(sink, module->version.major);
    put_number(sink, module->version.minor);
    put_number(sink, module->version.patch);
    put_number(sink, module->phase);
    put_number(sink, module->calls);
    put_number(sink, module->draining);
    put_number(sink, module->generation);
}

int lam_protocol_write_module(
    const struct lam_protocol_module *module, void *room, uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;

    begin_writing(&sink, room, capacity, 0);
    put_array(&sink, 1);
    put_module(&sink, module);
    return end_writing(&sink, bytes);
}

int lam_protocol_write_stats_report(
    const struct lam_protocol_stats_report *report, void *room, uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;

    begin_writing(&sink, room, capacity, 0);
    put_array(&sink, 2);
    put_array(&sink, report->module_count);
    for (uint32_t i = 0; i < report->module_count; i++)
        put_module(&sink, &report->modules[i]);
    put_text(&sink, &report->text);
    return end_writing(&sink, bytes);
}

/* ---- read ---- */

static void take_version(struct reading *r, struct lam_protocol_version *version)
{
    uint64_t left = r->left;

    open_array(r, "version", 3);
    version->major = (uint16_t)take_number(r, "major", UINT16_MAX, 0);
    version->minor = (uint16_t)take_number(r, "minor", UINT16_MAX, 0);
    version->features = (uint32_t)take_number(r, "features", UINT32_MAX, 0);
    close_array(r, "version");
    r->left = left;
}

void lam_protocol_take_negotiation(struct reading *r, struct lam_protocol_negotiation *negotiation)
{
    uint64_t left;

    open_array(r, "negotiation", 1);
    left = r->left - 1;
    open_array(r, "versions", 1);
    if (r->rc == 0 && r->left > LAM_PROTOCOL_VERSIONS_MAX)
        fail(r, "versions", "there are too many");
    while (is_next(r))
        take_version(r, &negotiation->versions[negotiation->count++]);
    r->left = left;
}

int lam_protocol_read_negotiation(struct lam_protocol_negotiation *negotiation,
    struct lam_protocol_view data, struct lam_error *error)
{
    struct reading r;

    memset(negotiation, 0, sizeof(*negotiation));
    begin_reading(&r, data.data, data.bytes);
    lam_protocol_take_negotiation(&r, negotiation);
    return end_reading(&r, "negotiation", error);
}

int lam_protocol_read_health_report(struct lam_protocol_health_report *report,
    struct lam_protocol_view data, struct lam_error *error)
{
    struct reading r;

    memset(report, 0, sizeof(*report));
    begin_reading(&r, data.data, data.bytes);
    open_array(&r, "health report", 3);
    report->state =
        (enum lam_protocol_health_state)take_number(&r, "state", LAM_PROTOCOL_UNHEALTHY, 0);
    report->detail = (int32_t)take_signed(&r, "detail", INT32_MIN, INT32_MAX);
    take_text(&r, "text", &report->text);
    return end_reading(&r, "health report", error);
}

static void take_module(struct reading *r, struct lam_protocol_module *module)
{
    uint64_t outer = r->left, left;

    memset(module, 0, sizeof(*module));
    open_array(r, "module", 6);
    take_text(r, "name", &module->name);
    if (module->name.bytes >= LAM_NAME_BYTES_MAX)
        fail(r, "name", "it is too long");
    left = r->left - 1;
    open_array(r, "version", 3);
    module->version.major = (uint16_t)take_number(r, "major", UINT16_MAX, 0);
    module->version.minor = (uint16_t)take_number(r, "minor", UINT16_MAX, 0);
    module->version.patch = (uint16_t)take_number(r, "patch", UINT16_MAX, 0);
    close_array(r, "version");
    r->left = left;
    module->phase = (uint32_t)take_number(r, "phase", UINT32_MAX, 0);
    module->calls = (uint32_t)take_number(r, "calls", UINT32_MAX, 0);
    module->draining = (uint32_t)take_number(r, "draining", UINT32_MAX, 0);
    module->generation = take_number(r, "generation", UINT64_MAX, 0);
    close_array(r, "module");
    r->left = outer;
}

int lam_protocol_read_module(
    struct lam_protocol_module *module, struct lam_protocol_view data, struct lam_error *error)
{
    struct reading r;
    uint64_t left;

    memset(module, 0, sizeof(*module));
    begin_reading(&r, data.data, data.bytes);
    open_array(&r, "module", 1);
    left = r.left - 1;
    take_module(&r, module);
    r.left = left;
    return end_reading(&r, "module", error);
}

int lam_protocol_read_stats_report(struct lam_protocol_stats_report *report,
    struct lam_protocol_view data, struct lam_error *error)
{
    struct lam_protocol_module module;
    struct reading r;
    uint64_t left;

    memset(report, 0, sizeof(*report));
    begin_reading(&r, data.data, data.bytes);
    open_array(&r, "stats", 2);
    left = r.left - 1;
    open_array(&r, "modules", 0);
    report->module_count = (uint32_t)r.left;
    report->packed.data = r.mp.at;
    while (is_next(&r))
        take_module(&r, &module);
    report->packed.bytes = (uint64_t)(r.mp.at - (const unsigned char *)report->packed.data);
    r.left = left;
    take_text(&r, "text", &report->text);
    return end_reading(&r, "stats", error);
}

int lam_protocol_next_module(struct lam_protocol_view *packed, struct lam_protocol_module *module)
{
    struct reading r;

    if (packed->bytes == 0)
        return 0;
    begin_reading(&r, packed->data, packed->bytes);
    take_module(&r, module);
    if (r.rc != 0)
        return 0;
    packed->data = r.mp.at;
    packed->bytes = (uint64_t)(r.mp.end - r.mp.at);
    return 1;
}
