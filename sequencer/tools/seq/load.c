/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lamina seq load: requests at a rate, open loop. Each has its time; what cannot be sent then,
 * since the window is full or this process was not run, is sent later, and its answer is late.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/histogram.h"
#include "lamina/base/poll.h"
#include "verbs.h"

struct load {
    const struct arguments *arguments;
    struct lam_sequencer_client *client;
    struct lam_histogram *times;
    void *bytes;
    size_t count;
    uint64_t begin_ns, step_ps; /* between two requests, in 1/1000 ns */
    uint64_t total, sent, answered, refused, repeated, longest_ns;
    uint64_t first; /* the number of the first request */
};

static uint64_t due_ns(const struct load *load, uint64_t index)
{
    return load->begin_ns + (uint64_t)((__uint128_t)index * load->step_ps / 1000);
}

/* All that is due and for which there is room. Returns 0 or -errno. */
static int send_due(struct load *load)
{
    uint64_t request;

    while (load->sent < load->total && due_ns(load, load->sent) <= lam_clock_now_ns()) {
        int rc = lam_sequencer_client_try_send(
            load->client, load->arguments->is_query, load->bytes, load->count, &request);

        if (rc != 1)
            return rc;
        if (load->sent++ == 0)
            load->first = request;
    }
    return 0;
}

static void count(struct load *load, const struct lam_sequencer_reply *reply)
{
    uint64_t took_ns = lam_clock_now_ns() - due_ns(load, reply->request - load->first);

    load->answered++;
    load->refused += reply->kind == LAM_SEQUENCER_REFUSED;
    load->repeated += reply->is_repeat != 0;
    load->longest_ns = took_ns > load->longest_ns ? took_ns : load->longest_ns;
    lam_histogram_record(load->times, took_ns);
}

/* For the next answer, or the next request's time. */
static void wait(const struct load *load, uint64_t end_ns)
{
    uint64_t until_ns = 0;
    int fd = lam_sequencer_client_fd(load->client, &until_ns);

    if (load->sent < load->total && due_ns(load, load->sent) > lam_clock_now_ns() &&
        due_ns(load, load->sent) < until_ns)
        until_ns = due_ns(load, load->sent);
    (void)lam_poll_until(fd, POLLIN, until_ns < end_ns ? until_ns : end_ns);
}

/* Returns 0, or -errno of the client; -ETIMEDOUT: some have no answer. */
static int run(struct load *load)
{
    struct lam_sequencer_reply reply = {.request = 0};
    uint64_t end_ns = due_ns(load, load->total);

    end_ns = load->arguments->timeout_ns < UINT64_MAX - end_ns
                 ? end_ns + load->arguments->timeout_ns
                 : UINT64_MAX;
    while (load->answered < load->total) {
        int rc = send_due(load);

        if (rc == 0)
            rc = lam_sequencer_client_step(load->client, &reply);
        if (rc < 0)
            return rc;
        if (rc == 1)
            count(load, &reply);
        else if (lam_clock_now_ns() >= end_ns)
            return -ETIMEDOUT;
        else
            wait(load, end_ns);
    }
    return 0;
}

/* The largest value that bucket @index counts: the next one's smallest, less one. */
static uint64_t top_of(uint32_t index)
{
    uint64_t low = 0, high = UINT64_MAX;

    while (low < high) { /* the largest value of a bucket up to this one */
        uint64_t middle = low + (high - low) / 2 + 1;

        if (lam_histogram_bucket(middle) <= index)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* Of a million. */
static uint64_t quantile(const struct load *load, uint64_t millionths)
{
    uint64_t wanted = (load->answered * millionths + 999999) / 1000000, seen = 0;

    for (uint32_t i = 0; i < LAM_HISTOGRAM_BUCKET_COUNT; i++) {
        seen += lam_load_relaxed(&load->times->counts[i]); /* nobody records any more */
        if (seen >= wanted && seen != 0)
            return top_of(i) < load->longest_ns ? top_of(i) : load->longest_ns;
    }
    return 0;
}

static void report(const struct load *load)
{
    static const struct {
        const char *name;
        uint64_t millionths;
    } quantiles[] = {{"p50_ns", 500000}, {"p90_ns", 900000}, {"p99_ns", 990000},
        {"p99_9_ns", 999000}, {"p99_99_ns", 999900}};

    (void)printf("{\"rate\":%.0f,\"seconds\":%g,\"bytes\":%zu,\"sent\":%llu,\"answered\":%llu,"
                 "\"refused\":%llu,\"repeated\":%llu",
        load->arguments->rate, load->arguments->seconds, load->count,
        (unsigned long long)load->sent, (unsigned long long)load->answered,
        (unsigned long long)load->refused, (unsigned long long)load->repeated);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        (void)printf(",\"%s\":%llu", quantiles[i].name,
            (unsigned long long)quantile(load, quantiles[i].millionths));
    (void)printf(",\"max_ns\":%llu}\n", (unsigned long long)load->longest_ns);
}

/* Returns the exit code. */
static int write_histogram(const struct load *load, const char *path)
{
    FILE *file = fopen(path, "w");
    int is_written = file != NULL;

    for (uint32_t i = 0; is_written && i < LAM_HISTOGRAM_BUCKET_COUNT; i++) {
        uint64_t many = lam_load_relaxed(&load->times->counts[i]); /* as above */

        if (many != 0)
            is_written = fprintf(file, "%llu %llu\n", (unsigned long long)top_of(i),
                             (unsigned long long)many) > 0;
    }
    if (file != NULL && fclose(file) != 0)
        is_written = 0;
    return is_written ? 0 : complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
}

static int go(struct load *load)
{
    int code = 0, rc;

    load->begin_ns = lam_clock_now_ns();
    rc = run(load);
    report(load);
    if (rc != 0)
        code = seq_failed(load->client, rc);
    else if (load->refused != 0)
        code = EXIT_REFUSED;
    if (load->arguments->histogram != NULL && code != EXIT_WRONG)
        rc = write_histogram(load, load->arguments->histogram);
    return rc == EXIT_WRONG ? rc : code;
}

int verb_load(const struct arguments *arguments)
{
    struct load load = {.arguments = arguments, .count = arguments->bytes};
    int code;

    if (arguments->rate == 0)
        return complain(EXIT_WRONG, "load: --rate N says how many requests a second");
    if (arguments->word_count > 1)
        return complain(EXIT_WRONG, "load takes one request, not \"%s\"", arguments->words[1]);
    if (arguments->word_count == 1)
        load.count = strlen(arguments->words[0]);
    load.step_ps = (uint64_t)(1e12 / arguments->rate);
    load.total = (uint64_t)(arguments->rate * arguments->seconds);
    load.times = calloc(1, sizeof(*load.times));
    load.bytes = calloc(1, load.count + 1);
    if (load.times == NULL || load.bytes == NULL) {
        free(load.times);
        free(load.bytes);
        return complain(EXIT_REFUSED, "out of memory");
    }
    if (arguments->word_count == 1)
        memcpy(load.bytes, arguments->words[0], load.count);
    code = seq_connect(arguments, &load.client);
    if (code == 0) {
        code = go(&load);
        seq_end(load.client);
    }
    free(load.times);
    free(load.bytes);
    return code;
}
