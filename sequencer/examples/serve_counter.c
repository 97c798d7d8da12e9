/* SPDX-License-Identifier: Apache-2.0 */
/* serve_counter.c: serves counter.c at an address, from a journal in a folder. */
#include <stdio.h>

#include "apps.h"
#include "lamina/sequencer/sequencer.h"

int main(int argc, char **argv)
{
    struct lam_sequencer_config config = {0};

    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s FOLDER unix:PATH|tcp:HOST:PORT\n", argv[0]);
        return 2;
    }
    config.directory = argv[1];
    config.listen[0] = argv[2];
    return lam_sequencer_run(&config, &counter_app);
}
