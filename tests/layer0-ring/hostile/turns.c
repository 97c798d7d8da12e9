/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever a hostile peer writes into a ring, and whenever, this side never crashes, never
 * reads outside its mapping, never loops without end, and answers as its headers say.
 *
 * Method: the shipped sources are compiled with another atomic.h (hostile_atomic.h), so that the
 * hostile one has turns between any two looks at shared words. At each it changes some bytes of
 * either object: fields to what would hurt, forged events, any byte. Ends of every kind make all
 * their calls meanwhile; a ring's memory lies between guards, steps are counted, the clock is the
 * world's own. The same seed makes the same run.
 */
#include "prey.h"
#include "processes.h"
#include "scene.h"
#include "world.h"

/* Of one pair of rings, before others are made: when they are worn out. */
#define MUTATIONS_EACH 400
#define CALLS_EACH     1000
#define CALLS_IN_PEACE 60

#ifndef HOSTILE_MUTATIONS
#define HOSTILE_MUTATIONS 200000
#endif

static char folder[] = "/tmp/lamina-hostile-XXXXXX";
static struct scene scene;

static void empty_folder(void)
{
    static const char *const files[] = {"lamina.h.control", "lamina.h.data"};
    char path[80];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        (void)unlink(path);
    }
}

static void remove_folder(void)
{
    empty_folder();
    (void)rmdir(folder);
}

static void one_call(void)
{
    scene_call(&scene);
    prey_undo();
}

/* As a ring is made: the hidden names are no secret. */
static void as_it_is_made(const char *label)
{
    if (strncmp(label, "create.", 7) == 0 && world_once_in(3))
        prey_strike(folder);
}

/* Rings with names: no ends but those of a few calls, and many makers. */
static void named_rings(void)
{
    empty_folder();
    world_at = as_it_is_made;
    for (int i = 0; i < 30; i++)
        scene_lifecycle(folder);
    world_at = NULL;
}

/* Rings of some geometry, from their making to the ends' leaving. */
static void one_part(uint64_t part)
{
    uint64_t until;

    world_part(part);
    until = prey_count() + MUTATIONS_EACH;
    if (part % 8 == 7) {
        named_rings();
        return;
    }
    scene_make(&scene);
    world_hostile = NULL;
    for (int call = 0; call < CALLS_IN_PEACE; call++)
        one_call();
    world_hostile = prey_mutate;
    for (int call = 0; call < CALLS_EACH && prey_count() < until; call++)
        one_call();
    scene_end(&scene);
}

/* Usage: [SEED [PART]]: one seed, one part of it. */
int main(int argc, char **argv)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t wanted = HOSTILE_MUTATIONS * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct world_counts counts;

    TEST_CHECK(mkdtemp(folder) != NULL);
    TEST_CHECK(atexit(remove_folder) == 0);
    world_open(seed, 0);
    world_hostile = prey_mutate;
    if (argc > 2)
        one_part(strtoull(argv[2], NULL, 10));
    else
        for (uint64_t part = 0; prey_count() < wanted; part++)
            one_part(part);
    counts = world_counts();
    (void)printf("seed %llu: %llu mutations, %llu calls, %llu of them with something in hand; at "
                 "most %llu steps, in %s\n",
        (unsigned long long)seed, (unsigned long long)prey_count(),
        (unsigned long long)counts.calls, (unsigned long long)counts.fruitful,
        (unsigned long long)counts.steps_max, counts.longest);
    /* Most of all would be nothing, if nobody lived on. */
    if (argc > 1) /* who looks at one seed wants to know */
        for (const struct world_tally *tally = world_tallies(); tally->call != NULL; tally++)
            (void)printf("%10llu failed %10llu 0 %10llu more: %.70s\n",
                (unsigned long long)tally->errors, (unsigned long long)tally->nothing,
                (unsigned long long)tally->fruitful, tally->call);
    (void)fflush(stdout);
    TEST_CHECK(argc > 2 || (prey_count() >= wanted && counts.fruitful > wanted / 8));
    return 0;
}
