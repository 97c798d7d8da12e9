/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SERVE_H
#define LAM_RUNTIME_SERVE_H

/* The life of a worker's process: join the channel at @socket, and serve until the host is gone.
 * Returns the status to exit with. */
int lam_worker_serve(int socket);

#endif
