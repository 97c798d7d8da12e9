/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c: what a record does to a machine, on every path.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/parts.h"

static void close_session(struct machine *machine, struct session *session)
{
    machine_add_item(machine,
        &(struct machine_item){
            .kind = ITEM_CLOSED, .sequence = machine->item_sequence, .session = session->id});
    sessions_remove(&machine->sessions, session);
}

static int apply_open(struct machine *machine, const struct machine_record *record)
{
    struct record_open open;

    if (record->bytes != sizeof(open) || record->sequence == 0)
        return -EBADMSG;
    memcpy(&machine->opened, record->data, sizeof(open));
    open = machine->opened;
    open.token = le64toh(open.token);
    open.role = le32toh(open.role);
    if (open.reserved != 0)
        return -EBADMSG;
    if (machine->sessions.count == machine->sessions.max)
        close_session(machine, machine->sessions.oldest);
    if (sessions_add(&machine->sessions, record->sequence, &open) == NULL)
        return -ENOMEM;
    machine_add_item(machine, &(struct machine_item){.kind = ITEM_OPENED,
                                  .sequence = record->sequence,
                                  .session = record->sequence,
                                  .bytes = (const uint8_t *)&machine->opened,
                                  .count = sizeof(machine->opened)});
    return 0;
}

static int read_u64(const struct machine_record *record, uint64_t *value)
{
    if (record->bytes < sizeof(*value))
        return -EBADMSG;
    memcpy(value, record->data, sizeof(*value));
    *value = le64toh(*value);
    return 0;
}

/* It may have given way to another one in the meantime. */
static int apply_close(struct machine *machine, const struct machine_record *record)
{
    struct session *session;
    uint64_t id;

    if (record->bytes != sizeof(id) || read_u64(record, &id) != 0)
        return -EBADMSG;
    session = sessions_find(&machine->sessions, id);
    if (session != NULL)
        close_session(machine, session);
    return 0;
}

static int apply_epoch(struct machine *machine, const struct machine_record *record)
{
    uint64_t epoch;

    if (record->bytes != sizeof(epoch) || read_u64(record, &epoch) != 0 || epoch <= machine->epoch)
        return -EBADMSG;
    machine->epoch = epoch;
    return 0;
}

/* Nobody hears of a refusal; what was published before it is dropped by it. */
static int apply_tick(struct machine *machine, const struct machine_record *record)
{
    const struct lam_app_context context = {
        .sequence = record->sequence, .time_ns = record->time_ns};

    if (machine->config.app->tick != NULL)
        machine->config.app->tick(machine->state, &context, &machine->output);
    return machine->output.error;
}

static int apply_startup(struct machine *machine, const struct machine_record *record)
{
    const struct lam_app_context context = {
        .sequence = record->sequence, .time_ns = record->time_ns};
    uint64_t index;

    if (read_u64(record, &index) != 0 || index != machine->started || index >= UINT32_MAX - 1 ||
        record->bytes - sizeof(index) > machine->config.app->event_bytes_max)
        return -EBADMSG;
    machine->config.app->apply(machine->state, &context,
        (const uint8_t *)record->data + sizeof(index), record->bytes - sizeof(index),
        &machine->output);
    machine->started++;
    return machine->output.error;
}

static void write_hex(const uint8_t digest[BLAKE3_BYTES], char text[2 * BLAKE3_BYTES + 1])
{
    for (unsigned i = 0; i < BLAKE3_BYTES; i++)
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
}

static int apply_compare(
    struct machine *machine, const struct machine_record *record, struct lam_error *error)
{
    char theirs[2 * BLAKE3_BYTES + 1], ours[2 * BLAKE3_BYTES + 1];
    struct record_compare compare;

    if (record->bytes != sizeof(compare))
        return -EBADMSG;
    memcpy(&compare, record->data, sizeof(compare));
    compare.sequence = le64toh(compare.sequence);
    if (compare.sequence == 0 || compare.sequence >= record->sequence)
        return -EBADMSG;
    if (compare.sequence != machine->kept_sequence)
        return 0;
    machine->kept_sequence = 0;
    if (memcmp(compare.digest, machine->kept_digest, BLAKE3_BYTES) == 0)
        return 0;
    write_hex(compare.digest, theirs);
    write_hex(machine->kept_digest, ours);
    return lam_error_set(error, -EILSEQ,
        "at sequence %llu the state was %s where it was journaled, and is %s here",
        (unsigned long long)compare.sequence, theirs, ours);
}

static int apply_digest(struct machine *machine, const struct machine_record *record)
{
    uint8_t digest[BLAKE3_BYTES];

    if (record->sequence == 0)
        return -EBADMSG;
    machine_digest(machine, digest);
    memcpy(machine->kept_digest, digest, BLAKE3_BYTES);
    machine->kept_sequence = record->sequence;
    return 0;
}

/* What may come before RECORD_STARTED. */
static int is_early(uint16_t kind)
{
    return kind == RECORD_EPOCH || kind == RECORD_STARTUP || kind == RECORD_STARTED ||
           kind == RECORD_DIGEST || kind == RECORD_COMPARE;
}

static int apply_kind(
    struct machine *machine, const struct machine_record *record, struct lam_error *error)
{
    if (machine->started != UINT32_MAX && !is_early(record->kind))
        return -EBADMSG;
    switch (record->kind) {
    case RECORD_APP:
        return machine_apply_request(machine, record);
    case RECORD_TICK:
        return record->bytes != 0 ? -EBADMSG : apply_tick(machine, record);
    case RECORD_OPEN:
        return apply_open(machine, record);
    case RECORD_CLOSE:
        return apply_close(machine, record);
    case RECORD_EPOCH:
        return apply_epoch(machine, record);
    case RECORD_STARTUP:
        return apply_startup(machine, record);
    case RECORD_STARTED:
        if (record->bytes != 0 || machine->started == UINT32_MAX)
            return -EBADMSG;
        machine->started = UINT32_MAX;
        return 0;
    case RECORD_DIGEST:
        return record->bytes != 0 ? -EBADMSG : apply_digest(machine, record);
    case RECORD_COMPARE:
        return apply_compare(machine, record, error);
    default:
        return -EBADMSG;
    }
}

int machine_apply(
    struct machine *machine, const struct machine_record *record, struct lam_error *error)
{
    int result;

    machine_begin(
        machine, record->sequence, record->kind == RECORD_APP ? OUTPUT_CLIENT : OUTPUT_NOBODY);
    if (machine->broken != 0)
        return lam_error_set(error, machine->broken, "the machine has failed before");
    if (record->sequence != machine->next || record->sequence == UINT64_MAX ||
        (record->sequence != 0 && record->time_ns <= machine->time_ns)) {
        machine->broken = -EBADMSG;
        return lam_error_set(error, -EBADMSG,
            "record %llu of time %llu does not follow: %llu is next, after time %llu",
            (unsigned long long)record->sequence, (unsigned long long)record->time_ns,
            (unsigned long long)machine->next, (unsigned long long)machine->time_ns);
    }
    machine->next = record->sequence + 1;
    machine->time_ns = record->time_ns;
    result = apply_kind(machine, record, error);
    machine->broken = result;
    if (result == -EBADMSG)
        return lam_error_set(error, result,
            "record %llu of kind %u with %u bytes is none that is ever written there",
            (unsigned long long)record->sequence, record->kind, record->bytes);
    if (result == -ENOMEM)
        return lam_error_set(error, result, "no memory for what record %llu brings about",
            (unsigned long long)record->sequence);
    return result;
}
