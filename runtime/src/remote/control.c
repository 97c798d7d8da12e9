/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c: what a client may ask of a host, beside calls.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/client.h"

/* As remote_ask(), with the sentence in @error. */
static int ask(struct lam_remote *remote, struct lam_protocol_message *message,
    uint64_t deadline_ns, struct lam_protocol_message *answer, struct lam_error *error)
{
    int rc = remote_ask(remote, message, deadline_ns, answer);

    return rc == 0 ? 0 : lam_error_set(error, rc, "%s", remote->why.text);
}

/* @view, cut to what @text holds. */
static void copy_text(char *text, size_t capacity, struct lam_protocol_view view)
{
    size_t length = view.bytes < capacity ? (size_t)view.bytes : capacity - 1;

    if (length != 0)
        memcpy(text, view.data, length);
    text[length] = '\0';
}

static struct lam_module_stat stat_of(const struct lam_protocol_module *module)
{
    struct lam_module_stat stat = {.version = module->version,
        .phase = (enum lam_module_phase)module->phase,
        .calls = module->calls,
        .draining = module->draining,
        .generation = module->generation};

    copy_text(stat.name, sizeof(stat.name), module->name);
    return stat;
}

/* Ask for a change. Returns what it returned there. */
static int change(struct lam_remote *remote, struct lam_protocol_message *message,
    struct lam_module_stat *stat, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_message answer;
    struct lam_protocol_module module;
    int rc = ask(remote, message, deadline_ns, &answer, error);

    if (rc != 0)
        return rc;
    if (lam_protocol_read_module(&module, answer.body.response.data, error) != 0)
        return -EPROTO;
    if (stat != NULL)
        *stat = stat_of(&module);
    return answer.body.response.result;
}

int lam_remote_load(struct lam_remote *remote, const char *reference,
    const struct lam_module_options *options, struct lam_module_stat *stat, uint64_t deadline_ns,
    struct lam_error *error)
{
    static const struct lam_module_options defaults;
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_LOAD}};

    if (options == NULL)
        options = &defaults;
    message.body.load = (struct lam_protocol_load){.reference = remote_view(reference),
        .name = remote_view(options->name),
        .config = {options->config, options->config_bytes},
        .host = (uint32_t)options->host,
        .flags = options->counts_calls ? LAM_PROTOCOL_LOAD_COUNTS : 0};
    return change(remote, &message, stat, deadline_ns, error);
}

int lam_remote_reload(struct lam_remote *remote, const char *module,
    const struct lam_reload_options *options, struct lam_module_stat *stat, uint64_t deadline_ns,
    struct lam_error *error)
{
    static const struct lam_reload_options defaults;
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_LOAD}};

    if (options == NULL)
        options = &defaults;
    message.body.load = (struct lam_protocol_load){.reference = remote_view(options->reference),
        .name = remote_view(module),
        .flags =
            LAM_PROTOCOL_LOAD_REPLACE | (options->keep_state ? LAM_PROTOCOL_LOAD_KEEP_STATE : 0),
        .drain_ns = options->drain_ns};
    return change(remote, &message, stat, deadline_ns, error);
}

int lam_remote_unload(struct lam_remote *remote, const char *module, uint64_t drain_ns,
    uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_UNLOAD}};

    message.body.unload =
        (struct lam_protocol_unload){.module = remote_view(module), .drain_ns = drain_ns};
    return change(remote, &message, NULL, deadline_ns, error);
}

static int ask_stats(struct lam_remote *remote, const char *module, uint32_t flags,
    struct lam_protocol_stats_report *report, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_STATS}}, answer;
    int rc;

    message.body.stats = (struct lam_protocol_stats){.module = remote_view(module), .flags = flags};
    rc = ask(remote, &message, deadline_ns, &answer, error);
    if (rc != 0)
        return rc;
    rc = lam_protocol_read_stats_report(report, answer.body.response.data, error);
    return rc == 0 ? 0 : -EPROTO;
}

int lam_remote_list(struct lam_remote *remote, const char *module, lam_remote_visit_fn visit,
    void *context, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_stats_report report;
    struct lam_protocol_module one;
    int rc = ask_stats(remote, module, LAM_PROTOCOL_STATS_MODULES, &report, deadline_ns, error);

    if (rc != 0)
        return rc;
    while (visit != NULL && lam_protocol_next_module(&report.packed, &one)) {
        struct lam_module_stat stat = stat_of(&one);

        visit(context, &stat);
    }
    return (int)report.module_count;
}

int lam_remote_stat(struct lam_remote *remote, char *text, uint64_t capacity, uint64_t *bytes,
    uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_stats_report report;
    int rc = ask_stats(remote, NULL, LAM_PROTOCOL_STATS_TEXT, &report, deadline_ns, error);

    if (rc != 0)
        return rc;
    *bytes = report.text.bytes;
    if (capacity != 0)
        copy_text(text, capacity, report.text);
    return 0;
}

int lam_remote_health(struct lam_remote *remote, const char *module,
    struct lam_remote_health *health, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_HEALTH}}, answer;
    struct lam_protocol_health_report report;
    int rc;

    message.body.health.module = remote_view(module);
    rc = ask(remote, &message, deadline_ns, &answer, error);
    if (rc != 0)
        return rc;
    if (lam_protocol_read_health_report(&report, answer.body.response.data, error) != 0)
        return -EPROTO;
    health->state = (uint32_t)report.state;
    health->detail = report.detail;
    copy_text(health->text, sizeof(health->text), report.text);
    return 0;
}

int lam_remote_next_event(
    struct lam_remote *remote, struct lam_remote_event *event, uint64_t deadline_ns)
{
    struct lam_protocol_message message;
    struct line_room room = {remote->answer, remote->bytes_max, 0};
    int rc;

    if (!remote->has_events)
        return -ENOTSUP;
    rc = line_next(remote->line, deadline_ns, &room);
    if (rc != 0)
        return rc;
    if (lam_protocol_read_message(&message, room.bytes, room.count, &remote->why) != 0 ||
        message.header.type != LAM_PROTOCOL_EVENT)
        return -EPROTO;
    *event = (struct lam_remote_event){.kind = (enum lam_runtime_event_kind)message.body.event.kind,
        .value = message.body.event.value,
        .at_ns = message.body.event.at_ns};
    copy_text(event->name, sizeof(event->name), message.body.event.module);
    copy_text(event->text, sizeof(event->text), message.body.event.text);
    return 0;
}
