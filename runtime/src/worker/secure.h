/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SECURE_H
#define LAM_RUNTIME_SECURE_H

/*
 * secure.h: a worker confines itself.
 */

#include "wish.h"

/* The start of a worker's process: go where its argument says. */
void secure_begin(int socket, int argument_count, char **arguments);

/* While nobody waits: make ready what the argument says. */
void secure_prepare(void);

/*
 * Make each layer of the wish active that this kernel has, and say what became of each. There is no
 * way back. Before any code of a module is here.
 *
 * Returns 0, or -EPROTO @bytes are no wish.
 */
int secure_process(const void *wish, uint64_t bytes, struct lam_sandbox_report *report);

#endif
