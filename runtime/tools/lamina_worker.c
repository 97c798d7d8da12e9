/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lamina_worker: the process in which a host runs a module that it does not trust with its own.
 * Started by the host, with the socket as descriptor 3; of no use to people.
 */
#include <stdio.h>

#include "linux/spawn.h"
#include "worker/secure.h"
#include "worker/serve.h"

int main(int argc, char **argv)
{
    if (!spawn_is_worker()) {
        (void)fprintf(stderr, "lamina_worker: started by a host, not by hand\n");
        return 2;
    }
    secure_begin(SPAWN_SOCKET_FD, argc, argv);
    return lam_worker_serve(SPAWN_SOCKET_FD);
}
