/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a node is back: beside reading its journal and the checksum of all of it, bare. */
#include "sequencer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "lamina/base/crc32c.h"
#include "report.h"

#define PAYLOAD_BYTES 64
#define WINDOW        64

enum lane { NODE, BARE };

static const uint8_t payload[PAYLOAD_BYTES] = {1, 2, 3};

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench: recovery: %s\n", what);
    exit(1);
}

static void fill(const struct node_process *node, uint64_t count)
{
    struct lam_sequencer_client *client = bench_node_client(node);
    uint64_t deadline_ns = lam_deadline_after_ns(120 * LAM_NS_PER_S);
    uint64_t sent = 0, answered = 0, request;

    while (answered < count) {
        struct lam_sequencer_reply reply;

        while (sent < count && sent - answered < WINDOW &&
               lam_sequencer_client_try_send(client, 0, payload, sizeof(payload), &request) == 1)
            sent++;
        if (lam_sequencer_client_wait_until(client, deadline_ns, &reply) != 0)
            fail("no answer");
        answered++;
    }
    lam_sequencer_client_destroy(client);
}

/* One file, read and checked. Returns its bytes. */
static uint64_t read_one(int folder, const char *name, uint8_t *bytes, size_t capacity)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    static volatile uint32_t keep;
    uint64_t total = 0;
    ssize_t got;

    if (file < 0)
        fail(name);
    while ((got = read(file, bytes, capacity)) > 0) {
        keep = lam_crc32c(keep, bytes, (size_t)got);
        total += (uint64_t)got;
    }
    (void)close(file);
    return total;
}

/* All regular files of @folder. Returns their bytes; *@elapsed_ns what it took. */
static uint64_t read_all(const char *folder, uint64_t *elapsed_ns)
{
    static uint8_t bytes[1 << 20];
    uint64_t began = bench_now_ns(), total = 0;
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    if (directory == NULL)
        fail(folder);
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_type == DT_REG)
            total += read_one(dirfd(directory), entry->d_name, bytes, sizeof(bytes));
    (void)closedir(directory);
    *elapsed_ns = bench_now_ns() - began;
    return total;
}

static int run(const struct bench_options *options)
{
    struct turns turns = {.rounds = options->quick ? 2 : 9, .lanes = 2};
    uint64_t count = options->quick ? 1000 : 500000;
    uint64_t total = 0, elapsed_ns;
    struct node_process node;

    bench_node_start(&node, "unix", LAM_SEQUENCER_NONE);
    fill(&node, count);
    bench_node_stop(&node);
    for (uint32_t round = 0; round < turns.rounds; round++) {
        total = read_all(node.folder, &elapsed_ns);
        turns.figures[BARE][round] = (double)elapsed_ns;
        turns.figures[NODE][round] = (double)bench_node_restart(&node);
        bench_node_stop(&node);
    }
    turns_report(&turns, "recovery", "unix-none", PAYLOAD_BYTES, NODE, BARE,
        "read and checksum of the files");
    bench_report_count("events", count);
    bench_report_count("bytes", total);
    printf("}\n");
    bench_node_remove(&node);
    return 0;
}

const struct sequencer_part sequencer_recovery = {"recovery", run};
