/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a sender that is killed in the middle of a message of frames costs that message alone: the
 * receiver is told, and its successor's messages arrive intact.
 * Method: senders are forked and killed with SIGKILL at a random moment, again and again, on one
 * channel; the receiver stays and checks every byte.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

#define LARGE_BYTES 60000 /* many times the ring */

static struct lam_ring ring;

static uint64_t size_of(uint64_t number)
{
    return number % 4 == 3 ? 100 : LARGE_BYTES + number;
}

/* Messages without end: each says its number first, and the generation of its sender. */
static int send_all(unsigned generation)
{
    static uint8_t bytes[LARGE_BYTES + 65536];
    struct lam_framed_sender_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX};
    struct lam_framed_correlation correlation = {.scope = generation};
    struct lam_framed_sender sender;

    if (lam_framed_sender_attach(&sender, &ring, &options, NULL) != 0)
        return 1;
    for (uint64_t number = 0; number < 60000; number++) {
        struct iovec part = {bytes, size_of(number)};

        correlation.id = number;
        known_fill(bytes, number, 0, part.iov_len);
        if (lam_framed_sender_send_until(
                &sender, &part, 1, (uint16_t)(number & 0x7fff), &correlation, soon()) != 0)
            return 2;
    }
    return 3;
}

static pid_t start_sender(unsigned generation)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(send_all(generation));
    }
    return pid;
}

/* The next message. Until this generation's first one, the last one's death is no news. */
static int receive(struct lam_framed_receiver *receiver, uint64_t number, uint64_t deadline_ns,
    struct lam_framed_message *message)
{
    int rc;

    do
        rc = lam_framed_receiver_receive_until(receiver, deadline_ns, message);
    while (rc == -EOWNERDEAD && number == 0 && lam_clock_now_ns() < deadline_ns);
    return rc;
}

/* All that generation @generation sends until it dies. Returns 1 it is in order, 0 not. */
static int receive_until_death(
    struct lam_framed_receiver *receiver, unsigned generation, pid_t pid, unsigned *cut_count)
{
    uint64_t kill_after = generation * 7 % 23;
    struct lam_framed_message message = {.payload = NULL};
    struct lam_framed_loss loss;
    uint64_t number = 0;
    int rc;

    while ((rc = receive(receiver, number, soon(), &message)) == 0) {
        if (message.correlation == NULL || message.correlation->scope != generation ||
            message.correlation->id != number || !known_is(&message, number, size_of(number))) {
            (void)fprintf(stderr, "generation %u: message %llu is wrong\n", generation,
                (unsigned long long)number);
            return 0;
        }
        lam_framed_receiver_release(receiver, &message);
        if (number++ == kill_after && kill(pid, SIGKILL) != 0)
            return 0;
    }
    if (rc != -EOWNERDEAD || number <= kill_after) {
        (void)fprintf(stderr, "generation %u ended with %d after %llu\n", generation, rc,
            (unsigned long long)number);
        return 0;
    }
    if (lam_framed_receiver_loss(receiver, &loss)) {
        (*cut_count)++;
        if (loss.total_bytes != size_of(number) || loss.received_bytes >= loss.total_bytes)
            return 0;
    }
    return 1;
}

int main(void)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX};
    struct lam_framed_receiver receiver;
    unsigned generations = 40 * (unsigned)effort();
    unsigned cut_count = 0;

    channel_make_ring(&ring, 64, 0);
    if (lam_framed_receiver_attach(&receiver, &ring, &options, NULL) != 0)
        return 1;
    for (unsigned generation = 1; generation <= generations; generation++) {
        pid_t pid = start_sender(generation);
        int status;

        if (pid < 0 || !receive_until_death(&receiver, generation, pid, &cut_count))
            return 1;
        if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
            return 1;
    }
    lam_framed_receiver_detach(&receiver);
    (void)lam_ring_destroy(&ring);
    (void)printf("%u of %u senders died inside a message\n", cut_count, generations);
    /* A message is nearly all of the time on its way: without cuts the test has shown nothing. */
    return cut_count < generations / 4;
}
