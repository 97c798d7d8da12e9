/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_PACKET_H
#define LAM_ENDPOINT_PACKET_H

/*
 * packet.h: packets over the socket, without waiting. Descriptors that come where none belong are
 * closed, whatever else is wrong.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/framed/endpoint.h"

#define PACKET_MAGIC UINT64_C(0x3150444e454d414c) /* "LAMENDP1" */

/* The geometries that a packet may name, as layer 0 has them. */
#define PACKET_DEPTH_MAX (UINT64_C(1) << 40)
#define PACKET_CELL_MIN  32
#define PACKET_CELL_MAX  65536

/* Returns 0, -EPIPE the peer is gone, -ENOBUFS it takes nothing, or -errno. */
int lam_packet_send(int socket, const uint8_t *bytes, size_t count);

/*
 * Returns 1 and *@count bytes; 0 nothing is there; -EPIPE the peer is gone; -EPROTO longer than any
 * packet, or with descriptors; -errno.
 */
int lam_packet_receive(int socket, uint8_t bytes[LAM_ENDPOINT_PACKET_MAX], size_t *count);

#endif
