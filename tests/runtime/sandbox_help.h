/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_SANDBOX_HELP_H
#define LAM_TEST_SANDBOX_HELP_H

/*
 * sandbox_help.h: a module that tries things, loaded into a sandbox. Each checks by itself that
 * what is no matter of the sandbox went well.
 */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules.h"
#include "sandbox_tries.h"

extern struct lam_runtime *runtime;
extern struct lam_module *module;
extern struct lam_error error;
extern struct lam_module_reply reply;    /* of the last call */
extern struct lam_sandbox_report report; /* of the last load */

/* Returns what the load did. */
int try_load(const struct lam_sandbox_options *sandbox);

void load(const struct lam_sandbox_options *sandbox);

/* With a sandbox of which @layer is what is tested: the test is skipped where there is none. */
void load_with(struct lam_sandbox_options sandbox, enum lam_sandbox_layer layer);

void unload(void);

/* Another runtime: what its modules in workers have where they say nothing. */
void bound_all_workers(uint64_t memory_bytes);

int ask(const char *method, const void *request, uint64_t bytes, struct tried *tried);

/* What it got: an errno below 0. */
int64_t try(const char *method, const void *request, uint64_t bytes);

/* A system call by its number. */
int64_t try_call(struct try_call call);

/* Its worker is ended by @signal, and the next one serves. */
void expect_end(const char *method, const void *request, uint64_t bytes, int signal);

#endif
