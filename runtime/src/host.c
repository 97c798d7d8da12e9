/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: what modules are lent.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "later.h"

static uint64_t now_ns(void)
{
    return lam_clock_now_ns();
}

/* What a module says stays in its line, and moves nobody's cursor. */
static void write_plain(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' || byte == 0x7f)
            (void)fprintf(stderr, "\\x%02x", byte);
        else
            (void)fputc(byte, stderr);
    }
}

void lam_log_to_stderr(void *context, const char *module, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    (void)context;
    flockfile(stderr);
    write_plain(module);
    (void)fprintf(stderr, ": %s: ", names[level & 3]);
    write_plain(text);
    for (uint32_t i = 0; i < field_count; i++) {
        (void)fputc(' ', stderr);
        write_plain(fields[i].name);
        (void)fputc('=', stderr);
        write_plain(fields[i].value);
    }
    (void)fputc('\n', stderr);
    funlockfile(stderr);
}

static void write_log(const struct lam_call *call, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    const struct lam_module *module = lam_frame_of(call)->module;
    const struct lam_runtime_options *options = &module->runtime->options;

    if ((unsigned)level > LAM_LEVEL_ERROR)
        level = LAM_LEVEL_ERROR;
    options->log(options->log_context, module->name, level, text, fields, field_count);
}

static int call_module(struct lam_call *call, const char *name, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply)
{
    const struct lam_module *from = lam_frame_of(call)->module;
    struct lam_module *module = lam_runtime_find(from->runtime, name);

    if (module == NULL)
        return lam_reply_fail(reply, LAM_FAILURE_NO_MODULE, 0, -ENODEV);
    return lam_call_run(
        module, from->name, method, request, request_bytes, reply, call->deadline_ns);
}

const struct lam_host lam_host_table = {.bytes = sizeof(struct lam_host),
    .abi = LAM_ABI_VERSION,
    .now_ns = now_ns,
    .log = write_log,
    .metric = lam_metric_note,
    .call = call_module,
    .later = lam_later_take,
    .answer = lam_later_answer_by};

void lam_frame_init(struct lam_frame *frame, struct lam_module *module, const void *request,
    uint64_t request_bytes, void *reply, uint64_t reply_capacity)
{
    *frame = (struct lam_frame){.module = module};
    frame->call.bytes = sizeof(frame->call);
    frame->call.host = module->runtime->host;
    frame->call.request = request;
    frame->call.request_bytes = request_bytes;
    frame->call.reply = reply;
    frame->call.reply_capacity = reply_capacity;
    frame->call.deadline_ns = LAM_DEADLINE_NEVER;
    frame->call.caller = "";
    frame->call.frame = frame;
}
