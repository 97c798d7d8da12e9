/* SPDX-License-Identifier: Apache-2.0 */
/* The other one: waits for the channel of that name, and receives until it is closed. */
#include <errno.h>
#include <stdio.h>

#include "lamina/framed/framed.h"

int main(int argc, char **argv)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    const struct lam_ring_attach_options options = {
        .name = argc > 1 ? argv[1] : "greetings", .deadline_ns = end_ns};
    struct lam_error error = {.text = ""};
    struct lam_framed_receiver receiver;
    struct lam_framed_message message;
    struct lam_ring ring;
    int rc = lam_ring_attach(&ring, &options, &error);

    if (rc == 0)
        rc = lam_framed_receiver_attach(&receiver, &ring, NULL, &error);
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    while ((rc = lam_framed_receiver_receive_until(&receiver, end_ns, &message)) == 0) {
        printf("%s\n", (const char *)message.payload);
        lam_framed_receiver_release(&receiver, &message);
    }
    if (rc != -EPIPE) /* closed in order */
        (void)fprintf(stderr, "it ended: %s\n", lam_framed_error_name(rc, 0));
    lam_framed_receiver_detach(&receiver);
    lam_ring_detach(&ring);
    return rc != -EPIPE;
}
