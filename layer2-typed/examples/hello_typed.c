/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes, one channel of greetings (greeting.fbs), packed by MessagePack. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "greeting.h"
#include "lamina/typed/typed.h"

static int send(struct lam_ring *ring, uint64_t end_ns)
{
    struct hello_Greeting greeting;
    struct lam_typed_sender sender;
    int rc;

    if (lam_typed_sender_attach(&sender, ring, &hello_Greeting_msgpack, NULL, NULL) != 0 ||
        lam_typed_sender_wait_receivers_until(&sender, 1, end_ns) != 0)
        return 1;
    hello_Greeting_init(&greeting);
    greeting.name = LAM_STRING("lamina");
    greeting.times = 3;
    rc = lam_typed_sender_send_until(&sender, &greeting, NULL, end_ns);
    lam_typed_sender_close(&sender);
    lam_typed_sender_detach(&sender);
    return rc;
}

static int receive(struct lam_ring *ring, uint64_t end_ns)
{
    struct lam_typed_receiver receiver;
    struct hello_Greeting greeting;
    struct lam_arena arena;
    char memory[256];
    int rc = lam_typed_receiver_attach(&receiver, ring, &hello_Greeting_msgpack, NULL, NULL);

    lam_arena_init(&arena, memory, sizeof(memory));
    while (rc == 0 && (rc = lam_typed_receiver_receive_until(
                           &receiver, end_ns, &greeting, &arena, NULL)) == 0) {
        printf("hello %s, %u times\n", greeting.name.data, greeting.times);
        lam_arena_reset(&arena);
    }
    lam_typed_receiver_detach(&receiver);
    return rc != -EPIPE; /* closed in order */
}

int main(void)
{
    const struct lam_ring_options options = {.name = "greetings", .depth = 1024};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring ring;
    int status;

    if (lam_typed_channel_create(&ring, &options, &hello_Greeting_msgpack, NULL) != 0)
        return 1;
    if (fork() == 0)
        return receive(&ring, end_ns);
    return send(&ring, end_ns) || wait(&status) < 0 || status != 0;
}
