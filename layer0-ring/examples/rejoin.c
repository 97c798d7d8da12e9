/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring in a file, and a reader that its producer cannot do without: it is killed, what it has not
 * read is kept for it, and it goes on under its name. Nothing is lost, nothing comes twice.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/progress.h"
#include "lamina/ring/required.h"
#include "lamina/ring/stat.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 300
#define KILLED  100 /* after so many */

static char directory[] = "/tmp/lamina-rejoin-XXXXXX";

/* Read as "books" from where the one before stopped. Returns 0: all were there, in their order. */
static int keep_books(int first, int until, uint64_t end_ns)
{
    struct lam_ring_attach_options attach = {.name = "ledger", .directory = directory};
    struct lam_ring_consumer_options options = {.name = "books", .start = LAM_RING_RESUME};
    struct lam_ring_consumer books;
    struct lam_event event;
    struct lam_ring ring;
    lam_atomic_u64 *written;
    int number = first;

    if (lam_ring_attach(&ring, &attach, NULL) != 0 ||
        lam_ring_consumer_attach(&books, &ring, &options, NULL) != 0 ||
        lam_ring_consumer_counter(&books, "written", &written) != 0)
        return 1;
    /* The second one stays to the end of the stream: who leaves before is missing. */
    while ((until == ENTRIES || number < until) &&
           lam_ring_consumer_peek_until(&books, end_ns, &event) == 0) {
        if (memcmp(event.payload, &number, sizeof(number)) != 0)
            return 1;
        (void)lam_ring_consumer_release(&books);
        lam_ring_counter_add(written, 1);
        number++;
    }
    if (until != ENTRIES)
        (void)kill(getpid(), SIGKILL);
    lam_ring_consumer_detach(&books);
    lam_ring_detach(&ring);
    return number != until;
}

static pid_t start_books(int first, int until, uint64_t end_ns)
{
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(keep_books(first, until, end_ns));
    return child;
}

static void tell(void *context, const struct lam_ring_alert *alert)
{
    (void)context;
    printf("%s is %s\n", alert->name, alert->is_over ? "back" : "dead");
}

static int publish(struct lam_ring_producer *producer, int first, int until, uint64_t end_ns)
{
    for (int number = first; number < until; number++) {
        void *payload;

        if (lam_ring_producer_claim_until(producer, sizeof(number), end_ns, &payload) != 0)
            return 1;
        memcpy(payload, &number, sizeof(number));
        lam_ring_producer_commit(producer, sizeof(number), 1, 0);
    }
    return 0;
}

static int run(struct lam_ring *ring, struct lam_ring_producer *producer, uint64_t end_ns)
{
    static const char *const names[] = {"books"};
    static struct lam_ring_required required;
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .progress_ns = 20 * LAM_NS_PER_S, /* slow is not stalled: others may need the cores */
        .grace_ns = 20 * LAM_NS_PER_S,
        .alert = tell};
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    static struct lam_ring_stat stat;
    int status = 1;
    pid_t child;

    if (lam_ring_producer_require(producer, &required, &options, NULL) != 0)
        return 1;
    child = start_books(0, KILLED, end_ns);
    if (publish(producer, 0, KILLED, end_ns) != 0)
        return 1;
    (void)waitpid(child, &status, 0);
    (void)lam_ring_producer_check(producer);
    if (publish(producer, KILLED, KILLED + 50, end_ns) != 0) /* nobody reads, nothing is lost */
        return 1;
    child = start_books(KILLED, ENTRIES, end_ns);
    if (publish(producer, KILLED + 50, ENTRIES, end_ns) != 0 ||
        lam_ring_producer_await_consumed_until(
            producer, lam_ring_producer_published(producer) - 1, end_ns) != 0)
        return 1;
    (void)lam_ring_producer_check(producer);
    lam_ring_producer_close(producer);
    (void)waitpid(child, &status, 0);
    if (lam_ring_stat_read(ring, &stat) != 0 || lam_ring_counters_read(ring, 0, values) != 1)
        return 1;
    printf("%llu entries, %llu of them written by the second one\n",
        (unsigned long long)stat.events, (unsigned long long)values[0].value);
    return status;
}

int main(void)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_FILE, .name = "ledger", .directory = directory, .depth = 64};
    struct lam_ring_producer producer;
    struct lam_ring ring;
    int failed;

    if (mkdtemp(directory) == NULL || lam_ring_create(&ring, &options, NULL) != 0 ||
        lam_ring_producer_attach(&producer, &ring, NULL, NULL) != 0)
        return 1;
    failed = run(&ring, &producer, lam_deadline_after_ns(20 * LAM_NS_PER_S));
    lam_ring_producer_detach(&producer);
    failed |= lam_ring_destroy(&ring);
    return rmdir(directory) != 0 || failed;
}
