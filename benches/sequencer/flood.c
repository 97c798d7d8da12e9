/* SPDX-License-Identifier: Apache-2.0 */
/* As many events as a window lets through: beside bare appends of as many bytes, synced alike. */
#include "sequencer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"

#define PAYLOAD_BYTES 64
#define WINDOW        64
/* What an event takes in the journal: a record's header, the session's words, the payload. */
#define RECORD_BYTES (16 + 24 + PAYLOAD_BYTES)
#define HEADER_BYTES 128
#define SECTOR_BYTES 4096

enum lane { NODE, APPEND };

static const uint8_t payload[PAYLOAD_BYTES] = {1, 2, 3};

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench: flood: %s\n", what);
    exit(1);
}

/* @count events with as many in flight as the window allows. Returns events a second. */
static double flood(struct lam_sequencer_client *client, uint64_t count)
{
    uint64_t deadline_ns = lam_deadline_after_ns(120 * LAM_NS_PER_S);
    uint64_t sent = 0, answered = 0, request;
    uint64_t began = bench_now_ns();

    while (answered < count) {
        struct lam_sequencer_reply reply;
        int rc = 1;

        while (sent < count && sent - answered < WINDOW && rc == 1) {
            rc = lam_sequencer_client_try_send(client, 0, payload, sizeof(payload), &request);
            if (rc < 0)
                fail("the node has sent it away");
            sent += rc == 1;
        }
        if (lam_sequencer_client_wait_until(client, deadline_ns, &reply) != 0 ||
            reply.kind != LAM_SEQUENCER_REPLY)
            fail("no answer");
        answered++;
    }
    return (double)count * 1e9 / (double)(bench_now_ns() - began);
}

/* As many events in batches of a window, bare. Returns events a second. */
static double append(struct bare_log *log, uint64_t count)
{
    uint32_t bytes =
        (HEADER_BYTES + WINDOW * RECORD_BYTES + SECTOR_BYTES - 1) & ~(SECTOR_BYTES - 1);
    uint64_t began = bench_now_ns();

    for (uint64_t i = 0; i < count; i += WINDOW)
        bare_log_append(log, bytes);
    return (double)count * 1e9 / (double)(bench_now_ns() - began);
}

static void run_one(const struct bench_options *options, enum lam_sequencer_policy policy)
{
    struct turns turns = {.rounds = options->quick ? 2 : 11, .lanes = 2};
    uint64_t count = options->quick ? 640 : 12800;
    struct lam_sequencer_client *client;
    struct node_process node;
    struct bare_log log;

    bench_node_start(&node, "unix", policy);
    client = bench_node_client(&node);
    bare_log_open(&log, node.folder);
    for (uint32_t round = 0; round < turns.rounds; round++) {
        turns.figures[NODE][round] = flood(client, count);
        turns.figures[APPEND][round] = append(&log, count);
    }
    turns_report(&turns, "flood", policy == LAM_SEQUENCER_DISK ? "unix-disk" : "unix-none",
        PAYLOAD_BYTES, NODE, APPEND, "append of a window, synced");
    bench_report_count("window", WINDOW);
    printf("}\n");
    bare_log_close(&log);
    lam_sequencer_client_destroy(client);
    bench_node_stop(&node);
    bench_node_remove(&node);
}

static int run(const struct bench_options *options)
{
    run_one(options, LAM_SEQUENCER_NONE);
    run_one(options, LAM_SEQUENCER_DISK);
    return 0;
}

const struct sequencer_part sequencer_flood = {"flood", run};
