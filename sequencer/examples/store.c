/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values, with compare-and-set by version (store.fbs). */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps.h"
#include "store.h"

enum { KEYS_MAX = 4096, KEY_BYTES_MAX = 64, VALUE_BYTES_MAX = 256 };
enum { REFUSED_MALFORMED = 1, REFUSED_FULL = 2 };

/* As they lie in a snapshot, numbers in little-endian order; unused bytes are zeros. */
struct key {
    char bytes[KEY_BYTES_MAX];
    uint32_t count;
};

struct entry {
    struct key key;
    uint32_t value_bytes;
    uint64_t version;
    uint8_t value[VALUE_BYTES_MAX];
};

/* Sorted by key, so that all copies write them down in one order; behind them the unused ones. */
struct state {
    uint32_t count;
    struct entry *sorted[KEYS_MAX];
    struct entry entries[KEYS_MAX];
};

static void *create(const void *config)
{
    struct state *state = calloc(1, sizeof(*state));

    for (uint32_t i = 0; state != NULL && i < KEYS_MAX; i++)
        state->sorted[i] = &state->entries[i];
    return state;
}

static void decode(const void *config, uint32_t role, int is_query, const void *bytes, size_t count,
    struct lam_app_request *request)
{
    int is_good = (is_query ? store_Get_verify : store_Change_verify)(bytes, count, NULL) == 0;

    if (is_good && is_query)
        is_good = store_Get_get_key(store_Get_root(bytes)).size <= KEY_BYTES_MAX;
    else if (is_good)
        is_good = store_Change_get_key(store_Change_root(bytes)).size <= KEY_BYTES_MAX &&
                  store_Change_get_value(store_Change_root(bytes)).count <= VALUE_BYTES_MAX &&
                  store_Change_get_op(store_Change_root(bytes)) <= store_Op_Swap;
    *request = (struct lam_app_request){.bytes = bytes,
        .count = count,
        .code = REFUSED_MALFORMED,
        .text = "a Change, as a query a Get; a key has up to 64 bytes, a value up to 256"};
    request->kind = !is_good ? LAM_APP_REFUSED : is_query ? LAM_APP_QUERY : LAM_APP_EVENT;
}

static struct key key_of(struct lam_string text)
{
    struct key key = {.count = htole32(text.size)};

    if (text.size != 0)
        memcpy(key.bytes, text.data, text.size);
    return key;
}

/* Returns whether it is there, and the place where it is or would be. */
static int find(const struct state *state, const struct key *key, uint32_t *place)
{
    uint32_t low = 0, high = state->count, middle;

    while (low < high) {
        middle = (low + high) / 2;
        if (memcmp(&state->sorted[middle]->key, key, sizeof(*key)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return low < state->count && memcmp(&state->sorted[low]->key, key, sizeof(*key)) == 0;
}

static void reply(struct lam_app_output *output, int is_done, const struct entry *entry)
{
    uint64_t memory[(VALUE_BYTES_MAX + 64) / 8];
    struct lam_fb_builder b;
    struct store_Entry_at at;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    at = store_Entry_start(&b);
    store_Entry_set_done(&b, at, is_done != 0);
    if (entry != NULL) {
        store_Entry_set_version(&b, at, le64toh(entry->version));
        store_Entry_set_value(&b, at, entry->value, le32toh(entry->value_bytes));
    }
    if (store_Entry_finish(&b, &size) == 0)
        (void)lam_app_reply(output, memory, size);
}

static void apply(void *to, const struct lam_app_context *context, const void *bytes, size_t count,
    struct lam_app_output *output)
{
    struct store_Change_view change = store_Change_root(bytes);
    struct key key = key_of(store_Change_get_key(change));
    struct lam_u8_span value = store_Change_get_value(change);
    struct state *state = to;
    store_Op op = store_Change_get_op(change);
    uint32_t place;
    int is_there = find(state, &key, &place);
    struct entry *entry = is_there ? state->sorted[place] : NULL;

    if (op == store_Op_Swap &&
        store_Change_get_expected(change) != (is_there ? le64toh(entry->version) : 0)) {
        reply(output, 0, entry);
    } else if (op == store_Op_Remove) {
        if (is_there) {
            memmove(&state->sorted[place], &state->sorted[place + 1],
                (--state->count - place) * sizeof(entry));
            state->sorted[state->count] = entry;
        }
        reply(output, is_there, NULL);
    } else if (!is_there && state->count == KEYS_MAX) {
        lam_app_refuse(output, REFUSED_FULL, "there are 4096 keys, and no more");
    } else {
        if (!is_there) {
            entry = state->sorted[state->count];
            memmove(&state->sorted[place + 1], &state->sorted[place],
                (state->count++ - place) * sizeof(entry));
            state->sorted[place] = entry;
        }
        memset(entry, 0, sizeof(*entry));
        entry->key = key;
        entry->version = htole64(context->sequence);
        entry->value_bytes = htole32(value.count);
        if (value.count != 0)
            memcpy(entry->value, value.data, value.count);
        reply(output, 1, entry);
    }
}

static void query(const void *of, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    const struct state *state = of;
    struct key key = key_of(store_Get_get_key(store_Get_root(bytes)));
    uint32_t place;
    int is_there = find(state, &key, &place);

    reply(output, is_there, is_there ? state->sorted[place] : NULL);
}

static int snapshot(const void *of, struct lam_app_writer *writer)
{
    const struct state *state = of;

    for (uint32_t i = 0; i < state->count; i++)
        if (lam_app_write(writer, state->sorted[i], sizeof(struct entry)) != 0)
            return -ENOMEM;
    return 0;
}

static int restore(void *to, struct lam_app_reader *reader)
{
    struct state *state = to;
    uint32_t place;

    for (struct entry *entry = state->entries; lam_app_left(reader) != 0; entry++)
        if (state->count == KEYS_MAX || lam_app_read(reader, entry, sizeof(*entry)) != 0 ||
            le32toh(entry->key.count) > KEY_BYTES_MAX ||
            le32toh(entry->value_bytes) > VALUE_BYTES_MAX || find(state, &entry->key, &place) ||
            place != state->count++)
            return -EBADMSG;
    return 0;
}

static void digest(const void *of, struct lam_app_digest *digest)
{
    const struct state *state = of;

    for (uint32_t i = 0; i < state->count; i++)
        lam_app_digest_add(digest, state->sorted[i], sizeof(struct entry));
}

const struct lam_app store_app = {.name = "store",
    .version = 1,
    .event_bytes_max = 512,
    .reply_bytes_max = 384,
    .create = create,
    .destroy = free,
    .apply = apply,
    .query = query,
    .snapshot = snapshot,
    .restore = restore,
    .digest = digest,
    .decode = decode};
