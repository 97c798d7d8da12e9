/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_no_allocation.c: once a session has had its largest replies, a request costs no
 * allocation, and neither does a repeat, a refusal, a query, a tick or a digest. Method: this
 * program counts all calls of malloc.
 */
#include <inttypes.h>
#include <stdio.h>

#include "count_malloc.h"

#include "machine_app.h"

#define ROUNDS 20000

/* Eight requests are asked and only then taken, so their replies come and go in heaps. */
static void ask_a_window(struct story *story, uint64_t session, uint64_t first, int is_large)
{
    for (uint64_t i = 0; i < 8; i++) {
        uint8_t bytes = is_large ? APP_REPLY_MAX : (uint8_t)((first * 31 + i * 7) % APP_REPLY_MAX);
        enum app_op op = i % 5 == 4 ? APP_REFUSE : APP_LONG;

        (void)story_ask(story, session, first + i, first, op, bytes, (uint8_t)i);
        (void)story_ask(story, session, first + i, first, op, bytes, (uint8_t)i);
    }
}

int main(void)
{
    struct story story;
    uint64_t sessions[2], before;
    uint8_t digest[BLAKE3_BYTES];

    story_begin_started(&story);
    for (int i = 0; i < 2; i++) {
        sessions[i] = story_open(&story, 1);
        for (uint64_t round = 0; round < 64; round++)
            ask_a_window(&story, sessions[i], round * 8, 1);
    }
    before = malloc_calls;
    for (uint64_t round = 64; round < ROUNDS / 8; round++) {
        ask_a_window(&story, sessions[round % 2], round * 8, 0);
        (void)story_ask(&story, sessions[0], 0, 0, APP_ADD, 0, 0);
        (void)story_ask(&story, sessions[0], round * 8, 0, APP_PUBLISH, 9, 9);
        (void)story_apply(&story, RECORD_TICK, NULL, 0);
        machine_query(story.machine, sessions[0], 1, NULL, 0);
        if (round % 100 == 0)
            machine_digest(story.machine, digest);
    }
    before = malloc_calls - before;
    (void)printf("%" PRIu64 " calls of the allocator in %d requests\n", before, ROUNDS);
    story_end(&story);
    return before != 0;
}
