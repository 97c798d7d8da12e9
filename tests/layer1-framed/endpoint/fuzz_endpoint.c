/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a packet of an endpoint. They are refused with a field, or what
 * was read can be written and read again, and a HELLO is decided on: within the bounds, or refused.
 *
 *     build/fuzz/tests/fuzz_endpoint -max_len=300 CORPUS
 *
 * The first byte says which packet it is made to be, so that what lies behind the head is reached;
 * 0 leaves the bytes as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int so)
{
    if (!so)
        abort();
}

static void decide(const struct lam_endpoint_hello *hello)
{
    struct lam_endpoint_terms terms = {.version_min = 3,
        .version_max = 9,
        .features_offered = 0xff,
        .features_required = 1,
        .type_hash = 5,
        .depth = 256,
        .depth_max = 4096,
        .message_bytes_max = 1 << 20,
        .cell_bytes = 64,
        .cell_bytes_max = 256,
        .extensions_offered = 6,
        .extensions_required = 2,
        .pressure = 1,
        .pressure_required = 1,
        .lanes = 3};
    struct lam_endpoint_refused refused = {.field = LAM_ENDPOINT_FIELD_NONE};
    struct lam_endpoint_welcome welcome = {.session = 1}, again;
    uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES];
    int rc = lam_endpoint_negotiate(&terms, hello, &welcome, &refused);

    if (rc != 0) {
        must(rc == -EPROTO || rc == -EPROTOTYPE || rc == -EMSGSIZE);
        must(refused.field != LAM_ENDPOINT_FIELD_NONE && refused.text[0] != '\0');
        return;
    }
    must(welcome.version >= 3 && welcome.version <= 9 && welcome.version >= hello->version_min &&
         welcome.version <= hello->version_max);
    must((welcome.features & 1) != 0 && (welcome.features & ~hello->features_offered) == 0);
    must((welcome.extensions & ~hello->extensions_offered) == 0 && (welcome.extensions & 2) != 0);
    must(hello->pressure != 0 && welcome.pressure == 1);
    must(welcome.depth >= 2 && welcome.depth <= 4096 && (welcome.depth & (welcome.depth - 1)) == 0);
    must(welcome.cell_bytes >= 32 && welcome.cell_bytes <= 256);
    must(welcome.message_bytes_max <= 1 << 20);
    lam_endpoint_write_welcome(&welcome, bytes);
    must(lam_endpoint_read_welcome(bytes, &again, &refused) == 0);
}

static void read_one(int type, const uint8_t *bytes, size_t count)
{
    struct lam_endpoint_refused refused, got;
    struct lam_endpoint_welcome welcome;
    struct lam_endpoint_goodbye goodbye;
    struct lam_endpoint_hello hello;
    uint8_t again[LAM_ENDPOINT_PACKET_MAX];

    if (type == LAM_ENDPOINT_HELLO && lam_endpoint_read_hello(bytes, &hello, &refused) == 0) {
        lam_endpoint_write_hello(&hello, again);
        must(lam_endpoint_read_hello(again, &hello, &refused) == 0);
        decide(&hello);
    }
    if (type == LAM_ENDPOINT_WELCOME && lam_endpoint_read_welcome(bytes, &welcome, &refused) == 0)
        must(memchr(welcome.name, 0, sizeof(welcome.name)) != NULL && welcome.lanes != 0);
    if (type == LAM_ENDPOINT_REFUSED && lam_endpoint_read_refused(bytes, &got, &refused) == 0)
        must(lam_endpoint_refusal_error(got.code) < 0);
    if (type == LAM_ENDPOINT_GOODBYE && lam_endpoint_read_goodbye(bytes, &goodbye, &refused) == 0)
        must(memchr(goodbye.text, 0, sizeof(goodbye.text)) != NULL);
    if (type == LAM_ENDPOINT_PING)
        must(lam_endpoint_write_small(LAM_ENDPOINT_PONG, lam_endpoint_read_number(bytes), again) ==
             count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t sizes[] = {0, LAM_ENDPOINT_HELLO_BYTES, LAM_ENDPOINT_WELCOME_BYTES,
        LAM_ENDPOINT_REFUSED_BYTES, LAM_ENDPOINT_HEAD_BYTES, LAM_ENDPOINT_GOODBYE_BYTES,
        LAM_ENDPOINT_PING_BYTES, LAM_ENDPOINT_PING_BYTES};
    struct lam_endpoint_refused refused;
    uint8_t bytes[LAM_ENDPOINT_PACKET_MAX] = {0};
    size_t count = size - 1;
    int type;

    if (size == 0)
        return 0;
    type = data[0] % 8;
    if (count > sizeof(bytes))
        count = sizeof(bytes);
    memcpy(bytes, data + 1, count);
    if (type != 0) {
        memcpy(bytes, "LAMENDP1", 8);
        bytes[8] = (uint8_t)type;
        bytes[9] = 0;
        bytes[10] = (uint8_t)sizes[type];
        bytes[11] = (uint8_t)(sizes[type] >> 8);
        count = sizes[type];
    }
    refused.field = LAM_ENDPOINT_FIELD_NONE;
    type = lam_endpoint_packet_type(bytes, count, &refused);
    if (type < 0)
        must(type == -EPROTO && refused.field != LAM_ENDPOINT_FIELD_NONE);
    else
        read_one(type, bytes, count);
    return 0;
}
