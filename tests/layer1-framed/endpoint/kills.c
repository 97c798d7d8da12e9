/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whoever is killed, whenever, each request of a client that lives comes to exactly one end,
 * with the right bytes where it is answered; who serves next takes the endpoint over; and nothing
 * is left: no descriptor, no object, no name. Method: a daemon and clients in children, killed at
 * random and started again; a client here that asks all the time, first with reconnect and then
 * without. Size: LAMINA_EFFORT.
 */
#include "stage.h"

#define BYSTANDERS 3
#define KILLS      40

static uint64_t random_state = 88172645463325252;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static const struct lam_daemon_options it = {.name = "it", .depth = 256, .clients_max = 8};

/* One that talks until it is killed. */
static pid_t start_bystander(void)
{
    struct lam_client_options options = {
        .endpoint = "it", .name = "bystander", .reconnect = 1, .depth = 256};
    static struct lam_client client;
    struct lam_error error;
    pid_t child = stage_fork();

    if (child != 0)
        return child;
    if (lam_client_connect(&client, &options, stage_soon(), &error) != 0)
        for (;;)
            (void)pause();
    for (uint64_t i = 0;; i++) {
        struct lam_framed_message message;
        enum lam_lane lane;

        (void)stage_echo(&client, i, stage_ms(500));
        if (i % 5 == 0)
            (void)stage_say(&client, STAGE_PUSH, 4, (uint32_t)(i / 5 % LAM_LANE_COUNT));
        while (lam_client_try_receive(&client, &message, &lane) == 1)
            lam_client_release(&client, lane, &message);
    }
}

struct tally {
    uint64_t begun;
    uint64_t answered;
    uint64_t failed;
};

/*
 * Several at once; each of their ends is taken, and no other. Somebody always serves again long
 * before their deadline: so with reconnect each is answered, and without, each that is not ends
 * with the death of who had it. Returns 0, or how it was lost.
 */
static int ask_some(struct lam_client *client, int reconnects, struct tally *tally)
{
    struct lam_ticket tickets[8];
    uint64_t numbers[8];
    uint32_t begun = 0;
    int lost = 0;

    for (uint32_t i = 0; i < 8; i++) {
        struct iovec part = {&numbers[i], sizeof(numbers[i])};
        int rc;

        numbers[i] = tally->begun + i;
        rc = lam_client_begin_until(client, (enum lam_lane)(i % LAM_LANE_COUNT), &part, 1,
            STAGE_ECHO, stage_ms(60000), &tickets[begun]);
        STAGE_CHECK(rc == 0 || (!reconnects && rc == -EOWNERDEAD));
        if (rc == 0)
            numbers[begun++] = numbers[i];
    }
    tally->begun += begun;
    for (uint32_t i = begun; i > 0; i--) {
        struct lam_reply reply;

        STAGE_CHECK(
            lam_client_take_until(client, &tickets[i - 1], LAM_DEADLINE_NEVER, &reply) == 0);
        if (reply.outcome == 0) {
            STAGE_CHECK(reply.payload_bytes == 8);
            STAGE_CHECK(memcmp(reply.payload, &numbers[i - 1], 8) == 0);
            tally->answered++;
            lam_client_release_reply(client, &reply);
        } else {
            STAGE_CHECK(!reconnects && reply.outcome == -EOWNERDEAD);
            tally->failed++;
            lost = reply.outcome;
        }
        STAGE_CHECK(lam_client_try_take(client, &tickets[i - 1], &reply) == -ENOENT);
    }
    return begun == 0 ? -EOWNERDEAD : lost;
}

/* A client that comes back by itself: nothing of it is lost, as long as somebody serves in time. */
static void ask_for_ever(struct tally *tally, lam_atomic_u32 *stop)
{
    struct lam_client_options options = {.endpoint = "it", .name = "asker", .reconnect = 1};
    static struct lam_client client;
    struct lam_error error;

    STAGE_CHECK(lam_client_connect(&client, &options, stage_soon(), &error) == 0);
    while (lam_load_relaxed(stop) == 0)
        STAGE_CHECK(ask_some(&client, 1, tally) == 0);
    STAGE_CHECK(lam_call_table_count(&client.table, LAM_CALL_WAITING) == 0);
    STAGE_CHECK(tally->failed == 0 && tally->answered == tally->begun);
    lam_client_disconnect(&client, 0, NULL);
}

/* One that is told of each end, and connects again by hand. */
static void ask_again_and_again(struct tally *tally, lam_atomic_u32 *stop)
{
    struct lam_client_options options = {.endpoint = "it", .name = "asker"};
    static struct lam_client client;
    struct lam_error error;

    while (lam_load_relaxed(stop) == 0) {
        if (lam_client_connect(&client, &options, stage_ms(2000), &error) != 0)
            continue;
        while (lam_load_relaxed(stop) == 0 && ask_some(&client, 0, tally) == 0)
            ;
        lam_client_disconnect(&client, 0, NULL);
    }
}

struct asker {
    void (*ask)(struct tally *tally, lam_atomic_u32 *stop);
    struct tally tally;
    lam_atomic_u32 stop;
};

static void *run_asker(void *argument)
{
    struct asker *asker = argument;

    asker->ask(&asker->tally, &asker->stop);
    return NULL;
}

static uint64_t daemon_kills, client_kills, stops;

/* Kill and start again, now the daemon, now a client; now and then a daemon only stops. */
static void kill_at_random(pid_t *daemon, pid_t bystanders[BYSTANDERS])
{
    uint32_t which = (uint32_t)draw(2 * BYSTANDERS);

    (void)usleep((useconds_t)draw(12000));
    if (which < BYSTANDERS) {
        stage_kill(bystanders[which]);
        bystanders[which] = start_bystander();
        client_kills++;
        return;
    }
    if (draw(4) == 0) {
        stops++;
        STAGE_CHECK(kill(*daemon, SIGSTOP) == 0);
        (void)usleep(3000);
        STAGE_CHECK(kill(*daemon, SIGCONT) == 0);
        return;
    }
    stage_kill(*daemon);
    *daemon = stage_fork_daemon(&it);
    daemon_kills++;
}

static void run_matrix(const char *name, void (*ask)(struct tally *, lam_atomic_u32 *))
{
    struct asker asker = {.ask = ask};
    pid_t bystanders[BYSTANDERS];
    uint32_t descriptors = stage_descriptors();
    pid_t daemon = stage_fork_daemon(&it);
    pthread_t thread;

    for (uint32_t i = 0; i < BYSTANDERS; i++)
        bystanders[i] = start_bystander();
    STAGE_CHECK(pthread_create(&thread, NULL, run_asker, &asker) == 0);
    for (uint64_t i = 0; i < KILLS * stage_effort(); i++)
        kill_at_random(&daemon, bystanders);
    lam_store_relaxed(&asker.stop, 1);
    STAGE_CHECK(pthread_join(thread, NULL) == 0);
    stage_kill(daemon);
    for (uint32_t i = 0; i < BYSTANDERS; i++)
        stage_kill(bystanders[i]);
    STAGE_CHECK(stage_descriptors() == descriptors);
    STAGE_CHECK(asker.tally.begun == asker.tally.answered + asker.tally.failed);
    STAGE_CHECK(asker.tally.answered > 0);
    printf("%s: %llu requests begun, %llu answered, %llu failed, each once\n", name,
        (unsigned long long)asker.tally.begun, (unsigned long long)asker.tally.answered,
        (unsigned long long)asker.tally.failed);
}

/* What the last daemon left is a socket and a lock; the next one takes them and leaves nothing. */
static void leave_nothing(void)
{
    static struct stage stage;
    DIR *folder;
    struct dirent *file;
    uint32_t count = 0;

    stage_create(&stage, &it);
    lam_daemon_shutdown(&stage.daemon, 0, NULL);
    lam_daemon_destroy(&stage.daemon);
    folder = opendir(stage_folder);
    STAGE_CHECK(folder != NULL);
    while ((file = readdir(folder)) != NULL)
        count += file->d_name[0] != '.' || strncmp(file->d_name, ".it", 3) == 0;
    (void)closedir(folder);
    STAGE_CHECK(count == 0);
}

int main(void)
{
    stage_make();
    run_matrix("with reconnect", ask_for_ever);
    run_matrix("without", ask_again_and_again);
    leave_nothing();
    stage_clear();
    printf("%llu daemons and %llu clients killed, %llu daemons stopped for a while\n",
        (unsigned long long)daemon_kills, (unsigned long long)client_kills,
        (unsigned long long)stops);
    return 0;
}
