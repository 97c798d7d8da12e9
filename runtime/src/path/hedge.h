/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_HEDGE_H
#define LAM_RUNTIME_HEDGE_H

/*
 * hedge.h: the same call twice at once, and the first answer is the answer.
 *
 * A thread cannot leave a module's code before that returns. So both run in threads that were made
 * at load, with copies of the request and buffers of their own, while the caller waits. Who comes
 * second is left alone with its answer; it is a guest of its generation, which does not end before.
 */

#include "lamina/runtime/retry.h"
#include "path/path.h"

struct lam_hedge;

/* @threads of them, and the delays that @options say. Returns 0, -ENOMEM or -errno. */
int lam_hedge_open(struct lam_hedge **hedge, const struct lam_retry_options *options);

/* No run is on its way. NULL is allowed. */
void lam_hedge_close(struct lam_hedge *hedge);

/*
 * What is behind @passage, in other threads, by the deadline of its call. Returns 1 with *@rc as of
 * lam_module_call(), or 0: no thread is free, or no memory for a copy, and nothing was called.
 */
int lam_hedge_run(struct lam_hedge *hedge, struct lam_passage *passage, int *rc);

/* How many runs were begun, how many of them second ones, how many of these answered first, and how
 * many threads are inside now, and after which time a second one begins. */
struct lam_hedge_counts {
    uint64_t raced, begun, won, delay_ns;
    uint32_t running;
};

struct lam_hedge_counts lam_hedge_look(struct lam_hedge *hedge);

#endif
