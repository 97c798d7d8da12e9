/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_TOOLS_VERBS_H
#define LAM_SEQUENCER_TOOLS_VERBS_H

/*
 * verbs.h: what the verbs of lamina seq share: their command line, and a client of a node.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/sequencer/client.h"

/* Exit codes. */
enum {
    EXIT_REFUSED = 1,     /* the node said no, or did not answer all */
    EXIT_WRONG = 2,       /* the command line */
    EXIT_NOT_STARTED = 3, /* no such node */
};

struct arguments {
    const char *address, *key, *histogram;
    char **words; /* behind the address */
    int word_count;
    int is_query, is_hex, is_json;
    uint64_t from, count; /* tail; count UINT64_MAX: no end */
    uint64_t bytes, timeout_ns;
    double rate, seconds;
    uint32_t window;
};

int verb_send(const struct arguments *arguments);
int verb_tail(const struct arguments *arguments);
int verb_load(const struct arguments *arguments);

/* "lamina seq: ...", to standard error. Returns @code. */
__attribute__((format(printf, 2, 3))) int complain(int code, const char *format, ...);

/* A client that is welcome. Returns 0, or complains and returns the exit code. */
int seq_connect(const struct arguments *arguments, struct lam_sequencer_client **client);

/* The node did not do what is wanted: @rc of a client's call. Complains, and returns the code. */
int seq_failed(const struct lam_sequencer_client *client, int rc);

/* The session ends, where the node still listens; the client too. NULL is well. */
void seq_end(struct lam_sequencer_client *client);

/* A reply, a refusal (to standard error) or an event, as --hex and --json say. */
void seq_print(const struct arguments *arguments, const struct lam_sequencer_reply *reply);

#endif
