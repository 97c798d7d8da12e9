/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes, one channel: a message written in place, and one larger than the whole ring. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { GREETING = 1, BOOK = 2, BOOK_BYTES = 5000000 };

static int send(struct lam_ring *ring, uint64_t end_ns)
{
    static char book[BOOK_BYTES];
    const struct iovec parts = {book, BOOK_BYTES};
    const struct lam_framed_sender_options options = {.message_bytes_max = BOOK_BYTES};
    struct lam_framed_sender sender;
    void *text;
    int rc;

    if (lam_framed_sender_attach(&sender, ring, &options, NULL) != 0 ||
        lam_framed_sender_wait_receivers_until(&sender, 1, end_ns) != 0 ||
        lam_framed_sender_claim_until(&sender, 32, end_ns, &text) != 0)
        return 1;
    (void)sprintf(text, "hello, written in place");
    lam_framed_sender_commit(&sender, 32, GREETING);
    rc = lam_framed_sender_send_until(&sender, &parts, 1, BOOK, NULL, end_ns);
    lam_framed_sender_close(&sender);
    lam_framed_sender_detach(&sender);
    return rc;
}

static int receive(struct lam_ring *ring, uint64_t end_ns)
{
    static char ours[BOOK_BYTES];
    const struct lam_framed_receiver_options options = {.message_bytes_max = BOOK_BYTES};
    struct lam_framed_receiver receiver;
    struct lam_framed_message message;
    int rc = lam_framed_receiver_attach(&receiver, ring, &options, NULL);

    while (rc == 0 && (rc = lam_framed_receiver_take_until(
                           &receiver, end_ns, ours, sizeof(ours), &message)) == 0)
        printf("%s\n", message.kind == GREETING ? ours : "a book");
    lam_framed_receiver_detach(&receiver);
    return rc != -EPIPE; /* closed in order */
}

int main(void)
{
    const struct lam_ring_options options = {.name = "hello", .cell_bytes = 1024, .depth = 4096};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring ring;
    int status;

    if (lam_ring_create(&ring, &options, NULL) != 0)
        return 1;
    if (fork() == 0)
        return receive(&ring, end_ns);
    return send(&ring, end_ns) || wait(&status) < 0 || status != 0;
}
