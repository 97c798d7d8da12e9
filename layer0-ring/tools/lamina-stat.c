/* SPDX-License-Identifier: Apache-2.0 */
/* lamina stat, where topologies are left out of the build: rings are all there is. */
#include "ring_stat.h"

int main(int argc, char **argv)
{
    return ring_stat_main(argc, argv);
}
