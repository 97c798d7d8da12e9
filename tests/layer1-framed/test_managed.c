/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what layer 0 knows of required and awaited consumers holds for messages; and a message of
 * frames that a required receiver's failure comes upon is left with an end by every policy: cut and
 * told as cut, or sent whole.
 * Method: a receiver that the sender requires stops reading in the middle of a message that is many
 * times the ring, while another one reads on in a thread of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

#define BYTES 20000 /* of the message; the ring has 1024 */

static struct channel channel; /* its receiver reads on */
static struct lam_framed_receiver needed;
static struct lam_framed_message message;
static struct lam_ring_required required;
static const char *const names[] = {"needed"};
static uint8_t bytes[BYTES];

static void open_channel(void)
{
    channel_open(&channel, 16);
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(managed, .init = open_channel, .fini = close_channel, .timeout = 30);

static void require(enum lam_ring_failure_action action)
{
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .action = action,
        .startup_ns = LAM_NS_PER_MS,
        .progress_ns = LAM_NS_PER_MS,
        .check_ns = LAM_NS_PER_MS,
        .grace_ns = LAM_NS_PER_MS};

    cr_assert(eq(int, lam_framed_sender_require(&channel.sender, &required, &options, NULL), 0));
}

static uint64_t patience_ns; /* of the one that is needed; 0: it is never evicted */

static void attach_needed(enum lam_ring_start start)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = BYTES,
        .consumer = {.name = "needed",
            .start = start,
            .policy = patience_ns != 0 ? LAM_RING_GATE_THEN_EVICT : LAM_RING_GATE,
            .patience_ns = patience_ns}};

    cr_assert(eq(int, lam_framed_receiver_attach(&needed, &channel.ring, &options, NULL), 0));
}

/* What the one that reads on saw: codes and messages, until the first that is @stop_at. */
struct reader {
    int stop_at;
    unsigned messages;
    unsigned cuts;
    int is_wrong;
};

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    struct lam_framed_message got;
    struct lam_framed_loss loss;

    for (;;) {
        int rc = lam_framed_receiver_receive_until(&channel.receiver, soon(), &got);

        if (rc == 0) {
            reader->is_wrong |= !known_is(&got, 3, got.payload_bytes);
            reader->messages++;
            lam_framed_receiver_release(&channel.receiver, &got);
        } else if (rc == -ECANCELED && lam_framed_receiver_loss(&channel.receiver, &loss)) {
            reader->is_wrong |= loss.total_bytes != BYTES || loss.kind != 3;
            reader->cuts++;
        }
        if (rc == reader->stop_at || (reader->stop_at == 0 && rc == 0))
            return NULL;
        if (rc != 0 && (rc != -ECANCELED || reader->cuts > 1)) {
            (void)fprintf(stderr, "reader: %d\n", rc);
            reader->is_wrong = 1;
            return NULL;
        }
    }
}

static void *send_large(void *arg)
{
    struct iovec part = {bytes, BYTES};

    known_fill(bytes, 3, 0, BYTES);
    *(int *)arg = lam_framed_sender_send_until(&channel.sender, &part, 1, 3, NULL, soon());
    return NULL;
}

/* Send the large message, one receiver reading on until @stop_at. Returns what the send said. */
static int send_past_needed(struct reader *reader)
{
    pthread_t thread;
    int rc = 0;

    cr_assert(eq(int, pthread_create(&thread, NULL, read_on, reader), 0));
    (void)send_large(&rc);
    if (rc == -ECANCELED && reader->stop_at == 0) {
        /* The next message, once it is back. */
        while (lam_framed_receiver_try_receive(&needed, &message) == 0)
            continue;
        cr_assert(eq(int, lam_framed_receiver_try_receive(&needed, &message), 0));
        cr_assert(eq(int, known_try_send(&channel.sender, 3, 100), 1));
    }
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, reader->is_wrong, 0));
    return rc;
}

Test(managed, a_message_whose_publish_fails_midway_is_cut_for_all_and_the_next_is_intact)
{
    struct reader reader = {.stop_at = 0};

    attach_needed(LAM_RING_HEAD);
    require(LAM_RING_FAIL_CALL);
    cr_assert(eq(int, send_past_needed(&reader), -ECANCELED));
    cr_assert(eq(uint, reader.cuts, 1));
    cr_assert(eq(uint, reader.messages, 1));
    cr_assert(not(lam_framed_sender_is_streaming(&channel.sender)));
    cr_assert(eq(int, lam_framed_receiver_receive_until(&needed, soon(), &message), 0));
    cr_assert(known_is(&message, 3, 100));
    lam_framed_receiver_detach(&needed);
}

Test(managed, a_publish_goes_on_past_one_that_is_evicted_for_it)
{
    struct reader reader = {.stop_at = 0};
    struct lam_framed_loss loss;

    patience_ns = 1000 * LAM_NS_PER_S; /* it may be evicted, but not for its patience */
    attach_needed(LAM_RING_HEAD);
    require(LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, send_past_needed(&reader), 0));
    cr_assert(eq(uint, reader.messages, 1));
    cr_assert(eq(uint, reader.cuts, 0));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&needed, &message), -ESTALE));
    cr_assert(eq(int, lam_framed_receiver_readmit(&needed, LAM_RING_HEAD, NULL), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&needed, &loss), 1));
    cr_assert(loss.event_count > 16);
    cr_assert(eq(int, known_try_send(&channel.sender, 4, 100), 1));
    cr_assert(eq(int, known_try_receive(&needed, 4, 100), 1));
    lam_framed_receiver_detach(&needed);
}

Test(managed, a_channel_that_is_failed_midway_ends_its_message_and_then_itself)
{
    struct reader reader = {.stop_at = 0};
    struct lam_framed_loss loss;

    attach_needed(LAM_RING_HEAD);
    require(LAM_RING_FAIL_RING);
    reader.stop_at = -ECANCELED;
    cr_assert(eq(int, send_past_needed(&reader), -ECANCELED));
    cr_assert(eq(uint, reader.cuts, 1));
    cr_assert(eq(uint, reader.messages, 0));
    cr_assert(eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message),
        -ECANCELED)); /* the channel, now */
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 0));
    lam_framed_sender_detach(&channel.sender);
    channel_attach_sender(&channel);
    lam_framed_receiver_detach(&needed);
    cr_assert(eq(int, known_round(&channel, 5, 3000), 1));
    cr_assert(eq(int, known_round(&channel, 6, 30), 1));
}

/* A process that is required, joins, and never reads. */
static pid_t start_needed(int *ready)
{
    char byte = 0;
    int fds[2];
    pid_t pid;

    cr_assert(eq(int, pipe(fds), 0));
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        attach_needed(LAM_RING_HEAD);
        if (write(fds[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    *ready = read(fds[0], &byte, 1) == 1;
    (void)close(fds[0]);
    (void)close(fds[1]);
    return pid;
}

Test(managed, a_publish_goes_on_past_one_that_is_killed_for_it)
{
    struct reader reader = {.stop_at = 0};
    int ready, status;
    pid_t pid = start_needed(&ready);

    cr_assert(ready);
    require(LAM_RING_FAIL_KILL);
    cr_assert(eq(int, send_past_needed(&reader), 0));
    cr_assert(eq(uint, reader.messages, 1));
    cr_assert(waitpid(pid, &status, 0) == pid);
    cr_assert(eq(int, WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL));
}

Test(managed, one_that_never_comes_is_an_alarm_and_a_failure)
{
    void *payload;
    int rc = 1;

    lam_framed_receiver_detach(&channel.receiver);
    require(LAM_RING_FAIL_CALL);
    while (lam_framed_sender_check(&channel.sender) != -ECANCELED)
        continue;
    for (int i = 0; rc >= 0 && i < 64; i++) {
        rc = lam_framed_sender_claim_until(&channel.sender, 8, soon(), &payload);
        if (rc == 0) {
            memset(payload, 0, 8);
            lam_framed_sender_commit(&channel.sender, 8, 1);
        }
    }
    cr_assert(eq(int, rc, -ECANCELED)); /* nothing was overwritten */
    attach_needed(LAM_RING_OLDEST);
    for (int i = 0; i < 15; i++)
        cr_assert(eq(int, lam_framed_receiver_try_receive(&needed, &message), 1));
    cr_assert(eq(int, lam_framed_receiver_release(&needed, &message), 0));
    cr_assert(eq(int, lam_framed_sender_claim_until(&channel.sender, 8, soon(), &payload), 0));
    lam_framed_sender_abort(&channel.sender);
    lam_framed_receiver_detach(&needed);
    channel_attach_receiver(&channel, 100, LAM_RING_HEAD);
}

Test(managed, who_is_back_in_time_gets_the_message_whole)
{
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .progress_ns = LAM_NS_PER_MS,
        .check_ns = LAM_NS_PER_MS,
        .grace_ns = 5 * LAM_NS_PER_S};
    pthread_t thread;
    int rc = 1;

    attach_needed(LAM_RING_HEAD);
    lam_framed_receiver_detach(&channel.receiver);
    cr_assert(eq(int, lam_framed_sender_require(&channel.sender, &required, &options, NULL), 0));
    cr_assert(eq(int, pthread_create(&thread, NULL, send_large, &rc), 0));
    /* It leaves before it has read anything, and its successor has all of it. */
    cr_assert(eq(int, lam_ring_consumer_wait_until(&needed.consumer, soon()), 0));
    lam_framed_receiver_detach(&needed);
    attach_needed(LAM_RING_RESUME);
    cr_assert(eq(int, lam_framed_receiver_receive_until(&needed, soon(), &message), 0));
    cr_assert(known_is(&message, 3, BYTES));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, rc, 0));
    lam_framed_receiver_detach(&needed);
    channel_attach_receiver(&channel, 100, LAM_RING_HEAD);
}

Test(managed, a_sender_fails_its_channel_by_hand_with_an_end_for_its_message)
{
    struct lam_framed_loss loss;

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 5000, 3, NULL), 0));
    cr_assert(eq(int, known_try_piece(&channel.sender, 3), 1));
    lam_framed_sender_fail(&channel.sender, "the disk is full");
    cr_assert(eq(
        int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), -ECANCELED));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(
        int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), -ECANCELED));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 0));
}

Test(managed, what_is_sent_before_awaited_receivers_come_waits_for_them)
{
    struct lam_framed_sender_options options = {
        .message_bytes_max = BYTES, .producer = {.await_name_count = 1, .await_names = names}};
    uint64_t sent = 0;
    pthread_t thread;
    int rc = 1;

    lam_framed_receiver_detach(&channel.receiver);
    lam_framed_sender_detach(&channel.sender);
    cr_assert(eq(int, lam_framed_sender_attach(&channel.sender, &channel.ring, &options, NULL), 0));
    while (known_try_send(&channel.sender, sent, 40) == 1)
        sent++;
    cr_assert(eq(u64, sent, 15));
    cr_assert(eq(int, pthread_create(&thread, NULL, send_large, &rc), 0));
    attach_needed(LAM_RING_OLDEST);
    for (uint64_t i = 0; i < sent; i++)
        cr_assert(eq(int, known_try_receive(&needed, i, 40), 1));
    cr_assert(eq(int, lam_framed_receiver_receive_until(&needed, soon(), &message), 0));
    cr_assert(known_is(&message, 3, BYTES));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, rc, 0));
    lam_framed_receiver_detach(&needed);
    channel_attach_receiver(&channel, 100, LAM_RING_HEAD);
}
