/* SPDX-License-Identifier: Apache-2.0 */
#include "machine_records.h"

#include <string.h>

#define STARTUPS 3

void records_init(struct records *records, uint64_t seed)
{
    memset(records, 0, sizeof(*records));
    records->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint64_t records_random(struct records *records, uint64_t below)
{
    records->random ^= records->random << 13;
    records->random ^= records->random >> 7;
    records->random ^= records->random << 17;
    return (records->random >> 11) % below;
}

static uint32_t put_event(struct records *records, uint8_t *event)
{
    static const uint8_t ops[] = {APP_ADD, APP_ADD, APP_ADD, APP_LONG, APP_LONG, APP_REFUSE,
        APP_PUBLISH, APP_TOO_LONG, APP_TIME, 200};

    event[0] = ops[records_random(records, sizeof(ops))];
    event[1] = (uint8_t)records_random(records, event[0] == APP_LONG ? 201 : 30);
    event[2] = (uint8_t)records_random(records, 60);
    if (records_random(records, 50) == 0)
        return (uint32_t)records_random(records, 80);
    return 3;
}

static uint32_t put_request(struct records *records)
{
    uint64_t at = records_random(records, RECORDS_SESSIONS);
    uint64_t *floor = &records->floors[at];

    if (records_random(records, 3) == 0)
        *floor += records_random(records, 5);
    if (records_random(records, 1000) == 0)
        *floor = UINT64_MAX - 3;
    records->data[0] = records->ids[at];
    records->data[1] = *floor + records_random(records, 10) - (*floor > 0);
    records->data[2] = *floor - (*floor > 0 && records_random(records, 8) == 0);
    return 24 + put_event(records, (uint8_t *)&records->data[3]);
}

static uint32_t put_open(struct records *records)
{
    uint64_t at = records->opened++ % RECORDS_SESSIONS;
    uint64_t role = records_random(records, 9);

    records->ids[at] = records->next;
    records->floors[at] = records_random(records, 3);
    records->data[0] = records_random(records, UINT64_MAX);
    records->data[1] = role;
    records->data[2] = role * 7;
    return 48;
}

/* Returns the kind. */
static uint16_t put_any(struct records *records, uint32_t *bytes)
{
    uint64_t which = records_random(records, 100);

    *bytes = 0;
    if (which < 5 || records->opened == 0) {
        *bytes = put_open(records);
        return RECORD_OPEN;
    }
    if (which < 7) {
        records->data[0] = records->ids[records_random(records, RECORDS_SESSIONS)];
        *bytes = 8;
        return RECORD_CLOSE;
    }
    if (which < 8) {
        records->data[0] = records->epoch += 1 + records_random(records, 3);
        *bytes = 8;
        return RECORD_EPOCH;
    }
    if (which < 11) {
        records->digest = records->next;
        return RECORD_DIGEST;
    }
    if (which < 15 && records->digest != 0) {
        records->data[0] = records->digest;
        *bytes = sizeof(struct record_compare);
        return RECORD_COMPARE;
    }
    if (which < 22)
        return RECORD_TICK;
    *bytes = put_request(records);
    return RECORD_APP;
}

static uint16_t put_first(struct records *records, uint32_t *bytes)
{
    *bytes = 8;
    if (records->next == 0) {
        records->data[0] = records->epoch = 1;
        return RECORD_EPOCH;
    }
    records->data[0] = records->next - 1;
    if (records->next <= STARTUPS) {
        const uint8_t event[8] = {APP_ADD, (uint8_t)records->next, 100};

        memcpy(&records->data[1], event, sizeof(event));
        *bytes = 8 + 3;
        return RECORD_STARTUP;
    }
    *bytes = 0;
    return RECORD_STARTED;
}

void records_next(struct records *records, struct machine_record *record)
{
    memset(records->data, 0, sizeof(records->data));
    record->kind = records->next <= STARTUPS + 1 ? put_first(records, &record->bytes)
                                                 : put_any(records, &record->bytes);
    records->time_ns += 1 + records_random(records, 1000);
    record->sequence = records->next++;
    record->time_ns = records->time_ns;
    record->data = records->data;
}
