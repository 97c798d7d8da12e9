/* SPDX-License-Identifier: Apache-2.0 */
/* node_counter.c: serves counter.c as a file says (node.yaml). */
#include "apps.h"
#include "lamina/sequencer/config.h"

int main(int argc, char **argv)
{
    return lam_sequencer_main(argc, argv, &counter_app);
}
