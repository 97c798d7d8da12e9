/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SEQUENCER_MACHINE_MODEL_H
#define TEST_SEQUENCER_MACHINE_MODEL_H

/*
 * machine_model.h: what machine.h and app.h say of a machine with the application of machine_app.h,
 * in plain arrays that are searched from end to end. It shares no code with the machine.
 */

#include "machine_app.h"

#define MODEL_SESSIONS 4
#define MODEL_WINDOW   8
#define MODEL_REPLY    400
#define MODEL_ITEMS    128

struct model_answer {
    int is_kept;
    enum machine_item_kind kind;
    uint64_t request, sequence;
    uint32_t count;
    uint8_t bytes[APP_REPLY_MAX];
};

struct model_session {
    uint64_t id, last, floor; /* id 0: none */
    uint32_t role;
    struct model_answer answers[MODEL_WINDOW];
};

struct model_item {
    enum machine_item_kind kind;
    uint32_t index;
    int is_repeat;
    uint64_t sequence, session, request;
    uint32_t count;
    uint8_t bytes[256];
};

struct model {
    uint64_t next, time_ns, epoch;
    uint32_t started;
    uint64_t sums[APP_SUMS];
    struct model_session sessions[MODEL_SESSIONS];
    struct model_item items[MODEL_ITEMS];
    uint32_t item_count;
};

/* A record that is one. */
void model_apply(struct model *model, const struct machine_record *record);

void model_query(struct model *model, uint64_t session, uint64_t request);

struct model_session *model_find(struct model *model, uint64_t id);

#endif
