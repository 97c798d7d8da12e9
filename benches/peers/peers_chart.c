/* SPDX-License-Identifier: Apache-2.0 */
#include "peers_chart.h"

#include <stddef.h>

/* Ours drawn last, over the others. Memory in blues and greens, the kernel in warm colours. */
static const struct bench_chart_line lines[] = {
    {"zeromq_ipc", "ZeroMQ, ipc", "#b5304a", ""},
    {"nng_ipc", "nng, ipc", "#e07a5f", ""},
    {"tcp_loopback", "TCP, loopback", "#d98e04", ""},
    {"unix_stream", "Unix socket, stream", "#c9a227", ""},
    {"unix_seqpacket", "Unix socket, packets", "#9c6644", ""},
    {"named_pipe", "named pipe", "#7f4f24", ""},
    {"posix_mq", "POSIX message queue", "#6d597a", ""},
    {"boost_message_queue", "boost message_queue", "#9d4edd", ""},
    {"memlink_shm", "memlink-shm, its ring", "#48bfe3", ""},
    {"iceoryx2", "iceoryx2", "#5390d9", ""},
    {"flag_queue", "model of vLLM's broadcast", "#577590", ""},
    {"myelon", "Myelon, 64 KiB frames", "#1b4965", ""},
    {"myelon_sized", "Myelon, frames of the size", "#1b6ca8", ""},
    /* Each panel has one of the probes. */
    {"buffer2", "probe: bare memory", "#777777", "5 4"},
    {"stamped", NULL, "#777777", "5 4"},
    {"framed", "Lamina, layer 1", "#2a9d5c", ""},
};

const struct bench_chart peers_chart = {
    .title = "Layer 1 beside other transports, 64 bytes to 2 MiB",
    .lines = lines,
    .line_count = sizeof(lines) / sizeof(lines[0])};
