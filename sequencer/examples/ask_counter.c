/* SPDX-License-Identifier: Apache-2.0 */
/* ask_counter.c: adds its arguments to a counter, each once whatever breaks, and prints it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "lamina/sequencer/client.h"

/* Returns 0, or 1 after a line on standard error. */
static int add(struct lam_sequencer_client *client, int64_t amount)
{
    struct lam_sequencer_reply reply;
    struct lam_fb_builder builder;
    uint64_t memory[8];
    size_t size;
    int rc;

    lam_fb_builder_init(&builder, memory, sizeof(memory));
    counter_Add_set_amount(&builder, counter_Add_start(&builder), amount);
    rc = counter_Add_finish(&builder, &size);
    if (rc == 0)
        rc = lam_sequencer_client_call_until(
            client, 0, memory, size, lam_deadline_after_ns(30 * LAM_NS_PER_S), &reply);
    if (rc == 0 && reply.kind == LAM_SEQUENCER_REPLY &&
        counter_Total_verify(reply.bytes, reply.count, NULL) == 0) {
        (void)printf("%lld at %llu%s\n",
            (long long)counter_Total_get_total(counter_Total_root(reply.bytes)),
            (unsigned long long)reply.sequence, reply.is_repeat ? ", asked before" : "");
        return 0;
    }
    (void)fprintf(stderr, "no answer: %s\n",
        rc == 0            ? reply.text
        : rc == -ETIMEDOUT ? "the node is not there"
                           : lam_sequencer_client_failure(client));
    return 1;
}

int main(int argc, char **argv)
{
    struct lam_sequencer_client_options options = {.address = argc > 1 ? argv[1] : NULL};
    struct lam_sequencer_client *client;
    struct lam_error error;
    int status = 0;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s ADDRESS NUMBER...\n", argv[0]);
        return 2;
    }
    if (lam_sequencer_client_create(&client, &options, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    for (int i = 2; i < argc && status == 0; i++)
        status = add(client, strtoll(argv[i], NULL, 10));
    (void)lam_sequencer_client_end_until(client, lam_deadline_after_ns(LAM_NS_PER_S));
    lam_sequencer_client_destroy(client);
    return status;
}
