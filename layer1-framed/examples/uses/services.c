/* SPDX-License-Identifier: Apache-2.0 */
/* Services on one machine: a shop asks two others, each a process that is found by its name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { QUOTE = 1, ORDERS = 500, UNKNOWN_ITEM = 13 };

static uint64_t price_of(uint64_t item)
{
    return 100 + item % 50;
}

static uint64_t tax_of(uint64_t price)
{
    return price / 5;
}

/* Answer quotes until the client has left. What cannot be answered is, with a status. */
static int serve(const char *name, uint64_t (*answer)(uint64_t question))
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_daemon_options options = {.name = name, .version_min = 1, .version_max = 2};
    static struct lam_daemon daemon;
    struct lam_daemon_event event = {.type = LAM_DAEMON_CONNECTED};
    struct lam_error error;
    uint64_t number;
    struct iovec part = {&number, sizeof(number)};

    if (lam_daemon_create(&daemon, &options, &error) != 0)
        return fprintf(stderr, "%s\n", error.text) > 0;
    while (event.type != LAM_DAEMON_GONE && lam_daemon_wait_until(&daemon, end_ns, &event) == 0) {
        if (event.type != LAM_DAEMON_REQUEST || event.message.payload_bytes != sizeof(number))
            continue;
        memcpy(&number, event.message.payload, sizeof(number));
        int status = number == UNKNOWN_ITEM ? -ENOENT : 0;

        number = answer(number);
        (void)lam_daemon_try_reply(
            &daemon, &event.request, &part, status == 0, event.message.kind, status);
    }
    lam_daemon_destroy(&daemon);
    return event.type != LAM_DAEMON_GONE;
}

/* Returns 0 with the answer, the service's status, or why there is none. */
static int ask(struct lam_client *service, uint64_t question, uint64_t *answer)
{
    struct iovec part = {&question, sizeof(question)};
    struct lam_reply reply;
    int rc = lam_client_request_until(
        service, LAM_LANE_HIGH, &part, 1, QUOTE, lam_deadline_after_ns(5 * LAM_NS_PER_S), &reply);

    if (rc != 0)
        return rc;
    if (reply.status == 0)
        memcpy(answer, reply.payload, sizeof(*answer));
    lam_client_release_reply(service, &reply);
    return reply.status;
}

int main(void)
{
    static struct lam_client prices, taxes;
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S), price, tax, total = 0;
    struct lam_client_options to_prices = {.endpoint = "prices", .version_max = 1};
    struct lam_client_options to_taxes = {.endpoint = "taxes", .version_max = 9};
    int unknown = 0, failed = 0, status;
    struct lam_error error;

    if (fork() == 0)
        exit(serve("prices", price_of));
    if (fork() == 0)
        exit(serve("taxes", tax_of));
    if (lam_client_connect(&prices, &to_prices, end_ns, &error) != 0 ||
        lam_client_connect(&taxes, &to_taxes, end_ns, &error) != 0)
        return fprintf(stderr, "%s\n", error.text) > 0;
    for (uint64_t item = 0; item < ORDERS; item++) {
        int rc = ask(&prices, item, &price);

        unknown += rc == -ENOENT;
        if (rc == 0 && ask(&taxes, price, &tax) == 0)
            total += price + tax;
    }
    lam_client_disconnect(&prices, 0, NULL);
    lam_client_disconnect(&taxes, 0, NULL);
    for (int i = 0; i < 2; i++)
        failed |= wait(&status) < 0 || status != 0;
    printf("%d orders for %llu, %d not known\n", ORDERS, (unsigned long long)total, unknown);
    return failed || unknown != 1 || total == 0;
}
