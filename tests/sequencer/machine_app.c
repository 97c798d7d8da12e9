/* SPDX-License-Identifier: Apache-2.0 */
#include "machine_app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

struct state {
    uint64_t sums[APP_SUMS];
    uint8_t wrong;
};

unsigned machine_app_applied;

static void *create(const void *config)
{
    struct state *state = calloc(1, sizeof(*state));

    if (state != NULL && config != NULL)
        state->wrong = ((const struct app_config *)config)->wrong;
    return state;
}

static void apply(void *to, const struct lam_app_context *context, const void *bytes, size_t count,
    struct lam_app_output *output)
{
    static const uint8_t zeros[APP_REPLY_MAX + 1];
    struct state *state = to;
    uint8_t event[3] = {255, 0, 0}, pattern[256];
    uint8_t taken = 0;

    machine_app_applied++;
    memcpy(event, bytes, count < sizeof(event) ? count : sizeof(event));
    memset(pattern, event[2], sizeof(pattern));
    switch (event[0]) {
    case APP_ADD:
        state->sums[event[1] % APP_SUMS] += event[2] + state->wrong;
        if (context->session != 0) /* not a startup event */
            (void)lam_app_reply(output, &state->sums[event[1] % APP_SUMS], 8);
        return;
    case APP_REFUSE:
        (void)lam_app_reply(output, "dropped", 7);
        (void)lam_app_publish(output, "dropped", 7);
        lam_app_refuse(output, event[1], "because");
        lam_app_refuse(output, 77, "too late");
        (void)lam_app_reply(output, "dropped", 7);
        (void)lam_app_publish(output, "dropped", 7);
        return;
    case APP_LONG:
        (void)lam_app_reply(output, pattern, event[1]);
        return;
    case APP_PUBLISH:
        for (unsigned i = 0; i < event[1]; i++)
            taken += lam_app_publish(output, pattern, event[2]) == 0;
        if (context->session != 0)
            (void)lam_app_reply(output, &taken, 1);
        return;
    case APP_TOO_LONG:
        taken = lam_app_reply(output, zeros, sizeof(zeros)) == -EMSGSIZE;
        (void)lam_app_reply(output, &taken, 1);
        return;
    case APP_TIME:
        (void)lam_app_reply(output, &context->time_ns, 8);
        (void)lam_app_reply(output, &context->session, 8);
        (void)lam_app_reply(output, &context->role, 4);
        return;
    default:
        lam_app_refuse(output, 99, NULL);
    }
}

/* What a tick does depends on its time, and is heard of. */
static void tick(void *to, const struct lam_app_context *context, struct lam_app_output *output)
{
    struct state *state = to;

    state->sums[0] = 31 * state->sums[0] + context->time_ns;
    (void)lam_app_publish(output, &state->sums[0], 8);
}

static void query(const void *of, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    const struct state *state = of;

    if (count != 0 && *(const uint8_t *)bytes == APP_REFUSE)
        lam_app_refuse(output, 5, "not this");
    (void)lam_app_reply(output, &context->sequence, 8);
    (void)lam_app_reply(output, &context->time_ns, 8);
    (void)lam_app_reply(output, state->sums, sizeof(state->sums));
}

static int snapshot(const void *of, struct lam_app_writer *writer)
{
    return lam_app_write(writer, ((const struct state *)of)->sums, sizeof(uint64_t) * APP_SUMS);
}

static int restore(void *to, struct lam_app_reader *reader)
{
    return lam_app_read(reader, ((struct state *)to)->sums, sizeof(uint64_t) * APP_SUMS);
}

static void digest(const void *of, struct lam_app_digest *digest)
{
    lam_app_digest_add(digest, ((const struct state *)of)->sums, sizeof(uint64_t) * APP_SUMS);
}

const struct lam_app machine_app = {.name = "whatever",
    .version = 3,
    .event_bytes_max = APP_EVENT_MAX,
    .reply_bytes_max = APP_REPLY_MAX,
    .publish_bytes_max = APP_PUBLISH_MAX,
    .create = create,
    .destroy = free,
    .apply = apply,
    .tick = tick,
    .query = query,
    .snapshot = snapshot,
    .restore = restore,
    .digest = digest};

void story_begin(struct story *story)
{
    memset(story, 0, sizeof(*story));
    story->config = (struct machine_config){
        .app = &machine_app, .sessions_max = 4, .window = 8, .reply_bytes = 400};
    LAM_ASSERT(machine_create(&story->machine, &story->config, NULL) == 0);
}

void story_begin_started(struct story *story)
{
    uint64_t epoch = 1;

    story_begin(story);
    LAM_ASSERT(story_apply(story, RECORD_EPOCH, &epoch, sizeof(epoch)) == 0);
    LAM_ASSERT(story_apply(story, RECORD_STARTED, NULL, 0) == 0);
}

void story_end(struct story *story)
{
    machine_destroy(story->machine);
    story->machine = NULL;
}

int story_apply(struct story *story, uint16_t kind, const void *data, uint32_t bytes)
{
    uint64_t aligned[32];
    struct machine_record record = {.sequence = machine_next(story->machine),
        .time_ns = story->time_ns += 10,
        .data = aligned,
        .bytes = bytes,
        .kind = kind};

    LAM_ASSERT(bytes <= sizeof(aligned));
    if (bytes != 0)
        memcpy(aligned, data, bytes);
    return machine_apply(story->machine, &record, &story->error);
}

uint64_t story_open(struct story *story, uint32_t role)
{
    uint64_t id = machine_next(story->machine);
    struct record_open open = {.token = id * 1000, .role = role, .identity = {(uint8_t)role}};

    LAM_ASSERT(story_apply(story, RECORD_OPEN, &open, sizeof(open)) == 0);
    return id;
}

int story_ask(struct story *story, uint64_t session, uint64_t request, uint64_t floor,
    enum app_op op, uint8_t a, uint8_t b)
{
    struct {
        struct record_app asked;
        uint8_t event[8];
    } data = {{session, request, floor}, {(uint8_t)op, a, b}};

    return story_apply(story, RECORD_APP, &data, sizeof(data.asked) + 3);
}

struct machine_item story_item(const struct story *story)
{
    struct machine_item item;

    LAM_ASSERT(machine_item(story->machine, 0, &item) == 1);
    return item;
}

uint32_t story_code(const struct machine_item *item)
{
    uint32_t code = 0;

    if (item->kind == ITEM_REFUSED && item->count >= sizeof(code))
        memcpy(&code, item->bytes, sizeof(code));
    return code;
}

int story_copy(const struct story *story, struct story *copy)
{
    struct machine_image image = {0};
    int result;

    *copy = *story;
    LAM_ASSERT(machine_save(story->machine, &image) == 0);
    LAM_ASSERT(machine_create(&copy->machine, &copy->config, NULL) == 0);
    result = machine_load(copy->machine, image.bytes, image.count, &copy->error);
    free(image.bytes);
    return result;
}
