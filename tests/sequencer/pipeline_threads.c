/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_threads.c: a node run by 1 to 5 threads on this machine's own disk, in both ways of
 * waiting. Clients keep their windows full; what they are answered is in order and adds up, and is
 * there in the next process. A node with nothing to do makes no steps.
 */
#include <stdlib.h>
#include <unistd.h>

#include "env/linux.h"
#include "pipeline/runner.h"
#include "world.h"

#define CLIENTS    4
#define WINDOW     8
#define IDLE_NS    UINT64_C(200000000)
#define IDLE_STEPS 2000

struct scene {
    char folder[64];
    unsigned threads;
    struct lam_env_linux envs[RUNNER_THREADS_MAX];
    struct world world; /* its transport and what clients do; not its simulation */
    struct node *node;
    struct runner runner;
};

struct client {
    unsigned link;
    uint64_t sent, answered, session, token;
};

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    long value = text != NULL ? strtol(text, NULL, 10) : 1;

    return value < 1 ? 1 : (uint64_t)value;
}

static void begin(struct scene *scene, int spins)
{
    struct world *world = &scene->world;
    struct node_config config = {
        .sequencer = &world->config, .app = &world->app, .transport_count = 1};
    struct runner_options options = {0};

    memory_transport_init(&world->transport, 1);
    for (unsigned i = 0; i < scene->threads; i++)
        CHECK(lam_env_linux_init(&scene->envs[i], scene->folder) == 0);
    for (int i = 0; i < NODE_STAGES; i++)
        config.envs[i] = &scene->envs[runner_thread_of((enum node_stage)i, scene->threads)].env;
    config.transports[0] = &world->transport.transport;
    world->transport.reader = config.envs[NODE_READER];
    if (node_open(&scene->node, &config, &world->error) < 0) {
        (void)fprintf(stderr, "%s\n", world->error.text);
        CHECK(0);
    }
    options.spins = spins;
    options.thread_count = scene->threads;
    CHECK(runner_start(&scene->runner, scene->node, &options, &world->error) == 0);
}

static void end(struct scene *scene)
{
    node_stop(scene->node);
    CHECK(runner_join(&scene->runner, &scene->world.error) == 0);
    CHECK(node_is_done(scene->node));
    node_close(scene->node);
    memory_transport_fini(&scene->world.transport);
    for (unsigned i = 0; i < scene->threads; i++)
        lam_env_linux_fini(&scene->envs[i]);
}

/* The next frame for it, however long that takes. */
static void hear(struct scene *scene, unsigned link, struct answer *answer)
{
    int heard;

    while ((heard = world_hear(&scene->world, link, answer)) == 0)
        (void)usleep(100);
    CHECK(heard == 1);
}

static void come(struct scene *scene, struct client *client)
{
    struct answer answer;

    client->link = memory_connect(&scene->world.transport);
    world_hello(&scene->world, client->link, client->session, client->token);
    hear(scene, client->link, &answer);
    CHECK(answer.kind == FRAME_WELCOME);
    client->session = wire_get_u64(answer.body);
    client->token = wire_get_u64(answer.body + 8);
}

/* Fills its window and takes what has come. Returns 0: it has had @until answered, or 1. */
static int talk_on(struct scene *scene, struct client *client, uint64_t until)
{
    struct answer answer;

    for (; client->sent < until && client->sent - client->answered < WINDOW; client->sent++)
        world_request(&scene->world, client->link, client->sent + 1, client->answered + 1, 1);
    while (world_hear(&scene->world, client->link, &answer) == 1) {
        CHECK(answer.kind == FRAME_REPLY);
        CHECK(answer.request == ++client->answered);
    }
    return client->answered < until;
}

/* Requests of one, until each client has had @count of them answered. */
static void talk(struct scene *scene, struct client *clients, uint64_t count)
{
    uint64_t until = clients[0].answered + count;
    int left;

    do {
        left = 0;
        for (int i = 0; i < CLIENTS; i++)
            left += talk_on(scene, &clients[i], until);
    } while (left != 0);
}

static uint64_t ask(struct scene *scene, struct client *client)
{
    struct answer answer;

    world_query(&scene->world, client->link, 1);
    hear(scene, client->link, &answer);
    CHECK(answer.kind == FRAME_REPLY);
    return world_value(&answer);
}

static void live(struct scene *scene, int spins, uint64_t count)
{
    struct client clients[CLIENTS] = {{0}};

    for (int life = 0; life < 3; life++) {
        begin(scene, spins);
        for (int i = 0; i < CLIENTS; i++)
            come(scene, &clients[i]);
        CHECK(ask(scene, &clients[0]) == (uint64_t)life * count * CLIENTS);
        talk(scene, clients, count);
        CHECK(ask(scene, &clients[0]) == (uint64_t)(life + 1) * count * CLIENTS);
        end(scene);
    }
}

static void rest(struct scene *scene)
{
    uint64_t steps = 0;

    begin(scene, 0);
    (void)usleep(IDLE_NS / 1000);
    node_stop(scene->node);
    CHECK(runner_join(&scene->runner, &scene->world.error) == 0);
    for (int i = 0; i < NODE_STAGES; i++)
        steps += node_stage(scene->node, (enum node_stage)i)->steps;
    CHECK(steps < IDLE_STEPS);
    node_close(scene->node);
    memory_transport_fini(&scene->world.transport);
    for (unsigned i = 0; i < scene->threads; i++)
        lam_env_linux_fini(&scene->envs[i]);
}

static void in_a_folder(struct scene *scene, int spins, uint64_t count)
{
    char command[128];

    world_init(&scene->world, 1);
    scene->world.config.digest_events = 64;
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/lamina-pipeline-XXXXXX");
    CHECK(mkdtemp(scene->folder) != NULL);
    if (count != 0)
        live(scene, spins, count);
    else
        rest(scene);
    (void)snprintf(command, sizeof(command), "rm -r %s", scene->folder);
    CHECK(system(command) == 0); // NOLINT(cert-env33-c): a folder of our own
}

int main(void)
{
    static struct scene scene;

    for (scene.threads = 1; scene.threads <= RUNNER_THREADS_MAX; scene.threads++) {
        in_a_folder(&scene, 0, 20 * effort());
        in_a_folder(&scene, 1, 4 * effort());
        in_a_folder(&scene, 0, 0);
    }
    return 0;
}
