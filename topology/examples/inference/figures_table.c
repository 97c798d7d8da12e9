/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures_table.c: the whole run, for people.
 */

#include <inttypes.h>

#include "figures.h"

static double run_seconds(const struct figures *figures)
{
    double seconds = (double)(figures->end_ns - figures->start_ns) / 1e9;

    return seconds > 1e-9 ? seconds : 1e-9;
}

static void print_edge(const struct edge_figures *edge, double seconds, FILE *out)
{
    (void)fprintf(out, "  %-12s %12" PRIu64 " %14" PRIu64 " %12.0f %10.1f %10.1f %10.1f\n",
        edge->name, edge->messages, edge->bytes, (double)edge->messages / seconds,
        (double)edge->bytes / seconds / 1e6, (double)figures_quantile(&edge->latency, 500) / 1e3,
        (double)figures_quantile(&edge->latency, 990) / 1e3);
}

static void print_summary(const struct figures *figures, FILE *out)
{
    double seconds = run_seconds(figures);

    (void)fprintf(out,
        "\n%s: %" PRIu64 " requests %s in %.2f s, %" PRIu32 " workers, %" PRIu64 " mismatches\n",
        figures->topology, figures->requests,
        figures->complete ? "finished" : "finished before the stop", seconds, figures->worker_count,
        figures->mismatches);
    (void)fprintf(out,
        "  %" PRIu64 " steps (%.0f/s), %" PRIu64 " prompt and %" PRIu64
        " generated tokens (%.0f/s), digest %016" PRIx64 "\n",
        figures->steps, (double)figures->steps / seconds, figures->prompt_tokens,
        figures->generated_tokens,
        (double)(figures->prompt_tokens + figures->generated_tokens) / seconds, figures->digest);
    (void)fprintf(out, "  broadcast to gather: p50 %.1f us, p99 %.1f us, p99.9 %.1f us\n",
        (double)figures_quantile(&figures->step_time, 500) / 1e3,
        (double)figures_quantile(&figures->step_time, 990) / 1e3,
        (double)figures_quantile(&figures->step_time, 999) / 1e3);
    if (figures->malformed > 0)
        (void)fprintf(out, "  %" PRIu64 " malformed lines skipped\n", figures->malformed);
    if (figures->steps_repeated > 0 || figures->duplicates > 0)
        (void)fprintf(out,
            "  %" PRIu64 " steps broadcast again, %" PRIu64 " duplicate replies dropped\n",
            figures->steps_repeated, figures->duplicates);
}

static void print_workers(const struct figures *figures, FILE *out)
{
    (void)fprintf(out, "\n  %-12s %12s %14s %12s %10s\n", "worker", "replies", "mean lag us",
        "last, steps", "deaths");
    for (uint32_t i = 0; i < figures->worker_count; i++) {
        const struct worker_figures *worker = &figures->workers[i];
        double replies = worker->replies > 0 ? (double)worker->replies : 1;

        (void)fprintf(out, "  %-12s %12" PRIu64 " %14.1f %12" PRIu64 " %10" PRIu64 "\n",
            worker->name, worker->replies, (double)worker->lag_ns / replies / 1e3, worker->last,
            worker->deaths);
    }
}

static void print_rings(const struct figures *figures, FILE *out)
{
    (void)fprintf(out, "\n  %-24s %8s %6s %9s  %-10s %-18s %s\n", "ring", "cells", "bytes", "page",
        "placement", "backing", "waiting");
    for (uint32_t i = 0; i < figures->ring_count; i++) {
        const struct ring_facts *ring = &figures->rings[i];

        (void)fprintf(out, "  %-24s %8" PRIu64 " %6" PRIu32 " %5" PRIu64 " KiB  %-10s %-18s %s\n",
            ring->name, ring->cells, ring->cell_bytes, ring->page_bytes / 1024, ring->placement,
            ring->backing, ring->waiting);
    }
}

void figures_print_table(const struct figures *figures, FILE *out)
{
    print_summary(figures, out);
    (void)fprintf(out, "\n  %-12s %12s %14s %12s %10s %10s %10s\n", "edge", "messages", "bytes",
        "messages/s", "MB/s", "p50 us", "p99 us");
    print_edge(&figures->step_edge, run_seconds(figures), out);
    print_edge(&figures->reply_edge, run_seconds(figures), out);
    print_workers(figures, out);
    print_rings(figures, out);
    (void)fflush(out);
}
