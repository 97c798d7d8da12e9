/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in the schedule in hand, and which places of the source it went through.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

struct step {
    const struct model_site *site;
    const char *what;
    const struct model_location *location;
    uint64_t value;
    uint32_t from;
    uint32_t actor;
};

static struct step steps[MODEL_STEP_COUNT];
static uint32_t step_count;
static struct model_site *sites;

struct model_site *model_sites(void)
{
    return sites;
}

void model_trace_begin(void)
{
    step_count = 0;
}

static void begin_site(struct model_site *site)
{
    const struct model_options *options = model_engine.options;

    if (site->run == 0) {
        site->next = sites;
        sites = site;
    }
    site->run = model_engine.run;
    site->now = site->order;
    if (options->weak_function != NULL && strcmp(options->weak_function, site->function) == 0 &&
        strcmp(options->weak_operation, site->operation) == 0 &&
        (options->weak_line == 0 || options->weak_line == site->line)) {
        site->now = MODEL_RELAXED;
        model_engine.result->weakened++;
    }
}

enum model_order model_order_of(struct model_site *site)
{
    if (site->run != model_engine.run)
        begin_site(site);
    return site->now;
}

uint32_t model_trace(const struct model_site *site, const char *what,
    const struct model_location *location, uint64_t value, uint32_t from_step)
{
    if (step_count == MODEL_STEP_COUNT)
        model_fail("bound: more than %d steps: a loop without end?", MODEL_STEP_COUNT);
    steps[step_count++] = (struct step){.site = site,
        .what = what,
        .location = location,
        .value = value,
        .from = from_step,
        .actor = model_engine.self};
    model_engine.result->steps++;
    return step_count;
}

static void describe(const struct model_location *location, char text[64])
{
    if (model_engine.program->describe != NULL)
        model_engine.program->describe(location->at, text);
    else
        (void)snprintf(text, 64, "%p", (const void *)location->at);
}

static void print_step(const struct step *step, uint32_t number)
{
    const char *slash = strrchr(step->site->file, '/');
    char name[64] = "";

    (void)fprintf(stderr, "%4u  ", number);
    if (step->actor == MODEL_FINALLY)
        (void)fprintf(stderr, "finally   ");
    else
        (void)fprintf(
            stderr, "%*sthread %u  ", (int)step->actor * 2, "", (unsigned)step->actor + 1);
    if (step->location == NULL) {
        (void)fprintf(stderr, "%s", step->what[0] == 'f' ? step->site->operation : step->what);
    } else {
        describe(step->location, name);
        (void)fprintf(stderr, "%s %s %s 0x%llx", step->site->operation, name, step->what,
            (unsigned long long)step->value);
        if (step->what[0] != 's' && step->what[0] != 'p')
            (void)fprintf(stderr, step->from == 0 ? " (from before)" : " (of step %u)", step->from);
    }
    (void)fprintf(stderr, "    %s, %s:%d\n", step->site->function,
        slash == NULL ? step->site->file : slash + 1, step->site->line);
}

void model_trace_print(void)
{
    for (uint32_t i = 0; i < step_count; i++)
        print_step(&steps[i], i + 1);
}
