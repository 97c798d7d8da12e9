/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures_json.c: the whole run, for programs. Counts are whole numbers; the digest is text,
 * because a reader of JSON may not hold 64 bits.
 */

#include <inttypes.h>

#include "figures.h"

static void print_string(const char *text, FILE *out)
{
    (void)fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            (void)fprintf(out, "\\%c", *at);
        else if (*at < 0x20)
            (void)fprintf(out, "\\u%04x", *at);
        else
            (void)fputc(*at, out);
    }
    (void)fputc('"', out);
}

static void print_count(const char *key, uint64_t value, FILE *out)
{
    (void)fprintf(out, "\"%s\":%" PRIu64 ",", key, value);
}

static void print_text(const char *key, const char *value, FILE *out)
{
    (void)fprintf(out, "\"%s\":", key);
    print_string(value, out);
    (void)fputc(',', out);
}

static void print_run(const struct figures *figures, FILE *out)
{
    uint64_t duration_ns = figures->end_ns - figures->start_ns;
    double seconds = duration_ns > 0 ? (double)duration_ns / 1e9 : 1e-9;

    print_text("topology", figures->topology, out);
    print_text("input", figures->input, out);
    print_text("speed", figures->speed, out);
    (void)fprintf(out, "\"complete\":%s,", figures->complete ? "true" : "false");
    print_count("requests", figures->requests, out);
    print_count("requests_read", figures->requests_read, out);
    print_count("malformed", figures->malformed, out);
    print_count("mismatches", figures->mismatches, out);
    print_count("worker_count", figures->worker_count, out);
    print_count("steps", figures->steps, out);
    print_count("steps_repeated", figures->steps_repeated, out);
    print_count("duplicate_replies", figures->duplicates, out);
    print_count("prompt_tokens", figures->prompt_tokens, out);
    print_count("generated_tokens", figures->generated_tokens, out);
    (void)fprintf(out, "\"digest\":\"%016" PRIx64 "\",", figures->digest);
    print_count("duration_ns", duration_ns, out);
    (void)fprintf(out, "\"steps_per_s\":%.1f,\"tokens_per_s\":%.1f,",
        (double)figures->steps / seconds,
        (double)(figures->prompt_tokens + figures->generated_tokens) / seconds);
    print_count("step_p50_ns", figures_quantile(&figures->step_time, 500), out);
    print_count("step_p99_ns", figures_quantile(&figures->step_time, 990), out);
}

static void print_edge(const struct edge_figures *edge, FILE *out)
{
    print_string(edge->name, out);
    (void)fprintf(out, ":{");
    print_count("messages", edge->messages, out);
    print_count("bytes", edge->bytes, out);
    print_count("p50_ns", figures_quantile(&edge->latency, 500), out);
    (void)fprintf(out, "\"p99_ns\":%" PRIu64 "}", figures_quantile(&edge->latency, 990));
}

static void print_worker(const struct worker_figures *worker, FILE *out)
{
    (void)fputc('{', out);
    print_text("name", worker->name, out);
    print_count("replies", worker->replies, out);
    print_count("last", worker->last, out);
    print_count("deaths", worker->deaths, out);
    (void)fprintf(out, "\"mean_lag_ns\":%" PRIu64 "}",
        worker->replies > 0 ? worker->lag_ns / worker->replies : 0);
}

static void print_ring(const struct ring_facts *ring, FILE *out)
{
    (void)fputc('{', out);
    print_text("name", ring->name, out);
    print_text("placement", ring->placement, out);
    print_text("backing", ring->backing, out);
    print_text("waiting", ring->waiting, out);
    print_count("page_bytes", ring->page_bytes, out);
    print_count("cells", ring->cells, out);
    (void)fprintf(out, "\"cell_bytes\":%" PRIu32 "}", ring->cell_bytes);
}

void figures_print_json(const struct figures *figures, FILE *out)
{
    (void)fputc('{', out);
    print_run(figures, out);
    (void)fprintf(out, "\"edges\":{");
    print_edge(&figures->step_edge, out);
    (void)fputc(',', out);
    print_edge(&figures->reply_edge, out);
    (void)fprintf(out, "},\"workers\":[");
    for (uint32_t i = 0; i < figures->worker_count; i++) {
        (void)fputs(i > 0 ? "," : "", out);
        print_worker(&figures->workers[i], out);
    }
    (void)fprintf(out, "],\"rings\":[");
    for (uint32_t i = 0; i < figures->ring_count; i++) {
        (void)fputs(i > 0 ? "," : "", out);
        print_ring(&figures->rings[i], out);
    }
    (void)fprintf(out, "]}\n");
    (void)fflush(out);
}
