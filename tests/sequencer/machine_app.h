/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SEQUENCER_MACHINE_APP_H
#define TEST_SEQUENCER_MACHINE_APP_H

/*
 * machine_app.h: an application that does whatever its event says, and a machine around it that is
 * fed record by record.
 */

#include "machine/machine.h"

#define APP_SUMS        16
#define APP_EVENT_MAX   64
#define APP_REPLY_MAX   200
#define APP_PUBLISH_MAX 100

/* The first byte of an event; @a and @b are the next two. Any other, and none: refused, code 99. */
enum app_op {
    APP_ADD = 0,      /* b to sum a; the reply is the sum, 8 bytes */
    APP_REFUSE = 1,   /* with code a, after it replied and published */
    APP_LONG = 2,     /* reply with a bytes of value b */
    APP_PUBLISH = 3,  /* a pieces of b bytes; the reply says how many were taken */
    APP_TOO_LONG = 4, /* reply with one byte too many, then with its result */
    APP_TIME = 5,     /* reply with time, session and role, 20 bytes */
};

/* What the application is created with. */
struct app_config {
    uint8_t wrong; /* not 0: it adds one more: a copy that went astray */
};

extern const struct lam_app machine_app;

/* What it was called: no part of any copy's state. */
extern unsigned machine_app_applied;

struct story {
    struct machine_config config;
    struct machine *machine;
    uint64_t time_ns;
    struct lam_error error;
};

/* A machine of 4 sessions, windows of 8 and 400 bytes of replies. Nothing is applied yet. */
void story_begin(struct story *story);

/* Besides, RECORD_EPOCH and RECORD_STARTED. */
void story_begin_started(struct story *story);

void story_end(struct story *story);

/* Apply the next record, a little later. Returns what machine_apply returned. */
int story_apply(struct story *story, uint16_t kind, const void *data, uint32_t bytes);

/* Open a session of @role. Returns its id. */
uint64_t story_open(struct story *story, uint32_t role);

/* Apply one request. */
int story_ask(struct story *story, uint64_t session, uint64_t request, uint64_t floor,
    enum app_op op, uint8_t a, uint8_t b);

/* The first item; asserted to be there. */
struct machine_item story_item(const struct story *story);

/* The code of a refusal; 0 where it is none. */
uint32_t story_code(const struct machine_item *item);

/* Another machine of the same image. Returns what machine_load returned. */
int story_copy(const struct story *story, struct story *copy);

#endif
