/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a ring's two objects and back; and the bytes that real rings are. */
#include "fuzz_attach.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/many.h"
#include "lamina/ring/producer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES    4096U
#define CONTROL_PAGES 13U
#define RUN_MAX       128U

static void must(int so)
{
    if (!so) {
        perror("fuzz_attach");
        abort();
    }
}

int fuzz_objects(const uint8_t *input, size_t size, int fds[2])
{
    static uint8_t objects[2][(CONTROL_PAGES + 3) * PAGE_BYTES];
    size_t bytes[2];
    size_t at = FUZZ_HEAD_BYTES;

    if (size < FUZZ_HEAD_BYTES)
        return 0;
    bytes[0] = PAGE_BYTES * (1 + input[0] % 8U);
    bytes[1] = PAGE_BYTES * (CONTROL_PAGES + input[1] % 4U);
    memset(objects, 0, sizeof(objects));
    while (at + 3 < size) {
        uint8_t *object = objects[input[at] >> 7];
        size_t length = input[at] % RUN_MAX + 1U;
        size_t place = input[at + 1] | (size_t)input[at + 2] << 8;

        at += 3;
        if (length > size - at)
            length = size - at;
        if (place + length <= sizeof(objects[0]))
            memcpy(object + place, input + at, length);
        at += length;
    }
    for (int i = 0; i < 2; i++) {
        fds[i] = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        must(fds[i] >= 0 && write(fds[i], objects[i], bytes[i]) == (ssize_t)bytes[i] &&
             fcntl(fds[i], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    }
    return 1;
}

/* Append the runs of one object: 8 bytes at a time, those in a row together. */
static size_t runs_of(
    int which, const uint8_t *object, size_t bytes, size_t at, uint8_t input[FUZZ_INPUT_MAX])
{
    static const uint8_t zero[8];

    for (size_t place = 0; place < bytes; place += 8) {
        size_t length = 0;

        while (length < RUN_MAX && place + length < bytes &&
               memcmp(object + place + length, zero, 8) != 0)
            length += 8;
        if (length == 0)
            continue;
        if (at + 3 + length > FUZZ_INPUT_MAX)
            return 0;
        input[at] = (uint8_t)((size_t)which << 7 | (length - 1));
        input[at + 1] = (uint8_t)place;
        input[at + 2] = (uint8_t)(place >> 8);
        memcpy(input + at + 3, object + place, length);
        at += 3 + length;
        place += length - 8;
    }
    return at;
}

size_t fuzz_input_of(const int fds[2], uint8_t what, uint8_t input[FUZZ_INPUT_MAX])
{
    size_t at = FUZZ_HEAD_BYTES;

    for (int i = 0; i < 2 && at != 0; i++) {
        struct stat status;
        uint8_t *object;

        must(fstat(fds[i], &status) == 0);
        object = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fds[i], 0);
        must(object != MAP_FAILED);
        input[i] = (uint8_t)(status.st_size / PAGE_BYTES - (i == 0 ? 1 : CONTROL_PAGES));
        at = runs_of(i, object, (size_t)status.st_size, at, input);
        (void)munmap(object, (size_t)status.st_size);
    }
    input[2] = what;
    return at;
}

static void publish(struct lam_ring *ring)
{
    struct lam_ring_many_producer many;
    struct lam_ring_producer one;
    void *payload;

    if (ring->producers == LAM_RING_ONE_PRODUCER) {
        must(lam_ring_producer_attach(&one, ring, NULL, NULL) == 0);
        for (uint64_t i = 0; i < 5; i++) {
            must(lam_ring_producer_try_claim(&one, 40 * i, &payload) == 1);
            memset(payload, 1, 8);
            lam_ring_producer_commit(&one, 40 * i, 1, 0);
        }
        lam_ring_producer_detach(&one);
        return;
    }
    must(lam_ring_many_attach(&many, ring, NULL, NULL) == 0);
    for (uint64_t i = 0; i < 5; i++) {
        must(lam_ring_many_try_claim(&many, 40 * i, &payload) == 1);
        if (i == 3)
            lam_ring_many_abort(&many); /* padding */
        else
            lam_ring_many_commit(&many, 40 * i, 1, 0);
    }
    lam_ring_many_detach(&many);
}

static void seed(const char *folder, uint8_t what, const struct lam_ring_options *options)
{
    static uint8_t input[FUZZ_INPUT_MAX];
    struct lam_ring_consumer_options join = {.name = "one", .start = LAM_RING_OLDEST};
    struct lam_ring_consumer consumer;
    struct lam_event event;
    struct lam_ring ring;
    char path[4096];
    size_t bytes;
    int fds[2];
    FILE *file;

    must(lam_ring_create(&ring, options, NULL) == 0);
    publish(&ring);
    must(lam_ring_consumer_attach(&consumer, &ring, &join, NULL) == 0);
    must(lam_ring_consumer_try_peek(&consumer, &event) == 1);
    must(lam_ring_consumer_release(&consumer) == 0);
    lam_ring_consumer_detach(&consumer);
    lam_ring_fds(&ring, &fds[0], &fds[1]);
    bytes = fuzz_input_of(fds, what, input);
    lam_ring_detach(&ring);
    if (bytes == 0)
        return;
    (void)snprintf(path, sizeof(path), "%s/ring-%u", folder, what);
    file = fopen(path, "w");
    must(file != NULL && fwrite(input, 1, bytes, file) == bytes && fclose(file) == 0);
}

void fuzz_seed(const char *folder)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "seed",
        .depth = 16,
        .type_name = "type",
        .first_sequence = UINT64_MAX - 5};

    must(mkdir(folder, 0777) == 0 || errno == EEXIST);
    for (uint8_t what = 0; what < 8; what++) {
        options.producers = what % 2 == 0 ? LAM_RING_ONE_PRODUCER : LAM_RING_MANY_PRODUCERS;
        options.cell_bytes = what < 4 ? 64 : 256; /* a page of cells: 64 of them, or 16 */
        seed(folder, what, &options);
    }
}
