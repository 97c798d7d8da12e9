/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role of numbers.yaml: a source of numbers, or a sink that adds them up.
 *
 * The source prints "sums agree" when every sink that was there from the start saw every number.
 * The parameter `fault` makes one process fail at one step in one way.
 */
#include "lamina/base/clock.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/topology/topology.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SINKS_MAX  8
#define PATIENCE_S 20

struct fault {
    char end[LAM_TOPOLOGY_RING_NAME_BYTES];
    unsigned long long step;
    char what[16];
};

static struct lam_topology *topology;
static struct fault fault;

__attribute__((noreturn)) static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s: %s\n", lam_topology_end_name(topology), what, why);
    exit(9);
}

static uint64_t number_parameter(const char *key)
{
    return strtoull(lam_topology_parameter(topology, key), NULL, 10);
}

static void read_fault(void)
{
    struct lam_topology_peer self;

    (void)lam_topology_peer(
        topology, lam_topology_role(topology), lam_topology_index(topology), &self);
    if (sscanf(lam_topology_parameter(topology, "fault"), "%63[^:]:%llu:%15s", fault.end,
            &fault.step, fault.what) != 3 ||
        strcmp(fault.end, lam_topology_end_name(topology)) != 0)
        fault.what[0] = '\0';
    if (self.starts > 1)
        fault.what[0] = '\0';
}

/* At @step: fail, if it is this process' turn. */
static void progress(uint64_t step)
{
    lam_topology_progress(topology, step);
    if (fault.what[0] == '\0' || step != fault.step)
        return;
    if (strcmp(fault.what, "kill") == 0)
        (void)raise(SIGKILL);
    if (strcmp(fault.what, "exit") == 0)
        exit(3);
    if (strcmp(fault.what, "hang") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        for (;;)
            (void)pause();
    }
}

static void attach(struct lam_ring *ring, const char *edge, uint32_t index, enum lam_access access)
{
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_ring_attach_options options = {.name = name, .access = access};
    struct lam_error error;

    if (lam_topology_ring_name(topology, edge, index, name) != 0)
        fail(edge, "no such ring");
    if (lam_ring_attach(ring, &options, &error) != 0)
        fail("attach", error.text);
}

static void produce(struct lam_ring_producer *producer, struct lam_ring *ring, const char *edge)
{
    struct lam_ring_producer_options options = {.wait = lam_topology_edge(topology, edge)->wait};
    struct lam_error error;

    if (lam_ring_producer_attach(producer, ring, &options, &error) != 0)
        fail("producer", error.text);
}

static void consume(struct lam_ring_consumer *consumer, struct lam_ring *ring, const char *edge)
{
    struct lam_ring_consumer_options options = {
        .name = lam_topology_end_name(topology), .wait = lam_topology_edge(topology, edge)->wait};
    struct lam_error error;

    if (lam_ring_consumer_attach(consumer, ring, &options, &error) != 0)
        fail("consumer", error.text);
}

static void send_number(struct lam_ring_producer *producer, uint64_t number)
{
    void *payload;
    int code = lam_ring_producer_claim_until(
        producer, sizeof(number), lam_deadline_after_ns(PATIENCE_S * LAM_NS_PER_S), &payload);

    if (code != 0)
        fail("claim", strerror(-code));
    memcpy(payload, &number, sizeof(number));
    lam_ring_producer_commit(producer, sizeof(number), 1, 0);
}

/* 0 or the error of the peek; the number is taken and released. */
static int receive_number(struct lam_ring_consumer *consumer, uint64_t *number)
{
    struct lam_event event;
    int code = lam_ring_consumer_peek_until(
        consumer, lam_deadline_after_ns(PATIENCE_S * LAM_NS_PER_S), &event);

    if (code != 0)
        return code;
    memcpy(number, event.payload, sizeof(*number));
    lam_ring_consumer_release(consumer);
    return 0;
}

static void publish_all(struct lam_ring_producer *numbers, uint64_t events)
{
    uint64_t pause = number_parameter("pause");

    for (uint64_t i = 1; i <= events; i++) {
        send_number(numbers, i);
        progress(i);
        if (pause > 0)
            (void)usleep((useconds_t)pause);
    }
    lam_ring_producer_close(numbers);
}

static int run_source(void)
{
    static struct lam_ring rings[SINKS_MAX + 1];
    static struct lam_ring_consumer sums[SINKS_MAX];
    struct lam_ring_producer numbers;
    struct lam_error error;
    uint64_t events = number_parameter("events");
    uint32_t sinks = lam_topology_count(topology, "sinks");
    uint32_t agree = 0;

    attach(&rings[SINKS_MAX], "numbers", 0, LAM_ACCESS_WRITE);
    produce(&numbers, &rings[SINKS_MAX], "numbers");
    for (uint32_t i = 0; i < sinks; i++) {
        attach(&rings[i], "sums", i, LAM_ACCESS_READ);
        consume(&sums[i], &rings[i], "sums");
    }
    lam_topology_ready(topology);
    if (lam_topology_wait_ready_until(
            topology, "sinks", lam_deadline_after_ns(PATIENCE_S * LAM_NS_PER_S), &error) != 0)
        fail("wait", error.text);
    publish_all(&numbers, events);
    for (uint32_t i = 0; i < sinks; i++) {
        uint64_t sum = 0;
        int code;

        /* A sink that died is started again, and its ring with it. */
        while ((code = receive_number(&sums[i], &sum)) == -EOWNERDEAD)
            (void)usleep(1000);
        if (code != 0)
            fail("sum", strerror(-code));
        agree += sum == events * (events + 1) / 2;
    }
    lam_ring_producer_detach(&numbers);
    (void)printf("%u of %u sums agree\n", agree, sinks);
    return 0;
}

static int run_sink(void)
{
    static struct lam_ring in, out;
    struct lam_ring_consumer numbers;
    struct lam_ring_producer sums;
    uint64_t number, sum = 0;
    int code;

    attach(&in, "numbers", 0, LAM_ACCESS_READ);
    attach(&out, "sums", lam_topology_index(topology), LAM_ACCESS_WRITE);
    consume(&numbers, &in, "numbers");
    produce(&sums, &out, "sums");
    lam_topology_ready(topology);
    while ((code = receive_number(&numbers, &number)) == 0) {
        sum += number;
        progress(number);
    }
    if (code != -EPIPE)
        fail("number", strerror(-code));
    send_number(&sums, sum);
    lam_ring_producer_close(&sums);
    lam_ring_producer_detach(&sums);
    (void)printf("a sink has ended\n");
    return 0;
}

int main(int argc, char **argv)
{
    struct lam_error error;
    const char *file = argc > 1 ? argv[1] : NULL;
    const char *role = argc > 2 ? argv[2] : NULL;
    int result;

    if (lam_topology_open(&topology, file, role, 0, &error) != 0) {
        (void)fprintf(stderr, "role: %s\n", error.text);
        return 8;
    }
    if (strcmp(lam_topology_parameter(topology, "file"), "show") == 0)
        (void)fprintf(stderr, "path %s\n", lam_topology_parameter_path(topology, "file"));
    read_fault();
    result = strcmp(lam_topology_role(topology), "source") == 0 ? run_source() : run_sink();
    lam_topology_close(topology);
    return result;
}
