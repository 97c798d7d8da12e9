/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: between attach and detach nothing is allocated by a caller, a responder, a scatterer or a
 * service, whatever they do.
 * Method: this program's allocator counts. That it counts is shown by the attaches.
 */
#include "count_malloc.h"

#include "crew.h"
#include "processes.h"

static struct pair pair;
static struct crew crew;

static void call(uint64_t number)
{
    struct lam_ticket ticket, canceled;
    struct lam_request request;
    struct lam_reply reply;
    uint8_t bytes[3000] = {0};
    const struct iovec part = {bytes, sizeof(bytes)};

    ticket = pair_ask(&pair, number);
    canceled = pair_ask(&pair, number);
    request = pair_next(&pair);
    TEST_CHECK(lam_caller_cancel(&pair.caller, canceled) == 1);
    TEST_CHECK(!lam_responder_is_canceled(&pair.responder, &request));
    pair_answer(&pair, &request, number);
    TEST_CHECK(pair_ends(&pair, ticket, 0));
    TEST_CHECK(pair_ends(&pair, canceled, -ECANCELED));
    TEST_CHECK(pair_try_ask(&pair, number, 48, lam_clock_now_ns(), &ticket) == 1);
    TEST_CHECK(lam_caller_take_until(&pair.caller, &ticket, soon(), &reply) == 0);
    TEST_CHECK(reply.outcome == -ETIMEDOUT);
    TEST_CHECK(lam_responder_try_receive(&pair.responder, &request) == 0);
    /* In frames, and cut. */
    TEST_CHECK(lam_caller_begin_until(&pair.caller, &part, 1, 1, soon(), &ticket) == 0);
    TEST_CHECK(lam_responder_receive_until(&pair.responder, soon(), &request) == 0);
    TEST_CHECK(request.payload_bytes == sizeof(bytes));
    lam_responder_drop(&pair.responder, &request);
    TEST_CHECK(lam_caller_cancel(&pair.caller, ticket) == 1);
    TEST_CHECK(pair_ends(&pair, ticket, -ECANCELED));
}

static void gather(uint64_t number, struct lam_service *service)
{
    TEST_CHECK(crew_begin(&crew, number, soon()) == 0);
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        uint32_t index;

        TEST_CHECK(lam_service_next_until(service, soon(), &index) == 0);
        TEST_CHECK(crew_answer(&crew, index) == 1);
        lam_service_served(service, index, 48);
    }
    TEST_CHECK(lam_scatter_gather_until(&crew.scatter, soon()) == 0);
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        TEST_CHECK(crew_is_answer(&crew, i, number));
}

int main(void)
{
    struct lam_service service;
    uint64_t before, after;
    uint32_t index;

    before = malloc_calls;
    pair_open_of(&pair, 128, 8);
    crew_open(&crew, 1, 64);
    TEST_CHECK(malloc_calls - before >= 6); /* tables, and more */
    lam_service_init(&service, LAM_SERVICE_BYTES);
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        TEST_CHECK(lam_service_add_responder(&service, &crew.responders[i], 500, &index) == 0);
    before = malloc_calls;
    for (uint64_t number = 0; number < 500; number++) {
        call(number);
        gather(number, &service);
    }
    after = malloc_calls;
    crew_close(&crew);
    pair_close(&pair);
    (void)printf("%llu calls on the data path\n", (unsigned long long)(after - before));
    return after != before;
}
