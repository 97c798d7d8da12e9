/* SPDX-License-Identifier: Apache-2.0 */
/* lamina seq send: requests one after another, and their replies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. Returns 0, or complains and returns the exit code. */
static int from_hex(char *text, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (digit(text[i]) < 0 || *count % 2 != 0)
            return complain(EXIT_WRONG, "\"%.*s\" is not pairs of hexadecimal digits",
                (int)(*count < 60 ? *count : 60), text);
    *count /= 2;
    for (size_t i = 0; i < *count; i++)
        text[i] = (char)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
    return 0;
}

/* One request, which is the caller's to be changed. Returns the exit code. */
static int ask(struct lam_sequencer_client *client, const struct arguments *arguments, char *text,
    size_t count)
{
    struct lam_sequencer_reply reply;
    int rc = arguments->is_hex ? from_hex(text, &count) : 0;

    if (rc != 0)
        return rc;
    rc = lam_sequencer_client_call_until(client, arguments->is_query, text, count,
        lam_deadline_after_ns(arguments->timeout_ns), &reply);
    if (rc != 0)
        return seq_failed(client, rc);
    seq_print(arguments, &reply);
    return reply.kind == LAM_SEQUENCER_REFUSED ? EXIT_REFUSED : 0;
}

/* All lines; what one is refused for does not keep the next from being asked. */
static int ask_lines(struct lam_sequencer_client *client, const struct arguments *arguments)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t count;
    int code = 0;

    while (code <= EXIT_REFUSED && (count = getline(&line, &room, stdin)) >= 0) {
        int rc;

        if (count > 0 && line[count - 1] == '\n')
            count--;
        rc = ask(client, arguments, line, (size_t)count);
        code = rc != 0 ? rc : code;
        (void)fflush(stdout); /* who writes the next line may wait for this one's reply */
    }
    free(line);
    return code;
}

int verb_send(const struct arguments *arguments)
{
    struct lam_sequencer_client *client;
    int code = seq_connect(arguments, &client);

    if (code != 0)
        return code;
    for (int i = 0; i < arguments->word_count && code <= EXIT_REFUSED; i++) {
        int rc = ask(client, arguments, arguments->words[i], strlen(arguments->words[i]));

        code = rc != 0 ? rc : code;
    }
    if (arguments->word_count == 0)
        code = ask_lines(client, arguments);
    seq_end(client);
    return code;
}
