/* SPDX-License-Identifier: Apache-2.0 */
/* Market data to two readers: what of the book piles up waits while prices go past it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { PRICE = 1, BOOK = 2, END = 3, READERS = 2, PRICES = 20, BOOK_ENTRIES = 200 };

struct update {
    uint32_t instrument;
    uint32_t quantity;
    uint64_t price;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "market: %s\n", what);
    exit(1);
}

/* Read all; as it begins when all lies there, prices must come before all else. */
static int read_market(int go)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_client_options options = {.endpoint = "market", .name = "reader"};
    static struct lam_client client;
    struct lam_framed_message message;
    struct lam_error error;
    uint32_t prices = 0, entries = 0;
    enum lam_lane lane;
    char byte;

    if (lam_client_connect(&client, &options, end_ns, &error) != 0)
        fail(error.text);
    if (read(go, &byte, 1) < 0)
        return 1;
    while (lam_client_receive_until(&client, end_ns, &message, &lane) == 0 && message.kind != END) {
        if (message.kind == PRICE && entries != 0)
            fail("a price came behind the book");
        prices += message.kind == PRICE;
        entries += message.kind == BOOK;
        lam_client_release(&client, lane, &message);
    }
    lam_client_disconnect(&client, 0, NULL);
    printf("%u prices, then %u entries of the book\n", prices, entries);
    return prices != PRICES || entries != BOOK_ENTRIES;
}

static void publish(struct lam_daemon *daemon, const uint64_t *readers, enum lam_lane lane,
    uint16_t kind, uint32_t number)
{
    struct update update = {.instrument = number % 4, .quantity = 10, .price = 100 + number};
    struct iovec part = {&update, sizeof(update)};

    for (int i = 0; i < READERS; i++)
        if (lam_daemon_try_send(daemon, readers[i], lane, &part, 1, kind) != 1)
            fail("a reader does not keep up");
}

int main(void)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S), readers[READERS];
    struct lam_daemon_options options = {.name = "market"};
    static struct lam_daemon daemon;
    struct lam_daemon_event event;
    struct lam_error error;
    int go[2], here = 0, failed = 0, status;

    if (lam_daemon_create(&daemon, &options, &error) != 0)
        fail(error.text);
    if (pipe(go) != 0)
        return 1;
    for (int i = 0; i < READERS; i++)
        if (fork() == 0)
            exit(read_market(go[0]));
    while (here < READERS && lam_daemon_wait_until(&daemon, end_ns, &event) == 0)
        if (event.type == LAM_DAEMON_CONNECTED)
            readers[here++] = event.client;
    if (here < READERS)
        fail("no readers came");
    for (uint32_t i = 0; i < BOOK_ENTRIES; i++) {
        publish(&daemon, readers, LAM_LANE_LOW, BOOK, i);
        if (i % (BOOK_ENTRIES / PRICES) == 0)
            publish(&daemon, readers, LAM_LANE_CRITICAL, PRICE, i);
    }
    publish(&daemon, readers, LAM_LANE_LOW, END, 0);
    failed |= write(go[1], "go", READERS) != READERS;
    for (int i = 0; i < READERS; i++)
        failed |= wait(&status) < 0 || status != 0;
    lam_daemon_destroy(&daemon);
    return failed;
}
