/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All crash points of the ring, each with the scene in which a peer dies there. labels.sh sees that
 * none is left out. "write." ones are this suite's own: a peer that dies as it writes a payload.
 */
#include "crash.h"

#define PRODUCER crash_scene_producer
#define CONSUMER crash_scene_consumer
#define CREATE   crash_scene_create
#define CLEAN    crash_scene_clean
#define REVIVE   crash_scene_revive
#define POISON   crash_scene_poison
#define GROUP    crash_scene_group
#define MANY     crash_scene_many

const struct crash_case crash_cases[] = {
    /* A producer comes, after one that died. */
    {"attach.producer_locked", PRODUCER, 1, CRASH_PREDECESSOR},
    {"epoch.signed", PRODUCER, 1, CRASH_PREDECESSOR},
    {"epoch.waypoint_set", PRODUCER, 1, 0},
    {"epoch.open", PRODUCER, 1, CRASH_PREDECESSOR},
    /* It claims, writes, commits. */
    {"claim.cell_cleared", PRODUCER, 60, 0},
    {"write.begun", PRODUCER, 100, 0},
    {"write.half", PRODUCER, 300, CRASH_PREDECESSOR},
    {"write.done", PRODUCER, 100, CRASH_FILE},
    {"publish.cut", PRODUCER, 15, 0},
    {"publish.shape_stored", PRODUCER, 60, CRASH_FILE},
    {"publish.stamp_stored", PRODUCER, 60, 0},
    {"batch.claimed", PRODUCER, 15, CRASH_PREDECESSOR},
    {"batch.staged", PRODUCER, 60, 0},
    {"batch.cut", PRODUCER, 8, 0},
    {"abort.begun", PRODUCER, 15, 0},
    {"waypoint.words_stored", PRODUCER, 30, CRASH_FILE},
    {"waypoint.counted", PRODUCER, 30, 0},
    /* It makes room, and takes the dead and the slow out of the table. */
    {"room.scanned", PRODUCER, 10, 0},
    {"room.ordinal_stored", PRODUCER, 10, CRASH_FILE},
    {"room.horizon_stored", PRODUCER, 10, 0},
    {"bury.remembered", PRODUCER, 1, CRASH_DEAD_CONSUMER},
    {"bury.taken", PRODUCER, 1, CRASH_DEAD_CONSUMER},
    {"evict.remembered", PRODUCER, 1, CRASH_IMPATIENT},
    {"evict.taken", PRODUCER, 1, CRASH_IMPATIENT},
    {"place.half_written", PRODUCER, 1, CRASH_DEAD_CONSUMER | CRASH_IMPATIENT},
    {"required.kept", PRODUCER, 2, CRASH_REQUIRED},
    {"required.given_up", PRODUCER, 1, CRASH_REQUIRED},
    /* It sleeps and wakes others. */
    {"park.producer_announced", PRODUCER, 4, CRASH_FULL},
    {"park.producer_woken", PRODUCER, 4, CRASH_FULL},
    {"wake.bits_taken", PRODUCER, 10, CRASH_SLEEPY},
    {"wake.bell_rung", PRODUCER, 10, CRASH_SLEEPY},
    /* It ends. */
    {"end.tallied", PRODUCER, 1, 0},
    {"end.state_stored", PRODUCER, 1, 0},
    {"fail.reason_stored", PRODUCER, 1, CRASH_FAILS},
    {"end.state_stored", PRODUCER, 1, CRASH_FAILS},
    {"detach.producer_tallied", PRODUCER, 1, CRASH_FILE},
    /* A consumer joins, some in the place of one that died. */
    {"attach.consumer_locked", CONSUMER, 1, CRASH_PREDECESSOR},
    {"join.begun", CONSUMER, 1, 0},
    {"join.signed", CONSUMER, 1, 0},
    {"join.signed", CONSUMER, 1, CRASH_PREDECESSOR},
    {"join.gating", CONSUMER, 1, 0},
    {"join.used", CONSUMER, 1, 0},
    {"join.used", CONSUMER, 1, CRASH_PREDECESSOR},
    {"join.counted", CONSUMER, 1, 0},
    {"join.cursor_stored", CONSUMER, 1, CRASH_PREDECESSOR},
    {"join.settled", CONSUMER, 1, CRASH_PREDECESSOR},
    {"join.told", CONSUMER, 1, CRASH_PREDECESSOR},
    {"resume.place_marked", CONSUMER, 1, CRASH_PREDECESSOR},
    {"resume.taken", CONSUMER, 1, CRASH_PREDECESSOR},
    {"place.half_written", CONSUMER, 1, CRASH_PREDECESSOR},
    /* It releases, wakes others, sleeps. */
    {"release.cursor_stored", CONSUMER, 60, 0},
    {"wake.producer_taken", CONSUMER, 6, CRASH_FULL},
    {"wake.producer_rung", CONSUMER, 6, CRASH_FULL},
    {"chain.bits_taken", CONSUMER, 6, CRASH_LEADS | CRASH_FULL},
    {"park.consumer_announced", CONSUMER, 10, CRASH_SLEEPY},
    {"park.consumer_woken", CONSUMER, 10, CRASH_SLEEPY},
    {"lossy.copied", CONSUMER, 40, CRASH_LOSSY},
    /* It is evicted, and joins again. */
    {"join.gating", CONSUMER, 3, CRASH_IMPATIENT},
    {"join.cursor_stored", CONSUMER, 3, CRASH_IMPATIENT},
    {"readmit.settled", CONSUMER, 2, CRASH_IMPATIENT},
    /* It leaves. */
    {"place.half_written", CONSUMER, 1, CRASH_LEAVES},
    {"leave.place_set", CONSUMER, 1, CRASH_LEAVES},
    {"leave.left", CONSUMER, 1, CRASH_LEAVES},
    {"leave.unlocked", CONSUMER, 1, CRASH_LEAVES},
    {"leave.freed", CONSUMER, 1, CRASH_LEAVES | CRASH_UNNAMED},
    {"leave.freed", CONSUMER, 1, CRASH_LEAVES | CRASH_LOSSY},
    /* A member of a group joins, the first or another one; takes, releases, leaves. */
    {"group.named", GROUP, 1, CRASH_FOUNDS},
    {"group.opened", GROUP, 1, CRASH_FOUNDS},
    {"group.opened", GROUP, 1, 0},
    {"group.entered", GROUP, 1, CRASH_FOUNDS},
    {"group.entered", GROUP, 1, 0},
    {"group.announced", GROUP, 40, 0},
    {"group.end_stored", GROUP, 30, 0},
    {"group.confirmed", GROUP, 30, CRASH_SLEEPY},
    {"group.claimed", GROUP, 30, 0},
    {"group.part_released", GROUP, 5, 0},
    {"group.released", GROUP, 30, 0},
    {"group.left", GROUP, 1, CRASH_LEAVES},
    {"group.closed", GROUP, 1, CRASH_LEAVES | CRASH_FOUNDS},
    /* It takes over what a dead one had. */
    {"group.heir_locked", GROUP, 1, CRASH_PREDECESSOR | CRASH_ALONE},
    {"group.taken_over", GROUP, 1, CRASH_PREDECESSOR | CRASH_ALONE},
    {"group.released", GROUP, 4, CRASH_PREDECESSOR | CRASH_ALONE},
    /* One of many producers comes, goes round what the dead left, publishes, leaves. */
    {"attach.locked", MANY, 1, 0},
    {"attach.intent_cleared", MANY, 1, 0},
    {"attach.entry_open", MANY, 1, 0},
    {"attach.repaired", MANY, 1, CRASH_ALONE},
    {"attach.open", MANY, 1, 0},
    {"repair.looking", MANY, 2, CRASH_ALONE},
    {"repair.found", MANY, 1, CRASH_ALONE},
    {"repair.locked", MANY, 1, CRASH_ALONE},
    {"repair.done", MANY, 1, CRASH_ALONE},
    {"claim.intent_stored", MANY, 150, 0},
    {"claim.tail_moved", MANY, 150, 0},
    {"write.half", MANY, 400, 0},
    {"commit.begun", MANY, 150, 0},
    {"commit.shape_stored", MANY, 150, 0},
    {"commit.stamp_stored", MANY, 150, CRASH_SLEEPY},
    {"padding.shape_stored", MANY, 40, 0},
    {"padding.stamp_stored", MANY, 40, 0},
    {"waypoint.ordinal_stored", MANY, 60, 0},
    {"waypoint.sequence_stored", MANY, 60, 0},
    {"room.horizon_raised", MANY, 60, 0},
    {"table.locked", MANY, 1, CRASH_ALONE},
    {"table.remembered", MANY, 1, CRASH_ALONE},
    {"wake.bits_taken", MANY, 10, CRASH_SLEEPY | CRASH_ALONE},
    {"park.many_announced", MANY, 8, CRASH_FULL},
    {"close.marked", MANY, 1, 0},
    {"close.repaired", MANY, 1, CRASH_ALONE},
    {"close.closed", MANY, 1, CRASH_ALONE},
    {"detach.freed", MANY, 1, 0},
    /* Somebody makes a ring, some over a dead one, and removes it; somebody cleans. */
    {"stage.named", CREATE, 2, 0},
    {"stage.reserved", CREATE, 2, 0},
    {"create.control_staged", CREATE, 1, 0},
    {"create.data_staged", CREATE, 1, CRASH_PREDECESSOR},
    {"create.locked", CREATE, 1, 0},
    {"appear.renamed", CREATE, 2, 0},
    {"appear.renamed", CREATE, 2, CRASH_PREDECESSOR},
    {"create.control_appeared", CREATE, 1, CRASH_PREDECESSOR},
    {"create.appeared", CREATE, 1, 0},
    {"replace.proven_dead", CREATE, 1, CRASH_PREDECESSOR},
    {"remove.data_unlinked", CREATE, 2, CRASH_PREDECESSOR},
    {"remove.control_unlinked", CREATE, 2, CRASH_PREDECESSOR},
    {"remove.data_unlinked", CREATE, 1, 0},
    {"clean.proven_dead", CLEAN, 2, 0},
    {"clean.staged_locked", CLEAN, 1, 0},
    {"remove.data_unlinked", CLEAN, 2, 0},
    {"remove.control_unlinked", CLEAN, 2, 0},
    {"remove.data_unlinked", CLEAN, 2, CRASH_FILE},
    /* A file ring is revived after a power cut. */
    {"revive.head_cleared", REVIVE, 1, 0},
    {"revive.cut", REVIVE, 1, 0},
    {"revive.boot_stored", REVIVE, 1, 0},
    /* Somebody finds what cannot be. */
    {"poison.stored", POISON, 1, 0},
};

const size_t crash_case_count = sizeof(crash_cases) / sizeof(crash_cases[0]);
