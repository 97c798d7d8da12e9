/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures_live.c: the line of each second.
 */

#include <inttypes.h>
#include <string.h>

#include "figures.h"
#include "lamina/base/clock.h"

/* A wait as long as this is told as such, and not as a habit of the whole second. */
#define WAIT_TOLD_NS (100 * LAM_NS_PER_MS)

uint64_t figures_quantile(const struct lam_histogram *histogram, uint32_t per_mille)
{
    uint64_t value_ns;

    return lam_histogram_quantile(histogram, per_mille, &value_ns) == 0 ? value_ns : 0;
}

static void print_rate(double rate, FILE *out)
{
    if (rate >= 1e6)
        (void)fprintf(out, "%.2fM", rate / 1e6);
    else if (rate >= 1e4)
        (void)fprintf(out, "%.1fk", rate / 1e3);
    else
        (void)fprintf(out, "%.0f", rate);
}

static void print_lags(const struct figures *figures, FILE *out)
{
    (void)fprintf(out, "  lag us");
    for (uint32_t i = 0; i < figures->worker_count; i++) {
        const struct worker_figures *worker = &figures->workers[i];

        if (worker->window_replies == 0)
            (void)fprintf(out, " -");
        else
            (void)fprintf(
                out, " %.1f", (double)worker->window_lag_ns / (double)worker->window_replies / 1e3);
    }
}

/* Who held the steps up: now, if it has taken long already, else most often in this window. */
static void print_waited_for(
    const struct figures *figures, const struct waiting_for *waiting, uint64_t now_ns, FILE *out)
{
    const struct worker_figures *slowest = NULL;

    if (waiting->name != NULL && now_ns - waiting->since_ns >= WAIT_TOLD_NS) {
        (void)fprintf(out, "  waiting for %s at step %" PRIu64 ", %.1f s already", waiting->name,
            waiting->step, (double)(now_ns - waiting->since_ns) / 1e9);
        return;
    }
    for (uint32_t i = 0; i < figures->worker_count; i++)
        if (slowest == NULL || figures->workers[i].window_last > slowest->window_last)
            slowest = &figures->workers[i];
    if (slowest != NULL && figures->window_steps > 0)
        (void)fprintf(out, "  waited for %s (%" PRIu64 " %%)", slowest->name,
            slowest->window_last * 100 / figures->window_steps);
    else
        (void)fprintf(out, "  waiting for requests");
}

static void begin_window(struct figures *figures, uint64_t now_ns)
{
    figures->window_start_ns = now_ns;
    figures->window_steps = 0;
    figures->window_tokens = 0;
    memset(&figures->window_step_time, 0, sizeof(figures->window_step_time));
    for (uint32_t i = 0; i < figures->worker_count; i++) {
        figures->workers[i].window_replies = 0;
        figures->workers[i].window_lag_ns = 0;
        figures->workers[i].window_last = 0;
    }
}

void figures_print_live(
    struct figures *figures, const struct waiting_for *waiting, uint64_t now_ns, FILE *out)
{
    double seconds = (double)(now_ns - figures->window_start_ns) / 1e9;

    (void)fprintf(
        out, "%6.1f s  %" PRIu64, (double)(now_ns - figures->start_ns) / 1e9, figures->requests);
    if (figures->requests_total > 0)
        (void)fprintf(out, "/%" PRIu64 " requests  ", figures->requests_total);
    else
        (void)fprintf(out, " of %" PRIu64 " requests so far  ", figures->requests_read);
    print_rate(seconds > 0 ? (double)figures->window_steps / seconds : 0, out);
    (void)fprintf(out, " steps/s  ");
    print_rate(seconds > 0 ? (double)figures->window_tokens / seconds : 0, out);
    (void)fprintf(out, " tokens/s  step p50 %.0f us p99 %.0f us",
        (double)figures_quantile(&figures->window_step_time, 500) / 1e3,
        (double)figures_quantile(&figures->window_step_time, 990) / 1e3);
    print_lags(figures, out);
    print_waited_for(figures, waiting, now_ns, out);
    (void)fprintf(out, "\n");
    (void)fflush(out);
    begin_window(figures, now_ns);
}
