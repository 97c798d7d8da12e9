/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_VECTORS_H
#define LAM_TEST_VECTORS_H

/*
 * vectors.h: the messages of vectors.txt, as bytes and as they are here.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/messages.h"
#include "lamina/runtime/method_id.h"

/* clang-format off */
#define VIEW(literal) {literal, sizeof(literal) - 1}
/* clang-format on */
#define TRACE                                                                                      \
    {                                                                                              \
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15                                       \
    }

struct vector {
    uint8_t bytes[1024];
    uint64_t count;
};

/* The bytes of @name. Ends the program where the file has none. */
static inline struct vector vector_of(const char *name)
{
    struct vector vector = {.count = 0};
    char path[4096], line[4096];
    size_t length = strlen(name);
    FILE *file;

    (void)snprintf(
        path, sizeof(path), "%s/tests/runtime/messages/vectors.txt", getenv("LAMINA_SOURCE"));
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        unsigned byte;

        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        for (const char *at = line + length + 1; sscanf(at, "%2x", &byte) == 1; at += 2)
            vector.bytes[vector.count++] = (uint8_t)byte;
    }
    if (file != NULL)
        (void)fclose(file);
    if (vector.count == 0) {
        (void)fprintf(stderr, "%s: no vector %s\n", path, name);
        abort();
    }
    return vector;
}

struct known {
    const char *name;
    struct lam_protocol_message message;
};

static const uint8_t all_bytes[256] = {
#define FOUR(n)    (n), (n) + 1, (n) + 2, (n) + 3
#define SIXTEEN(n) FOUR(n), FOUR((n) + 4), FOUR((n) + 8), FOUR((n) + 12)
#define MANY(n)    SIXTEEN(n), SIXTEEN((n) + 16), SIXTEEN((n) + 32), SIXTEEN((n) + 48)
    MANY(0), MANY(64), MANY(128), MANY(192)};

/* clang-format off */
static const struct known known[] = {
    {"request", {.header = {.type = LAM_PROTOCOL_REQUEST, .request_id = 7, .module_id = 0xee88998f,
            .method_id = 0x3b391274},
        .body.request = {.module = VIEW("math"), .method = VIEW("add"), .args = VIEW("\1\0\0\2"),
            .trace = TRACE, .deadline_ns = 123456789012, .priority = LAM_PROTOCOL_HIGH,
            .reply_capacity = 4096, .span = 77}}},
    {"request_bare", {.header = {.type = LAM_PROTOCOL_REQUEST, .request_id = 1,
            .module_id = 0xd49dd484},
        .body.request = {.module = VIEW("echo"), .deadline_ns = UINT64_MAX,
            .priority = LAM_PROTOCOL_NORMAL, .reply_capacity = UINT64_MAX,
            .flags = LAM_PROTOCOL_REQUEST_UNTRACED, .stream = TRACE}}},
    {"request_bytes", {.header = {.type = LAM_PROTOCOL_REQUEST, .request_id = 3,
            .module_id = 0xe80c2f78, .method_id = 0xeb0c3431},
        .body.request = {.module = VIEW("m"), .method = VIEW("n"), .args = {all_bytes, 256},
            .priority = LAM_PROTOCOL_CRITICAL, .reply_capacity = 300, .span = UINT64_MAX}}},
    {"response", {.header = {.type = LAM_PROTOCOL_RESPONSE, .request_id = 7},
        .body.response = {.data = VIEW("\3")}}},
    {"response_failed", {.header = {.type = LAM_PROTOCOL_RESPONSE, .request_id = 7},
        .body.response = {.status = LAM_PROTOCOL_EXECUTION_ERROR, .result = -28, .failure = 7,
            .detail = -11, .needed = 70000, .stream = TRACE}}},
    {"error", {.header = {.type = LAM_PROTOCOL_ERROR, .request_id = 9},
        .body.error = {.code = LAM_PROTOCOL_UNKNOWN_MODULE, .text = VIEW("no module \xc3\xa9"),
            .retry_after_ms = 250, .result = -19}}},
    {"error_now", {.header = {.type = LAM_PROTOCOL_ERROR, .request_id = 9},
        .body.error = {.code = LAM_PROTOCOL_OVER_QUOTA}}},
    {"stream", {.header = {.type = LAM_PROTOCOL_STREAM, .request_id = 5},
        .body.stream = {.id = TRACE, .total_bytes = UINT64_C(1) << 33, .expires_ns = UINT64_MAX,
            .state = LAM_PROTOCOL_STREAM_TRANSFERRING, .mode = LAM_PROTOCOL_STREAM_PULL,
            .chunk_bytes = 65536, .offset = 65537, .flags = LAM_PROTOCOL_CHUNK_LAST,
            .data = VIEW("\xab\0")}}},
    {"negotiate", {.header = {.type = LAM_PROTOCOL_NEGOTIATE, .request_id = 1},
        .body.negotiate = {.versions = {{1, 0, 0}, {1, 3, 15}}, .count = 2}}},
    {"health", {.header = {.type = LAM_PROTOCOL_HEALTH, .request_id = 2},
        .body.health = {.module = VIEW("math")}}},
    {"load", {.header = {.type = LAM_PROTOCOL_LOAD, .request_id = 4},
        .body.load = {.reference = VIEW("./m.so"), .name = VIEW("m"), .config = VIEW("\0\xff"),
            .host = 1, .flags = LAM_PROTOCOL_LOAD_COUNTS, .drain_ns = 5000000000}}},
    {"unload", {.header = {.type = LAM_PROTOCOL_UNLOAD, .request_id = 4},
        .body.unload = {.module = VIEW("m")}}},
    {"stats", {.header = {.type = LAM_PROTOCOL_STATS, .request_id = 4},
        .body.stats = {.flags = LAM_PROTOCOL_STATS_FLAGS}}},
    {"event", {.header = {.type = LAM_PROTOCOL_EVENT, .features = LAM_PROTOCOL_EVENTS},
        .body.event = {.kind = 3, .module = VIEW("m"), .value = -2, .at_ns = UINT64_MAX,
            .text = VIEW("why")}}},
};
/* clang-format on */

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

#endif
