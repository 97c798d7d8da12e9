/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.c: somebody's parser, and not a good one: it believes the number before a colon.
 *
 *     cc -shared -fPIC -O2 -o parser.so parser.c
 */
#include <stdlib.h>

#include "lamina/runtime/module.h"

/* "3:abcdef" is "abc". */
static int parse(struct lam_call *call)
{
    char text[64], *end;
    unsigned long length;

    if (call->request_bytes >= sizeof(text))
        return -EMSGSIZE;
    memcpy(text, call->request, call->request_bytes);
    text[call->request_bytes] = '\0';
    length = strtoul(text, &end, 10);
    if (*end != ':')
        return -EBADMSG;
    end[1 + length] = '\0'; /* whatever it is */
    return lam_call_answer(call, end + 1, length);
}

#define METHODS(METHOD) METHOD(parse, "parse", 0)

LAM_MODULE("parser", LAM_VERSION(0, 9, 0), METHODS, .features = 0);
