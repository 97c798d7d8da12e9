/* SPDX-License-Identifier: Apache-2.0 */
/* Packets written: all their bytes, the unnamed ones 0. */
#include "lamina/framed/endpoint.h"
#include "packet.h"

#include <string.h>

static void put(uint8_t *at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_head(uint8_t *bytes, enum lam_endpoint_packet type, uint32_t count, uint32_t word)
{
    memset(bytes, 0, count);
    put(bytes, PACKET_MAGIC, 8);
    put(bytes + 8, type, 2);
    put(bytes + 10, count, 2);
    put(bytes + 12, word, 4);
}

static void put_text(uint8_t *at, const char *text, size_t bytes)
{
    size_t length = strnlen(text, bytes - 1);

    memcpy(at, text, length);
}

static void put_identity(uint8_t *at, const struct lam_identity *identity)
{
    put(at, identity->boot, 8);
    put(at + 8, identity->start_ticks, 8);
    put(at + 16, identity->pid, 4);
    put(at + 20, identity->pid_space, 4);
}

void lam_endpoint_write_hello(
    const struct lam_endpoint_hello *hello, uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES])
{
    put_head(bytes, LAM_ENDPOINT_HELLO, LAM_ENDPOINT_HELLO_BYTES,
        (uint32_t)hello->wire_min | (uint32_t)hello->wire_max << 16);
    put(bytes + 16, hello->version_min, 4);
    put(bytes + 20, hello->version_max, 4);
    put(bytes + 24, hello->features_required, 8);
    put(bytes + 32, hello->features_offered, 8);
    put(bytes + 40, hello->type_hash, 8);
    put(bytes + 48, hello->client_id, 8);
    put(bytes + 56, hello->session, 8);
    put(bytes + 64, hello->depth, 8);
    put(bytes + 72, hello->message_bytes_max, 8);
    put(bytes + 80, hello->cell_bytes, 4);
    put(bytes + 84, hello->lanes, 4);
    put(bytes + 88, hello->flags, 4);
    put(bytes + 92, hello->extensions_offered, 1);
    put(bytes + 93, hello->extensions_required, 1);
    put(bytes + 94, hello->pressure, 1);
    put_identity(bytes + 96, &hello->identity);
    put_text(bytes + 120, hello->name, sizeof(hello->name));
}

void lam_endpoint_write_welcome(
    const struct lam_endpoint_welcome *welcome, uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES])
{
    put_head(bytes, LAM_ENDPOINT_WELCOME, LAM_ENDPOINT_WELCOME_BYTES, welcome->wire);
    put(bytes + 16, welcome->version, 4);
    put(bytes + 20, welcome->lanes, 4);
    put(bytes + 24, welcome->features, 8);
    put(bytes + 32, welcome->session, 8);
    put(bytes + 40, welcome->depth, 8);
    put(bytes + 48, welcome->message_bytes_max, 8);
    put(bytes + 56, welcome->cell_bytes, 4);
    put(bytes + 60, welcome->extensions, 1);
    put(bytes + 61, welcome->pressure, 1);
    put_identity(bytes + 64, &welcome->identity);
    put_text(bytes + 88, welcome->name, sizeof(welcome->name));
}

void lam_endpoint_write_refused(
    const struct lam_endpoint_refused *refused, uint8_t bytes[LAM_ENDPOINT_REFUSED_BYTES])
{
    put_head(bytes, LAM_ENDPOINT_REFUSED, LAM_ENDPOINT_REFUSED_BYTES, 0);
    put(bytes + 16, refused->code, 4);
    put(bytes + 20, refused->field, 4);
    put(bytes + 24, refused->found, 8);
    put(bytes + 32, refused->expected_min, 8);
    put(bytes + 40, refused->expected_max, 8);
    put_text(bytes + 48, refused->text, sizeof(refused->text));
}

void lam_endpoint_write_goodbye(
    const struct lam_endpoint_goodbye *goodbye, uint8_t bytes[LAM_ENDPOINT_GOODBYE_BYTES])
{
    put_head(bytes, LAM_ENDPOINT_GOODBYE, LAM_ENDPOINT_GOODBYE_BYTES, goodbye->reason);
    put_text(bytes + 16, goodbye->text, sizeof(goodbye->text));
}

uint32_t lam_endpoint_write_small(
    enum lam_endpoint_packet type, uint64_t number, uint8_t bytes[LAM_ENDPOINT_PING_BYTES])
{
    uint32_t count = type == LAM_ENDPOINT_READY ? LAM_ENDPOINT_HEAD_BYTES : LAM_ENDPOINT_PING_BYTES;

    put_head(bytes, type, count, 0);
    if (count == LAM_ENDPOINT_PING_BYTES)
        put(bytes + 16, number, 8);
    return count;
}
