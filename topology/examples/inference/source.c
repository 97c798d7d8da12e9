/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lamina/base/clock.h"

/* A trace of nothing but bad lines must not drown what else is told. */
#define MALFORMED_TOLD_MAX 20

int source_open(
    struct source *source, const struct source_options *options, struct lam_error *error)
{
    int rc;

    source->has_next = 0;
    source->at_end = 0;
    source->read_count = 0;
    source->malformed_count = 0;
    source->skip_malformed = strcmp(options->malformed, "skip") == 0;
    if (!source->skip_malformed && strcmp(options->malformed, "fatal") != 0)
        return lam_error_set(
            error, -EINVAL, "malformed is \"%s\"; it can be skip or fatal", options->malformed);
    rc = pace_init(&source->pace, options->speed, error);
    return rc != 0 ? rc : trace_open(&source->trace, options->input, error);
}

void source_close(struct source *source)
{
    trace_close(&source->trace);
}

static void tell_malformed(struct source *source, const struct lam_error *error)
{
    source->malformed_count++;
    if (source->malformed_count <= MALFORMED_TOLD_MAX)
        (void)fprintf(stderr, "scheduler: skipped %s\n", error->text);
    if (source->malformed_count == MALFORMED_TOLD_MAX)
        (void)fprintf(stderr, "scheduler: further malformed lines are counted, not told\n");
}

/* Read one request ahead. Returns 1, 0 none has come yet, or an error of source_try_take(). */
static int read_next(struct source *source, uint64_t now_ns, struct lam_error *error)
{
    struct lam_error why = {""};
    struct trace_line line;
    int rc;

    for (;;) {
        rc = trace_try_next(&source->trace, &line, &why);
        if (rc == 1)
            break;
        if (rc == -ENODATA)
            source->at_end = 1;
        if (rc != -EBADMSG || !source->skip_malformed)
            return rc >= 0 || rc == -ENODATA ? rc : lam_error_set(error, rc, "%s", why.text);
        tell_malformed(source, &why);
    }
    source->next_due_ns = pace_due_ns(&source->pace, line.arrival_ns, now_ns);
    source->next = (struct batch_sequence){
        .id = ++source->read_count,
        .arrival_ns = source->next_due_ns,
        .prompt_count = line.context_tokens,
        .generation_limit = line.generated_tokens,
    };
    source->has_next = 1;
    return 1;
}

int source_try_take(struct source *source, uint64_t now_ns, struct batch_sequence *sequence,
    struct lam_error *error)
{
    if (!source->has_next) {
        int rc = source->at_end ? -ENODATA : read_next(source, now_ns, error);

        if (rc != 1)
            return rc;
    }
    if (source->next_due_ns > now_ns)
        return 0;
    *sequence = source->next;
    source->has_next = 0;
    return 1;
}

void source_wait(const struct source *source, uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint64_t until_ns = deadline_ns;

    if (source->has_next && source->next_due_ns < until_ns)
        until_ns = source->next_due_ns;
    if (until_ns <= now_ns)
        return;
    if (source->has_next || source->at_end) {
        struct timespec span = {.tv_sec = (time_t)((until_ns - now_ns) / LAM_NS_PER_S),
            .tv_nsec = (long)((until_ns - now_ns) % LAM_NS_PER_S)};

        (void)nanosleep(&span, NULL);
    } else {
        trace_wait(&source->trace, (int)((until_ns - now_ns + LAM_NS_PER_MS - 1) / LAM_NS_PER_MS));
    }
}
