/* SPDX-License-Identifier: Apache-2.0 */
/* lamina seq tail: what is published, from a sequence on. */
#include <errno.h>
#include <stdio.h>

#include "verbs.h"

int verb_tail(const struct arguments *arguments)
{
    struct lam_sequencer_client *client;
    struct lam_sequencer_reply reply;
    int code = seq_connect(arguments, &client);

    if (code != 0)
        return code;
    if (arguments->word_count != 0)
        code = complain(EXIT_WRONG, "tail takes one address, not \"%s\"", arguments->words[0]);
    else if (lam_sequencer_client_subscribe(client, arguments->from) != 0)
        code = seq_failed(client, -ENOTRECOVERABLE);
    for (uint64_t i = 0; code == 0 && i < arguments->count; i++) {
        int rc = lam_sequencer_client_wait_until(client, LAM_DEADLINE_NEVER, &reply);

        if (rc != 0) {
            code = seq_failed(client, rc);
        } else {
            seq_print(arguments, &reply);
            code = reply.kind == LAM_SEQUENCER_REFUSED ? EXIT_REFUSED : 0;
            if (fflush(stdout) != 0)
                break;
        }
    }
    seq_end(client);
    return code;
}
