/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_kills.c: the client and a real node, which is killed again and again while requests are on
 * their way. Each request is applied once and answered by its own reply; a subscription tells each
 * event once.
 *
 * Kills: 3, times LAMINA_EFFORT up to 100.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adder.h"
#include "lamina/sequencer/client.h"

#define BETWEEN 100 /* answers between two kills */

static char folder[] = "/tmp/lamina-kills-XXXXXX";
static char address[128], journal[128];
static struct lam_error error;

static struct lam_sequencer_client *make(void)
{
    struct lam_sequencer_client_options options = {
        .address = address, .retry_ns = 5 * LAM_NS_PER_MS};
    struct lam_sequencer_client *client;

    CHECK(lam_sequencer_client_create(&client, &options, &error) == 0);
    return client;
}

static uint64_t number_of(const struct lam_sequencer_reply *reply)
{
    uint64_t value = 0;

    CHECK(reply->count == sizeof(value));
    memcpy(&value, reply->bytes, sizeof(value));
    return value;
}

/* The subscription is at @last and goes on to @sum, one by one. */
static void follow(struct lam_sequencer_client *subscriber, uint64_t last, uint64_t sum)
{
    struct lam_sequencer_reply reply;

    while (last < sum) {
        CHECK(lam_sequencer_client_wait_until(subscriber, LAM_DEADLINE_NEVER, &reply) == 0);
        CHECK(reply.kind == LAM_SEQUENCER_EVENT && number_of(&reply) == ++last);
    }
}

/* All of 1s: the n-th request's reply is n, however often it was sent. */
static void ask(
    struct lam_sequencer_client *client, uint64_t *sent, uint64_t *answered, uint64_t until)
{
    struct lam_sequencer_reply reply;
    uint64_t one = 1, request;

    while (*answered < until) {
        while (lam_sequencer_client_try_send(client, 0, &one, sizeof(one), &request) == 1)
            ++*sent;
        int rc = lam_sequencer_client_wait_until(client, LAM_DEADLINE_NEVER, &reply);

        if (rc != 0)
            (void)fprintf(stderr, "%s\n", lam_sequencer_client_failure(client));
        CHECK(rc == 0);
        if (reply.kind == LAM_SEQUENCER_REFUSED)
            (void)fprintf(stderr, "refused %u: %s\n", reply.code, reply.text);
        CHECK(reply.kind == LAM_SEQUENCER_REPLY);
        CHECK(reply.request == ++*answered && number_of(&reply) == *answered);
    }
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    unsigned kills = effort != NULL ? 3 * (unsigned)strtoul(effort, NULL, 10) : 3;
    struct lam_sequencer_client *client, *subscriber;
    struct lam_sequencer_reply reply;
    uint64_t sent = 0, answered = 0, followed = 0;
    pid_t node;

    kills = kills < 1 ? 1 : kills > 100 ? 100 : kills;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(address, sizeof(address), "unix:%s/node", folder);
    (void)snprintf(journal, sizeof(journal), "%s/journal", folder);
    node = adder_start(journal, address);
    client = make();
    subscriber = make();
    CHECK(lam_sequencer_client_subscribe(subscriber, 1) == 0);
    CHECK(lam_sequencer_client_welcome_until(client, LAM_DEADLINE_NEVER) == 0);
    for (unsigned i = 0; i < kills; i++) {
        ask(client, &sent, &answered, answered + BETWEEN);
        follow(subscriber, followed, answered);
        followed = answered;
        adder_kill(node); /* with a window of requests on their way */
        node = adder_start(journal, address);
    }
    while (answered < sent) {
        CHECK(lam_sequencer_client_wait_until(client, LAM_DEADLINE_NEVER, &reply) == 0);
        CHECK(reply.request == ++answered && number_of(&reply) == answered);
    }
    follow(subscriber, followed, answered);
    CHECK(lam_sequencer_client_call_until(client, 1, "", 0, LAM_DEADLINE_NEVER, &reply) == 0);
    CHECK(number_of(&reply) == sent);
    CHECK(lam_sequencer_client_call_until(client, 0, "", 0, LAM_DEADLINE_NEVER, &reply) == 0);
    CHECK(reply.kind == LAM_SEQUENCER_REFUSED && strcmp(reply.text, "nothing is not added") == 0);
    CHECK(lam_sequencer_client_end_until(client, LAM_DEADLINE_NEVER) == 0);
    lam_sequencer_client_destroy(client);
    lam_sequencer_client_destroy(subscriber);
    adder_kill(node);
    adder_remove(folder);
    (void)printf("%u kills, %llu requests applied once\n", kills, (unsigned long long)sent);
    return 0;
}
