/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CLIENT_WORLD_H
#define TEST_CLIENT_WORLD_H

/*
 * client_world.h: a client, a scripted world, and what the tests of both do all the time.
 */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "machine/machine.h"
#include "scripted.h"

#define MS LAM_NS_PER_MS

static struct scripted world;
static struct scripted_node node;
static struct lam_sequencer_client *client;
static struct lam_sequencer_reply reply;
static struct lam_sequencer_client_options options;
static struct lam_error error;

static inline void make(struct scripted_node *who)
{
    lam_sequencer_client_destroy(client);
    scripted_begin(&world, who);
    cr_assert(
        eq(int, client_create(&client, &world.env, &options, NULL, &error), 0), "%s", error.text);
}

static inline void setup(void)
{
    options = (struct lam_sequencer_client_options){.address = "unix:/a/node"};
    memset(&node, 0, sizeof(node));
    node.session = 7;
    node.token = 9;
    node.window = 8;
    make(&node);
}

static inline void teardown(void)
{
    lam_sequencer_client_destroy(client);
    client = NULL;
}

static inline int step(void)
{
    return lam_sequencer_client_step(client, &reply);
}

static inline uint64_t send_one(const char *text)
{
    uint64_t request = 0;

    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, text, strlen(text), &request), 1));
    return request;
}

/* To the next answer, without a bound but the suite's. */
static inline int answer(void)
{
    return lam_sequencer_client_wait_until(client, UINT64_MAX, &reply);
}

/* A connection that is open, with a node that is the test. */
static inline void meet(void)
{
    struct frame frame = {0}, welcome;

    make(NULL);
    cr_assert(eq(int, step(), 0));
    cr_assert(eq(int, scripted_hear(&world, &frame), 1));
    cr_assert(eq(int, (int)frame.kind, FRAME_HELLO));
    welcome = scripted_welcome(&world);
    scripted_say(&world, &welcome);
    cr_assert(eq(int, step(), 0));
}

/* The connection is gone and the next one is there, in its greeting. */
static inline struct frame meet_again(void)
{
    unsigned before = world.connections;
    struct frame frame = {0}, welcome = scripted_welcome(&world);

    for (unsigned turn = 0; world.connections == before && turn < 100; turn++)
        (void)lam_sequencer_client_wait_until(client, world.now_ns + 100 * MS, &reply);
    cr_assert(eq(u32, world.connections, before + 1));
    cr_assert(eq(int, scripted_hear(&world, &frame), 1));
    cr_assert(eq(int, (int)frame.kind, FRAME_HELLO));
    scripted_say(&world, &welcome);
    cr_assert(eq(int, step(), 0));
    return frame;
}

static inline struct frame heard(enum frame_kind kind)
{
    struct frame frame = {0};

    cr_assert(eq(int, scripted_hear(&world, &frame), 1));
    cr_assert(eq(int, (int)frame.kind, (int)kind));
    return frame;
}

static inline void hears_nothing(void)
{
    struct frame frame;

    cr_assert(eq(int, scripted_hear(&world, &frame), 0));
}

static inline void is_over(const char *says)
{
    cr_assert(eq(int, step(), -ENOTRECOVERABLE));
    cr_assert(strstr(lam_sequencer_client_failure(client), says) != NULL, "%s",
        lam_sequencer_client_failure(client));
}

#endif
