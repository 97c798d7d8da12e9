/* SPDX-License-Identifier: Apache-2.0 */
/* One of two programs: makes a channel by a name, and sends. */
#include <stdio.h>

#include "lamina/framed/framed.h"

int main(int argc, char **argv)
{
    const struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = argc > 1 ? argv[1] : "greetings"};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct iovec text = {"hello", 6};
    struct lam_error error = {.text = ""};
    struct lam_framed_sender sender;
    struct lam_ring ring;
    int rc = lam_ring_create(&ring, &options, &error);

    if (rc == 0)
        rc = lam_framed_sender_attach(&sender, &ring, NULL, &error);
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    rc = lam_framed_sender_wait_receivers_until(&sender, 1, end_ns);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = lam_framed_sender_send_until(&sender, &text, 1, 1, NULL, end_ns);
    if (rc != 0)
        (void)fprintf(stderr, "nobody took it: %s\n", lam_framed_error_name(rc, 0));
    lam_framed_sender_close(&sender);
    lam_framed_sender_detach(&sender);
    (void)lam_ring_destroy(&ring); /* the name goes; who has attached reads on to the end */
    return rc != 0;
}
