/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calculator.c: a message of memlink's protocol from one side to the other, without a transport: a
 * request to add four bytes is encoded and decoded, and so is its answer.
 */
#include <stdio.h>

#include "lamina/runtime/messages.h"
#include "lamina/runtime/method_id.h"

static int complain(const char *what, int rc, const struct lam_error *error)
{
    (void)fprintf(stderr, "%s: %d %s\n", what, rc, error->text);
    return 1;
}

/* The other side: reads a request where it lies, and writes the answer. */
static int answer(const uint8_t *bytes, uint64_t count, uint8_t *room, uint64_t capacity,
    uint64_t *answer_bytes, struct lam_error *error)
{
    struct lam_protocol_message request, response = {.header = {.type = LAM_PROTOCOL_RESPONSE}};
    const uint8_t *args;
    uint8_t sum = 0;
    int rc = lam_protocol_read_message(&request, bytes, count, error);

    if (rc != 0)
        return rc;
    response.header.request_id = request.header.request_id;
    if (request.header.method_id != LAM_METHOD_ID("add")) {
        response.body.response.status = LAM_PROTOCOL_METHOD_NOT_FOUND;
    } else {
        args = request.body.request.args.data;
        for (uint64_t i = 0; i < request.body.request.args.bytes; i++)
            sum = (uint8_t)(sum + args[i]);
        response.body.response.data = (struct lam_protocol_view){&sum, 1};
    }
    return lam_protocol_write_message(&response, room, capacity, answer_bytes);
}

int main(void)
{
    static const uint8_t args[4] = {1, 2, 3, 4};
    struct lam_protocol_message request = {.header = {.type = LAM_PROTOCOL_REQUEST,
                                               .request_id = 1,
                                               .module_id = LAM_METHOD_ID("calculator"),
                                               .method_id = LAM_METHOD_ID("add")},
        .body.request = {.module = {"calculator", 10},
            .method = {"add", 3},
            .args = {args, sizeof(args)},
            .deadline_ns = UINT64_MAX,
            .priority = LAM_PROTOCOL_NORMAL,
            .reply_capacity = 1}};
    struct lam_protocol_message response;
    uint8_t sent[128], back[128];
    uint64_t sent_bytes, back_bytes;
    struct lam_error error = {""};
    int rc = lam_protocol_write_message(&request, sent, sizeof(sent), &sent_bytes);

    if (rc == 0)
        rc = answer(sent, sent_bytes, back, sizeof(back), &back_bytes, &error);
    if (rc == 0)
        rc = lam_protocol_read_message(&response, back, back_bytes, &error);
    if (rc != 0)
        return complain("calculator", rc, &error);
    printf("add of %zu bytes, %llu bytes on the wire: status %d, %u\n", sizeof(args),
        (unsigned long long)sent_bytes, (int)response.body.response.status,
        *(const uint8_t *)response.body.response.data.data);
    return 0;
}
