/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: extensions and pressure reach through daemons and clients: agreed on at the door, on every
 * message or obeyed by every send, seen by both ends, counted. Method: once connected, one thread
 * turns both ends by itself, so that each step is known.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "stage.h"

#define BOTH (LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)

static struct stage stage;
static struct lam_client client;
static struct lam_error error;
static struct lam_client_options to_it;
static uint64_t who; /* the client's number */
static int connect_rc;

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(through, .init = setup, .fini = teardown, .timeout = 30);

static void *come(void *argument)
{
    connect_rc = stage_connect(&client, &to_it, &error);
    lam_store_release((lam_atomic_u32 *)argument, 1);
    return NULL;
}

/* A client comes, on a thread of its own, or is refused. Returns as its connect. */
static int open_both(
    const struct lam_daemon_options *daemon_options, const struct lam_client_options *options)
{
    struct lam_daemon_event event;
    lam_atomic_u32 is_done;
    pthread_t thread;
    int connected = 0;

    lam_store_relaxed(&is_done, 0);
    stage_create(&stage, daemon_options);
    to_it = *options;
    to_it.endpoint = "it";
    cr_assert(eq(int, pthread_create(&thread, NULL, come, &is_done), 0));
    while (!connected && (lam_load_acquire(&is_done) == 0 || connect_rc == 0))
        if (lam_daemon_wait_until(&stage.daemon, stage_ms(5), &event) == 0) {
            cr_assert(eq(int, (int)event.type, LAM_DAEMON_CONNECTED));
            who = event.client;
            connected = 1;
        }
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    return connect_rc;
}

static void close_both(void)
{
    lam_client_disconnect(&client, 0, NULL);
    lam_daemon_destroy(&stage.daemon);
}

static int send_to_daemon(enum lam_lane lane, uint64_t number)
{
    struct iovec part = {&number, sizeof(number)};

    return lam_client_try_send(&client, lane, &part, 1, 1);
}

static int send_to_client(enum lam_lane lane, uint64_t number)
{
    struct iovec part = {&number, sizeof(number)};

    return lam_daemon_try_send(&stage.daemon, who, lane, &part, 1, 1);
}

/* The daemon's next event; its number is given back. */
static struct lam_daemon_event next_event(enum lam_daemon_event_type type, uint64_t *number)
{
    struct lam_daemon_event event;

    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, (int)type));
    if (number != NULL)
        memcpy(number, event.message.payload, sizeof(*number));
    return event;
}

/* The client's next message, released. Returns its lane. */
static enum lam_lane take_message(struct lam_framed_message *message, uint64_t *number)
{
    enum lam_lane lane;

    cr_assert(eq(int, lam_client_try_receive(&client, message, &lane), 1));
    memcpy(number, message->payload, sizeof(*number));
    lam_client_release(&client, lane, message);
    return lane;
}

static void check_extensions(
    uint16_t flags, uint64_t published_ns, uint16_t expected, uint64_t since_ns)
{
    cr_assert(eq(int, flags &BOTH, expected));
    if ((expected & LAM_EVENT_TIMESTAMP) != 0)
        cr_assert(published_ns >= since_ns && published_ns <= lam_clock_now_ns());
}

/* One message each way, one request and its answer, written in place or not. */
static void exchange(uint16_t expected)
{
    uint64_t since_ns = lam_clock_now_ns();
    uint64_t number = 8;
    struct iovec part = {&number, sizeof(number)};
    struct lam_framed_message message;
    struct lam_daemon_event event;
    struct lam_ticket ticket;
    struct lam_reply reply;
    void *payload;

    cr_assert(eq(int, send_to_daemon(LAM_LANE_LOW, 5), 1));
    event = next_event(LAM_DAEMON_MESSAGE, &number);
    cr_assert(eq(u64, number, 5));
    check_extensions(event.message.flags, event.message.published_ns, expected, since_ns);
    cr_assert(eq(int, send_to_client(LAM_LANE_HIGH, 6), 1));
    (void)take_message(&message, &number);
    cr_assert(eq(u64, number, 6));
    check_extensions(message.flags, message.published_ns, expected, since_ns);
    for (int in_place = 0; in_place < 2; in_place++) {
        number = 9;
        cr_assert(eq(int,
            lam_client_begin_until(&client, LAM_LANE_HIGH, &part, 1, 1, stage_soon(), &ticket), 0));
        event = next_event(LAM_DAEMON_REQUEST, &number);
        check_extensions(event.message.flags, event.message.published_ns, expected, since_ns);
        if (in_place) {
            cr_assert(
                eq(int, lam_daemon_try_claim_reply(&stage.daemon, &event.request, 8, &payload), 1));
            memcpy(payload, &number, 8);
            lam_daemon_commit_reply(&stage.daemon, &event.request, 8, 1, 0);
        } else {
            cr_assert(
                eq(int, lam_daemon_try_reply(&stage.daemon, &event.request, &part, 1, 1, 0), 1));
        }
        cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, 0));
        cr_assert(memcmp(reply.payload, &(uint64_t){9}, 8) == 0);
        check_extensions(reply.flags, reply.published_ns, expected, since_ns);
        cr_assert(expected & LAM_EVENT_TIMESTAMP || reply.published_ns == 0);
        lam_client_release_reply(&client, &reply);
    }
}

Test(through, extensions_that_both_offer_are_on_every_message_both_ways)
{
    static const uint16_t sets[] = {0, LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C, BOTH};

    for (uint32_t a = 0; a < 4; a++)
        for (uint32_t b = 0; b < 4; b++) {
            struct lam_daemon_options daemon = {.name = "it", .extensions_offered = sets[a]};
            struct lam_client_options options = {.extensions_offered = sets[b]};
            uint16_t expected = sets[a] & sets[b];

            cr_assert(eq(int, open_both(&daemon, &options), 0), "%s", error.text);
            cr_assert(eq(int, lam_client_welcome(&client)->extensions, expected));
            cr_assert(eq(int, lam_daemon_peer(&stage.daemon, who)->extensions, expected));
            exchange(expected);
            close_both();
        }
}

Test(through, an_extension_that_is_required_and_not_offered_is_refused_by_name)
{
    struct lam_daemon_options plain = {.name = "it"};
    struct lam_daemon_options strict = {
        .name = "it", .extensions_offered = BOTH, .extensions_required = LAM_EVENT_CRC32C};
    struct lam_client_options no = {.extensions_offered = LAM_EVENT_TIMESTAMP};
    struct lam_client_options must = {
        .extensions_offered = BOTH, .extensions_required = LAM_EVENT_TIMESTAMP};

    cr_assert(eq(int, open_both(&plain, &must), -EPROTO));
    cr_assert(strstr(error.text, "extensions") != NULL, "%s", error.text);
    lam_daemon_destroy(&stage.daemon);
    cr_assert(eq(int, open_both(&strict, &no), -EPROTO));
    cr_assert(strstr(error.text, "extensions") != NULL, "%s", error.text);
    cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->refused, 1));
    lam_daemon_destroy(&stage.daemon);
    cr_assert(eq(int, open_both(&strict, &must), 0), "%s", error.text);
    exchange(BOTH);
    close_both();
}

/* Change a byte of the message that was sent last. */
static void spoil(struct lam_lanes_sender *sender, enum lam_lane lane)
{
    const struct lam_ring_producer *producer = &sender->lanes[lane].producer;
    uint8_t *event = (uint8_t *)lam_ring_producer_cell(producer, producer->next - 1);

    event[LAM_EVENT_HEADER_BYTES + 16 + 3] ^= 1;
}

Test(through, what_was_changed_on_its_way_is_told_or_dropped_and_counted_and_the_next_is_intact)
{
    struct lam_daemon_options daemon = {.name = "it", .extensions_offered = LAM_EVENT_CRC32C};
    struct lam_client_options options = {.extensions_offered = LAM_EVENT_CRC32C};
    struct lam_framed_message message;
    enum lam_lane lane;
    uint64_t number;
    void *payload;

    cr_assert(eq(int, open_both(&daemon, &options), 0), "%s", error.text);
    cr_assert(eq(int, send_to_daemon(LAM_LANE_HIGH, 1), 1));
    spoil(lam_client_lanes(&client), LAM_LANE_HIGH);
    cr_assert(eq(int, send_to_daemon(LAM_LANE_HIGH, 2), 1));
    (void)next_event(LAM_DAEMON_MESSAGE, &number);
    cr_assert(eq(u64, number, 2));
    cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->damaged, 1));
    /* One without a checksum has lost it. */
    cr_assert(eq(
        int, lam_lanes_sender_try_claim(lam_client_lanes(&client), LAM_LANE_HIGH, 8, &payload), 1));
    memset(payload, 0, 8);
    lam_lanes_sender_commit(lam_client_lanes(&client), LAM_LANE_HIGH, 8, 1);
    cr_assert(eq(int, send_to_daemon(LAM_LANE_HIGH, 3), 1));
    (void)next_event(LAM_DAEMON_MESSAGE, &number);
    cr_assert(eq(u64, number, 3));
    cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->damaged, 2));
    /* And the other way. */
    cr_assert(eq(int, send_to_client(LAM_LANE_LOW, 4), 1));
    spoil(lam_daemon_lanes(&stage.daemon, who), LAM_LANE_LOW);
    cr_assert(eq(int, send_to_client(LAM_LANE_LOW, 5), 1));
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), -EBADMSG));
    (void)take_message(&message, &number);
    cr_assert(eq(u64, number, 5));
    cr_assert(eq(u64, lam_client_counts(&client)->damaged, 1));
    cr_assert(eq(int,
        lam_lanes_sender_try_claim(lam_daemon_lanes(&stage.daemon, who), LAM_LANE_LOW, 8, &payload),
        1));
    memset(payload, 0, 8);
    lam_lanes_sender_commit(lam_daemon_lanes(&stage.daemon, who), LAM_LANE_LOW, 8, 1);
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), -EBADMSG));
    cr_assert(eq(u64, lam_client_counts(&client)->damaged, 2));
    cr_assert(eq(int, lam_client_is_connected(&client), 1));
    close_both();
}

/* Both ends see the same: how many of @cells are used, and the demand. */
static void check_pressure(enum lam_lane lane, int to_daemon, uint64_t cells, uint32_t demand)
{
    const struct lam_ring *ring =
        to_daemon ? &client.link->out.rings[lane] : &client.link->in.rings[lane];
    uint32_t fill = (uint32_t)(cells * LAM_PRESSURE_FULL / (ring->depth - 1));
    struct lam_pressure mine, yours;

    if (to_daemon) {
        cr_assert(eq(int, lam_client_pressure(&client, lane, &mine), 0));
        cr_assert(eq(int, lam_daemon_incoming_pressure(&stage.daemon, who, lane, &yours), 0));
    } else {
        cr_assert(eq(int, lam_daemon_pressure(&stage.daemon, who, lane, &mine), 0));
        cr_assert(eq(int, lam_client_incoming_pressure(&client, lane, &yours), 0));
    }
    cr_assert(eq(u32, mine.fill, fill));
    cr_assert(eq(u32, mine.demand, demand));
    cr_assert(eq(u32, mine.level, fill > demand ? fill : demand));
    cr_assert(memcmp(&mine, &yours, sizeof(mine)) == 0);
}

Test(through, pressure_is_what_lies_in_a_lane_or_is_demanded_by_both_ends_views)
{
    struct lam_daemon_options daemon = {.name = "it"};
    struct lam_client_options options = {.endpoint = "it"};
    struct lam_framed_message message;
    uint64_t number;

    cr_assert(eq(int, open_both(&daemon, &options), 0), "%s", error.text);
    for (uint64_t i = 0; i < 100; i++) {
        check_pressure(LAM_LANE_LOW, 1, i, 0);
        check_pressure(LAM_LANE_HIGH, 0, i, 0);
        cr_assert(eq(int, send_to_daemon(LAM_LANE_LOW, i), 1));
        cr_assert(eq(int, send_to_client(LAM_LANE_HIGH, i), 1));
    }
    for (uint64_t i = 100; i > 0; i--) {
        (void)next_event(LAM_DAEMON_MESSAGE, NULL);
        lam_daemon_release(&stage.daemon);
        check_pressure(LAM_LANE_LOW, 1, i - 1, 0);
        (void)take_message(&message, &number);
        check_pressure(LAM_LANE_HIGH, 0, i - 1, 0);
    }
    cr_assert(eq(int, lam_client_demand(&client, LAM_LANE_CRITICAL, 300), 0));
    cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who, LAM_LANE_LOW, 700), 0));
    check_pressure(LAM_LANE_CRITICAL, 0, 0, 300);
    check_pressure(LAM_LANE_CRITICAL, 1, 0, 0);
    check_pressure(LAM_LANE_LOW, 1, 0, 700);
    check_pressure(LAM_LANE_LOW, 0, 0, 0);
    cr_assert(eq(int, lam_client_demand(&client, LAM_LANE_HIGH, 1001), -EINVAL));
    cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who, LAM_LANE_HIGH, 1001), -EINVAL));
    cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who + 1, LAM_LANE_HIGH, 1), -ENOTCONN));
    /* Who ignores pressure sends all the same. */
    cr_assert(eq(int, send_to_daemon(LAM_LANE_LOW, 1), 1));
    cr_assert(eq(u64, lam_client_counts(&client)->pressure.pressed, 0));
    close_both();
}

/* What a send by a lane that is demanded to hold back comes to, by each answer. */
static const struct {
    enum lam_pressure_answer answer;
    int rc;
    enum lam_lane lane;
} answers[] = {{LAM_PRESSURE_IGNORE, 1, LAM_LANE_CRITICAL},
    {LAM_PRESSURE_REJECT, -ECANCELED, LAM_LANE_COUNT}, {LAM_PRESSURE_WAIT, 0, LAM_LANE_COUNT},
    {LAM_PRESSURE_DEGRADE, 1, LAM_LANE_LOW}};

Test(through, a_client_obeys_pressure_as_it_was_told_to)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct lam_daemon_options daemon = {.name = "it"};
        struct lam_client_options options = {
            .pressure_answer = answers[i].answer, .pressure_max = 500};
        uint64_t number = 0;
        struct iovec part = {&number, sizeof(number)};
        struct lam_ticket ticket;
        int waits = answers[i].answer == LAM_PRESSURE_WAIT;

        cr_assert(eq(int, open_both(&daemon, &options), 0), "%s", error.text);
        cr_assert(
            eq(int, (int)lam_daemon_peer(&stage.daemon, who)->pressure, (int)answers[i].answer));
        cr_assert(eq(int, send_to_daemon(LAM_LANE_CRITICAL, 0), 1));
        (void)next_event(LAM_DAEMON_MESSAGE, NULL);
        cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who, LAM_LANE_CRITICAL, 501), 0));
        cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who, LAM_LANE_HIGH, 501), 0));
        cr_assert(eq(int, send_to_daemon(LAM_LANE_CRITICAL, 0), answers[i].rc));
        if (answers[i].rc == 1)
            cr_assert(
                eq(int, (int)next_event(LAM_DAEMON_MESSAGE, NULL).lane, (int)answers[i].lane));
        /* Requests, too; what waits does so until its deadline, or until it is over. */
        cr_assert(eq(int,
            lam_client_begin_until(
                &client, LAM_LANE_CRITICAL, &part, 1, 1, stage_ms(waits ? 5 : 5000), &ticket),
            waits                ? -ETIMEDOUT
            : answers[i].rc == 1 ? 0
                                 : answers[i].rc));
        cr_assert(eq(u64, lam_client_counts(&client)->pressure.pressed,
            answers[i].answer == LAM_PRESSURE_IGNORE ? 0 : 2));
        cr_assert(eq(u64, lam_client_counts(&client)->pressure.degraded,
            answers[i].answer == LAM_PRESSURE_DEGRADE ? 2 : 0));
        if (answers[i].rc == 1) { /* its cancel goes where it went */
            cr_assert(
                eq(int, (int)next_event(LAM_DAEMON_REQUEST, NULL).lane, (int)answers[i].lane));
            cr_assert(eq(int, lam_client_cancel(&client, ticket), 0));
            cr_assert(
                eq(int, (int)next_event(LAM_DAEMON_CANCELED, NULL).lane, (int)answers[i].lane));
        }
        cr_assert(eq(int, lam_daemon_demand(&stage.daemon, who, LAM_LANE_CRITICAL, 0), 0));
        cr_assert(eq(int, send_to_daemon(LAM_LANE_CRITICAL, 0), 1));
        cr_assert(eq(int, (int)next_event(LAM_DAEMON_MESSAGE, NULL).lane, LAM_LANE_CRITICAL));
        close_both();
    }
}

Test(through, a_daemon_obeys_pressure_as_it_was_told_to_and_answers_all_the_same)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct lam_daemon_options daemon = {
            .name = "it", .pressure_answer = answers[i].answer, .pressure_max = 500};
        struct lam_client_options options = {.endpoint = "it"};
        struct lam_framed_message message;
        struct lam_daemon_event event;
        uint64_t number = 0;
        struct iovec part = {&number, sizeof(number)};
        struct lam_ticket ticket;
        struct lam_reply reply;

        cr_assert(eq(int, open_both(&daemon, &options), 0), "%s", error.text);
        cr_assert(eq(int, lam_client_welcome(&client)->pressure, (int)answers[i].answer));
        for (int lane = LAM_LANE_CRITICAL; lane < LAM_LANE_LOW; lane++)
            cr_assert(eq(int, lam_client_demand(&client, (enum lam_lane)lane, 501), 0));
        cr_assert(eq(int, send_to_client(LAM_LANE_CRITICAL, 0), answers[i].rc));
        if (answers[i].rc == 1)
            cr_assert(eq(int, (int)take_message(&message, &number), (int)answers[i].lane));
        cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->pressure.pressed,
            answers[i].answer == LAM_PRESSURE_IGNORE ? 0 : 1));
        cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->pressure.degraded,
            answers[i].answer == LAM_PRESSURE_DEGRADE ? 1 : 0));
        cr_assert(eq(int,
            lam_client_begin_until(&client, LAM_LANE_CRITICAL, &part, 1, 1, stage_soon(), &ticket),
            0));
        event = next_event(LAM_DAEMON_REQUEST, NULL);
        cr_assert(eq(int, lam_daemon_try_reply(&stage.daemon, &event.request, &part, 1, 1, 0), 1));
        cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
        lam_client_release_reply(&client, &reply);
        close_both();
    }
}

Test(through, who_ignores_pressure_is_refused_where_it_is_required)
{
    struct lam_daemon_options ignores = {.name = "it"};
    struct lam_daemon_options minds = {
        .name = "it", .pressure_answer = LAM_PRESSURE_WAIT, .pressure_required = 1};
    struct lam_client_options careless = {.pressure_required = 0};
    struct lam_client_options careful = {
        .pressure_answer = LAM_PRESSURE_REJECT, .pressure_required = 1};

    cr_assert(eq(int, open_both(&ignores, &careful), -EPROTO));
    cr_assert(strstr(error.text, "pressure") != NULL, "%s", error.text);
    lam_daemon_destroy(&stage.daemon);
    cr_assert(eq(int, open_both(&minds, &careless), -EPROTO));
    cr_assert(strstr(error.text, "pressure") != NULL, "%s", error.text);
    lam_daemon_destroy(&stage.daemon);
    cr_assert(eq(int, open_both(&minds, &careful), 0), "%s", error.text);
    exchange(0);
    close_both();
}

Test(through, impossible_options_are_named)
{
    struct lam_daemon_options daemon = {.name = "it", .extensions_offered = LAM_EVENT_CORRELATION};
    struct lam_client_options options = {.endpoint = "it", .extensions_required = LAM_EVENT_CRC32C};

    cr_assert(eq(int, lam_daemon_create(&stage.daemon, &daemon, &error), -EINVAL));
    cr_assert(strstr(error.text, "extensions_offered") != NULL);
    cr_assert(eq(int, lam_client_connect(&client, &options, 0, &error), -EINVAL));
    cr_assert(strstr(error.text, "extensions_required") != NULL);
    daemon = (struct lam_daemon_options){.name = "it", .pressure_max = 1001};
    options = (struct lam_client_options){
        .endpoint = "it", .pressure_answer = (enum lam_pressure_answer)4};
    cr_assert(eq(int, lam_daemon_create(&stage.daemon, &daemon, &error), -EINVAL));
    cr_assert(strstr(error.text, "pressure_max") != NULL);
    cr_assert(eq(int, lam_client_connect(&client, &options, 0, &error), -EINVAL));
    cr_assert(strstr(error.text, "pressure_answer") != NULL);
}

Test(through, a_demand_is_made_again_after_a_reconnect)
{
    struct lam_daemon_options daemon = {.name = "it", .pressure_answer = LAM_PRESSURE_REJECT};
    struct lam_client_options options = {.endpoint = "it", .reconnect = 1};
    struct lam_pressure pressure;
    pid_t first = stage_fork_daemon(&daemon);

    cr_assert(eq(int, stage_connect(&client, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_client_demand(&client, LAM_LANE_HIGH, 900), 0));
    stage_kill(first);
    stage_start(&stage, &daemon);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 1));
    cr_assert(eq(int, lam_client_incoming_pressure(&client, LAM_LANE_HIGH, &pressure), 0));
    cr_assert(eq(u32, pressure.demand, 900));
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 3, LAM_LANE_HIGH), 0));
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u64, stage.daemon.counts.pressure.pressed, 3));
}
