/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_VERBS_H
#define LAM_RUNTIME_VERBS_H

/*
 * verbs.h: what `lamina module` is asked to do, and who does it.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/runtime/remote.h"

/* Exit codes, as the other verbs have them. */
#define EXIT_REFUSED     1 /* the module, the host or this machine said no */
#define EXIT_WRONG       2 /* command line, file or setting */
#define EXIT_NOT_STARTED 3 /* it could not start, or there is no host */

#define ARGUMENTS_SETS_MAX 32

/* Lent from the command line. */
struct arguments {
    const char *words[3]; /* what is no option, behind the verb */
    uint32_t word_count;
    const char *endpoint;
    const char *data, *data_file; /* of a call */
    const char *name;
    const char *config;
    const char *reference;
    const char *sets[ARGUMENTS_SETS_MAX];
    size_t set_count;
    uint64_t timeout_ns;
    uint64_t room_bytes;
    int in_process, counts, keeps_state, json, only_checks, explains;
};

/* "lamina module: ..." on standard error. Returns @code. */
__attribute__((format(printf, 2, 3))) int complain(int code, const char *format, ...);

/* Each does its verb to the end. Returns the exit code. */
int verb_host(const struct arguments *arguments);
int verb_list(const struct arguments *arguments);
int verb_load(const struct arguments *arguments);
int verb_call(const struct arguments *arguments);
int verb_reload(const struct arguments *arguments);
int verb_unload(const struct arguments *arguments);
int verb_stat(const struct arguments *arguments);
int verb_watch(const struct arguments *arguments);
int verb_doctor(const struct arguments *arguments);

/* ---- ask.c ---- */

/* Connect to the host that the arguments name. Returns 0, or the exit code after a complaint. */
int ask_connect(const struct arguments *arguments, struct lam_remote **remote, uint64_t bytes_max);

uint64_t ask_deadline(const struct arguments *arguments);

/* ---- doctor_image.c: a module of ours, as the bytes of its file ---- */

extern const unsigned char doctor_image[], doctor_image_end[];

#endif
