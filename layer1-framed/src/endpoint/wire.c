/* SPDX-License-Identifier: Apache-2.0 */
/* Packets read. They are a stranger's: each field is looked at before use. */
#include "lamina/framed/endpoint.h"
#include "lamina/framed/pressure.h"
#include "lamina/ring/event.h"
#include "packet.h"

#include <errno.h>
#include <string.h>

#define FLAGS      (LAM_ENDPOINT_RESUMES | LAM_ENDPOINT_NEEDS_PRESSURE)
#define EXTENSIONS (LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)

static uint64_t get(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get(at, 4);
}

/* A text that ends within its @bytes. Returns 1, or 0: it does not. */
static int get_text(const uint8_t *at, char *text, size_t bytes)
{
    if (memchr(at, 0, bytes) == NULL)
        return 0;
    memset(text, 0, bytes);
    memcpy(text, at, strlen((const char *)at));
    return 1;
}

static struct lam_identity get_identity(const uint8_t *at)
{
    return (struct lam_identity){.boot = get(at, 8),
        .start_ticks = get(at + 8, 8),
        .pid = get32(at + 16),
        .pid_space = get32(at + 20)};
}

static int refuse(struct lam_endpoint_refused *refused, enum lam_endpoint_field field,
    uint64_t found, uint64_t expected_min, uint64_t expected_max)
{
    *refused = (struct lam_endpoint_refused){.code = LAM_ENDPOINT_MALFORMED,
        .field = field,
        .found = found,
        .expected_min = expected_min,
        .expected_max = expected_max};
    return -EPROTO;
}

static uint32_t bytes_of(uint64_t type)
{
    static const uint32_t bytes[] = {0, LAM_ENDPOINT_HELLO_BYTES, LAM_ENDPOINT_WELCOME_BYTES,
        LAM_ENDPOINT_REFUSED_BYTES, LAM_ENDPOINT_HEAD_BYTES, LAM_ENDPOINT_GOODBYE_BYTES,
        LAM_ENDPOINT_PING_BYTES, LAM_ENDPOINT_PING_BYTES};

    return type < sizeof(bytes) / sizeof(bytes[0]) ? bytes[type] : 0;
}

int lam_endpoint_packet_type(
    const uint8_t *bytes, size_t count, struct lam_endpoint_refused *refused)
{
    uint64_t type;
    uint32_t expected;

    if (count < LAM_ENDPOINT_HEAD_BYTES)
        return refuse(refused, LAM_ENDPOINT_FIELD_BYTES, count, LAM_ENDPOINT_HEAD_BYTES,
            LAM_ENDPOINT_PACKET_MAX);
    if (get(bytes, 8) != PACKET_MAGIC)
        return refuse(refused, LAM_ENDPOINT_FIELD_MAGIC, get(bytes, 8), PACKET_MAGIC, PACKET_MAGIC);
    type = get(bytes + 8, 2);
    expected = bytes_of(type);
    if (expected == 0)
        return refuse(
            refused, LAM_ENDPOINT_FIELD_TYPE, type, LAM_ENDPOINT_HELLO, LAM_ENDPOINT_PONG);
    if (count != expected || get(bytes + 10, 2) != expected)
        return refuse(refused, LAM_ENDPOINT_FIELD_BYTES,
            count != expected ? count : get(bytes + 10, 2), expected, expected);
    return (int)type;
}

/* A power of two from @min to @max, or 0 where @may_be_0. */
static int is_size(uint64_t value, uint64_t min, uint64_t max, int may_be_0)
{
    if (value == 0)
        return may_be_0;
    return (value & (value - 1)) == 0 && value >= min && value <= max;
}

static int are_lanes(uint32_t lanes, int may_be_0)
{
    return lanes == 1 || lanes == LAM_ENDPOINT_LANES_MAX || (lanes == 0 && may_be_0);
}

static int check_hello(const uint8_t *bytes, const struct lam_endpoint_hello *hello,
    struct lam_endpoint_refused *refused)
{
    if (hello->wire_min > hello->wire_max)
        return refuse(refused, LAM_ENDPOINT_FIELD_WIRE, hello->wire_min, 0, hello->wire_max);
    if (hello->version_min > hello->version_max)
        return refuse(
            refused, LAM_ENDPOINT_FIELD_VERSION, hello->version_min, 0, hello->version_max);
    if ((hello->features_required & ~hello->features_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_FEATURES_REQUIRED, hello->features_required, 0,
            hello->features_offered);
    if (hello->client_id == 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_CLIENT_ID, 0, 1, UINT64_MAX);
    if (!is_size(hello->depth, 1, PACKET_DEPTH_MAX, 1))
        return refuse(refused, LAM_ENDPOINT_FIELD_DEPTH, hello->depth, 2, PACKET_DEPTH_MAX);
    if (!is_size(hello->cell_bytes, PACKET_CELL_MIN, PACKET_CELL_MAX, 1))
        return refuse(refused, LAM_ENDPOINT_FIELD_CELL_BYTES, hello->cell_bytes, PACKET_CELL_MIN,
            PACKET_CELL_MAX);
    if (!are_lanes(hello->lanes, 1))
        return refuse(refused, LAM_ENDPOINT_FIELD_LANES, hello->lanes, 1, LAM_ENDPOINT_LANES_MAX);
    if ((hello->flags & ~FLAGS) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_FLAGS, hello->flags, 0, FLAGS);
    if ((hello->extensions_offered & ~EXTENSIONS) != 0 ||
        (hello->extensions_required & ~hello->extensions_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_EXTENSIONS, hello->extensions_required, 0,
            hello->extensions_offered & EXTENSIONS);
    if (hello->pressure > LAM_PRESSURE_DEGRADE)
        return refuse(
            refused, LAM_ENDPOINT_FIELD_PRESSURE, hello->pressure, 0, LAM_PRESSURE_DEGRADE);
    if (bytes[95] != 0 || get(bytes + 184, 8) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_BYTES, 1, 0, 0);
    return 0;
}

int lam_endpoint_read_hello(
    const uint8_t *bytes, struct lam_endpoint_hello *hello, struct lam_endpoint_refused *refused)
{
    *hello = (struct lam_endpoint_hello){.wire_min = (uint16_t)get(bytes + 12, 2),
        .wire_max = (uint16_t)get(bytes + 14, 2),
        .version_min = get32(bytes + 16),
        .version_max = get32(bytes + 20),
        .features_required = get(bytes + 24, 8),
        .features_offered = get(bytes + 32, 8),
        .type_hash = get(bytes + 40, 8),
        .client_id = get(bytes + 48, 8),
        .session = get(bytes + 56, 8),
        .depth = get(bytes + 64, 8),
        .message_bytes_max = get(bytes + 72, 8),
        .cell_bytes = get32(bytes + 80),
        .lanes = get32(bytes + 84),
        .flags = get32(bytes + 88),
        .extensions_offered = bytes[92],
        .extensions_required = bytes[93],
        .pressure = bytes[94],
        .identity = get_identity(bytes + 96)};
    if (!get_text(bytes + 120, hello->name, sizeof(hello->name)))
        return refuse(
            refused, LAM_ENDPOINT_FIELD_NAME, sizeof(hello->name), 0, LAM_ENDPOINT_NAME_MAX);
    return check_hello(bytes, hello, refused);
}

int lam_endpoint_read_welcome(const uint8_t *bytes, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    uint32_t wire = get32(bytes + 12);

    *welcome = (struct lam_endpoint_welcome){.wire = (uint16_t)wire,
        .version = get32(bytes + 16),
        .lanes = get32(bytes + 20),
        .features = get(bytes + 24, 8),
        .session = get(bytes + 32, 8),
        .depth = get(bytes + 40, 8),
        .message_bytes_max = get(bytes + 48, 8),
        .cell_bytes = get32(bytes + 56),
        .extensions = bytes[60],
        .pressure = bytes[61],
        .identity = get_identity(bytes + 64)};
    if (wire != LAM_ENDPOINT_WIRE)
        return refuse(refused, LAM_ENDPOINT_FIELD_WIRE, wire, LAM_ENDPOINT_WIRE, LAM_ENDPOINT_WIRE);
    if (!are_lanes(welcome->lanes, 0))
        return refuse(refused, LAM_ENDPOINT_FIELD_LANES, welcome->lanes, 1, LAM_ENDPOINT_LANES_MAX);
    if (!is_size(welcome->depth, 1, PACKET_DEPTH_MAX, 0))
        return refuse(refused, LAM_ENDPOINT_FIELD_DEPTH, welcome->depth, 2, PACKET_DEPTH_MAX);
    if (!is_size(welcome->cell_bytes, PACKET_CELL_MIN, PACKET_CELL_MAX, 0))
        return refuse(refused, LAM_ENDPOINT_FIELD_CELL_BYTES, welcome->cell_bytes, PACKET_CELL_MIN,
            PACKET_CELL_MAX);
    if (!get_text(bytes + 88, welcome->name, sizeof(welcome->name)))
        return refuse(
            refused, LAM_ENDPOINT_FIELD_NAME, sizeof(welcome->name), 0, LAM_ENDPOINT_NAME_MAX);
    if ((welcome->extensions & ~EXTENSIONS) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_EXTENSIONS, welcome->extensions, 0, EXTENSIONS);
    if (welcome->pressure > LAM_PRESSURE_DEGRADE)
        return refuse(
            refused, LAM_ENDPOINT_FIELD_PRESSURE, welcome->pressure, 0, LAM_PRESSURE_DEGRADE);
    if (get(bytes + 62, 2) != 0 || get(bytes + 152, 8) != 0)
        return refuse(refused, LAM_ENDPOINT_FIELD_BYTES, 1, 0, 0);
    return 0;
}

int lam_endpoint_read_refused(
    const uint8_t *bytes, struct lam_endpoint_refused *got, struct lam_endpoint_refused *refused)
{
    uint32_t code = get32(bytes + 16);
    uint32_t field = get32(bytes + 20);

    if (code < LAM_ENDPOINT_MALFORMED || code > LAM_ENDPOINT_SHUTTING_DOWN ||
        field > LAM_ENDPOINT_FIELD_PRESSURE)
        return refuse(refused, LAM_ENDPOINT_FIELD_TYPE, code, LAM_ENDPOINT_MALFORMED,
            LAM_ENDPOINT_SHUTTING_DOWN);
    *got = (struct lam_endpoint_refused){.code = (enum lam_endpoint_code)code,
        .field = (enum lam_endpoint_field)field,
        .found = get(bytes + 24, 8),
        .expected_min = get(bytes + 32, 8),
        .expected_max = get(bytes + 40, 8)};
    if (!get_text(bytes + 48, got->text, sizeof(got->text)))
        return refuse(
            refused, LAM_ENDPOINT_FIELD_NAME, sizeof(got->text), 0, sizeof(got->text) - 1);
    return 0;
}

int lam_endpoint_read_goodbye(const uint8_t *bytes, struct lam_endpoint_goodbye *goodbye,
    struct lam_endpoint_refused *refused)
{
    goodbye->reason = get32(bytes + 12);
    if (!get_text(bytes + 16, goodbye->text, sizeof(goodbye->text)))
        return refuse(
            refused, LAM_ENDPOINT_FIELD_NAME, sizeof(goodbye->text), 0, sizeof(goodbye->text) - 1);
    return 0;
}

uint64_t lam_endpoint_read_number(const uint8_t *bytes)
{
    return get(bytes + 16, 8);
}
