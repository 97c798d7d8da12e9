/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes, one channel of samples (samples.fbs): built in the ring, read in the ring. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/zerocopy/zerocopy.h"
#include "samples.h"

enum { COUNT = 1000000, BYTES_MAX = 4 * COUNT + 256 };

static int send(struct lam_ring *ring, uint64_t end_ns)
{
    struct lam_zerocopy_sender sender;
    struct lam_fb_builder b;
    int rc;

    if (lam_zerocopy_sender_attach(&sender, ring, &hello_Samples_flatbuffers, NULL, NULL) != 0 ||
        lam_zerocopy_sender_wait_receivers_until(&sender, 1, end_ns) != 0 ||
        lam_zerocopy_sender_claim_until(&sender, BYTES_MAX, end_ns, &b) != 0)
        return 1;
    struct hello_Samples_at at = hello_Samples_start(&b);
    hello_Samples_set_rate_hz(&b, at, 48000);
    float *values = hello_Samples_open_values(&b, at, COUNT);
    for (int i = 0; values != NULL && i < COUNT; i++)
        values[i] = (float)i;
    rc = lam_zerocopy_sender_commit(&sender, &b, 0);
    lam_zerocopy_sender_close(&sender);
    lam_zerocopy_sender_detach(&sender);
    return rc;
}

static int receive(struct lam_ring *ring, uint64_t end_ns)
{
    struct lam_zerocopy_receiver receiver;
    struct lam_zerocopy_view view;
    int rc = lam_zerocopy_receiver_attach(&receiver, ring, &hello_Samples_flatbuffers, NULL, NULL);

    while (rc == 0 && (rc = lam_zerocopy_receiver_view_until(&receiver, end_ns, &view)) == 0) {
        printf("%u samples, read in place\n",
            hello_Samples_get_values(hello_Samples_root(view.payload)).count);
        lam_zerocopy_receiver_release(&receiver, &view);
    }
    return rc != -EPIPE; /* closed in order */
}

int main(void)
{
    const struct lam_ring_options options = {.name = "samples", .depth = 1 << 18};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring ring;
    int status;

    if (lam_typed_channel_create(&ring, &options, &hello_Samples_flatbuffers, NULL) != 0)
        return 1;
    if (fork() == 0)
        return receive(&ring, end_ns);
    return send(&ring, end_ns) || wait(&status) < 0 || status != 0;
}
