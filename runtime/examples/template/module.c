/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: copy this file, and make a module of it.
 *
 *     cc -shared -fPIC -O2 -o greeting.so module.c
 *
 * The one header brings all there is: the call, its arena, log, metrics, calls of other modules,
 * and errno. In a tree that is not installed add -I FOLDER for it. runtime/ABI.md says what holds
 * between a module and its host: threads, ownership, the order in which entries are called.
 */
#include <stdlib.h>

#include "lamina/runtime/module.h"

/* 1. The state, if there is one. Each generation has its own; a host may load a file twice. */
struct greeting {
    char word[32];
    uint64_t word_bytes;
};

/*
 * 2. init: once, before anything else. The request is the configuration that the host was given.
 * What is left in call->state comes with every later call. Anything but 0 is a refusal: the host
 * says so, and a module that served before goes on serving. Clean up before refusing.
 */
static int start(struct lam_call *call)
{
    static const char usual[] = "hello";
    uint64_t bytes = call->request_bytes != 0 ? call->request_bytes : sizeof(usual) - 1;
    struct greeting *greeting;

    if (bytes > sizeof(greeting->word))
        return -EINVAL;
    greeting = (struct greeting *)calloc(1, sizeof(*greeting));
    if (greeting == NULL)
        return -ENOMEM;
    memcpy(greeting->word, call->request_bytes != 0 ? call->request : usual, bytes);
    greeting->word_bytes = bytes;
    call->state = greeting;
    return 0;
}

/* 3. shutdown: once, after the last call. */
static int stop(struct lam_call *call)
{
    free(call->state);
    return 0;
}

/*
 * 4. A method. The request is input: look at its length before reading it. Ask for the place of the
 * answer, which says -ENOSPC for you where the caller has too little room, and fill it.
 *
 * For memory until the end of this call: lam_call_arena_take(&call->arena, bytes, align). Before
 * long work: lam_call_remaining_ns(call). To call another module: lam_call_module().
 */
static int greet(struct lam_call *call)
{
    const struct greeting *greeting = (const struct greeting *)call->state;
    void *reply;
    int rc;

    if (call->request_bytes == 0 || call->request_bytes > 1024) {
        lam_call_log(call, LAM_LEVEL_WARN, "greet: a name has 1 to 1024 bytes");
        return -EINVAL;
    }
    rc = lam_call_reserve(call, greeting->word_bytes + 1 + call->request_bytes, &reply);
    if (rc != 0)
        return rc;
    memcpy(reply, greeting->word, greeting->word_bytes);
    ((char *)reply)[greeting->word_bytes] = ' ';
    memcpy((char *)reply + greeting->word_bytes + 1, call->request, call->request_bytes);
    (void)lam_call_count(call, "greeted", 1);
    return 0;
}

/*
 * 5. The methods: function, name, flags. LAM_METHOD_IDEMPOTENT: it may be called again where nobody
 * knows whether it ran. LAM_METHOD_CACHEABLE: the same request has the same answer.
 */
#define METHODS(METHOD) METHOD(greet, "greet", LAM_METHOD_IDEMPOTENT)

/*
 * 6. The table: name, version, methods, then what else there is, in the order of struct
 * lam_descriptor. LAM_MODULE_CONCURRENT says that calls may come from several threads at once;
 * leave it out, and the host lets in one at a time. To keep the state over a reload add .save and
 * .restore (see counter.c in examples/modules).
 */
LAM_MODULE("greeting", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT,
    .init = start, .shutdown = stop);
