/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining a ring whose producer laps, and being evicted while reading, as steps of a program that
 * runs on a machine with one order: what each order of steps does; memory order is model_ring's.
 *
 * A step here is one load or store of a shared word there, and stands for the shipped functions
 * that the comments name: layer0-ring/src/producer_room.c, producer_table.c, settle.c, consumer.c.
 * Simpler than shipped: each event has one cell, of two words; a patience may be over at any time;
 * two entries, both marked as used from the start; a claim that finds no room waits for a change.
 *
 * Entry 0 is an evictable consumer's, which comes again when it was evicted, and then another's,
 * that has no patience. Entry 1 is one's who joins at any time, without a patience, and may die.
 *
 * Safety: what a consumer that was not told of its eviction has read is the event of its sequence,
 * whole; each sees every event from its start on, but for those that it is told of; nothing comes
 * twice. Progress: the producer publishes all, whoever is evicted, dies or comes, and all others
 * see the last event (else spin finds an invalid end state).
 *
 * Each of these makes spin find an error:
 *   -DNO_LOOK         a joiner does not look at the horizon once it is counted
 *   -DNO_RESCAN       the producer does not look for joiners once it has raised the horizon
 *   -DEARLY_COUNT     a joiner is counted before its entry gates
 *   -DLATE_COUNT      a joiner is counted once it has looked at the horizon
 *   -DLATE_NOTE       the producer notes the count of joiners behind its scan
 *   -DLATE_EVICTION   cells are overwritten before the eviction is told
 *   -DBLIND_EVICTION  an entry is evicted, whoever owns it by now
 *   -DTRUST           a consumer does not look whether it was evicted once it has read
 *   -DNO_FLOOR        an evicted one comes again at the oldest event, seen or not
 *   -DNO_REAP         a dead consumer stays in the table (progress)
 */
#ifndef DEPTH
#define DEPTH 4
#endif
#define FIRST DEPTH /* so that nothing is below 0 */
#ifndef EVENTS
#define EVENTS 6
#endif
#define EVICTIONS 2 /* tries at it */
#define END      (FIRST + EVENTS)
#ifdef EVICT
#define ENTRIES 1
#else
#define ENTRIES 2
#endif
#define NONE     255
#define CELL(s)  ((s) % DEPTH)

/* An entry's state word: lam_ring_entry_next(). */
#define LEFT    0
#define GATING  1
#define EVICTED 2
#define DEAD    3
#define STATE(w)   ((w) & 3)
#define NEXT(w, s) (((w) >> 2) + 1 << 2 | (s))

byte stamp[DEPTH], first_half[DEPTH], second_half[DEPTH];
byte horizon = FIRST, waypoint = FIRST;
byte joins;
byte state[ENTRIES], cursor[ENTRIES];
bit lock[ENTRIES]; /* LAM_RING_LOCK_CONSUMER + i: free is dead */
bit patient[ENTRIES]; /* it has a patience */
byte evictions;

/* rescan(), scan(): the lowest cursor that gates. */
inline rescan()
{
#ifndef LATE_NOTE
    seen_joins = joins;
#endif
    released = next;
    who = NONE;
    i = 0;
    do
    :: i < ENTRIES ->
        word = state[i];
        if
        :: STATE(word) == GATING ->
            d_step {
                if
                :: cursor[i] < released -> released = cursor[i]; who = i; seen = word
                :: else -> skip
                fi;
                skip
            }
        :: else
        fi;
        i++
    :: else -> break
    od;
#ifdef LATE_NOTE
    seen_joins = joins;
#endif
    atomic { i = 0; word = 0 }
}

/* held_back(): lam_ring_producer_evict(), lam_ring_producer_reap(), or wait for a change. */
inline held_back()
{
    if
    :: patient[who] && evictions < EVICTIONS ->
        evictions++;
#ifdef LATE_EVICTION
        d_step { late = 1 + who; left = 2; released = next }
#else
        d_step {
            if
#ifdef BLIND_EVICTION
            :: STATE(state[who]) == GATING -> state[who] = NEXT(state[who], EVICTED)
#else
            :: state[who] == seen -> state[who] = NEXT(seen, EVICTED)
#endif
            :: else -> skip
            fi;
            skip
        }
#endif
#ifndef NO_REAP
    :: !lock[who] ->
        d_step {
            if
            :: state[who] == seen -> state[who] = NEXT(seen, DEAD)
            :: else -> skip
            fi;
            skip
        }
#endif
    :: cursor[who] != released || state[who] != seen || joins != seen_joins -> skip
    fi
}

/* lam_ring_producer_make_room() for one cell, try_room(). */
inline make_room()
{
    do
    :: limit - next > 1 -> break
    :: else ->
        if
        :: released + DEPTH < next + 2 || joins != seen_joins -> rescan()
        :: else
        fi;
        if
        :: released + DEPTH < next + 2 -> held_back()
        :: else ->
            if
            :: horizon + DEPTH < next + 2 ->
                /* choose_horizon(), raise_horizon(); F5 */
                d_step {
                    if
                    :: next + 2 > waypoint + DEPTH -> waypoint = next
                    :: else -> skip
                    fi;
                    skip
                }
                if
                :: horizon = next + 2 - DEPTH
                :: released + DEPTH > next + 2 -> horizon = next + 3 - DEPTH
                fi;
#ifndef NO_RESCAN
                if
                :: joins != seen_joins -> rescan()
                :: else
                fi
#endif
            :: else
            fi;
            if
            :: released + DEPTH >= next + 2 ->
                limit = (released < horizon -> released : horizon) + DEPTH
            :: else -> skip /* it joined below, and will move on */
            fi
        fi
    od
}

proctype producer()
{
    byte next = FIRST, limit = FIRST, released = FIRST, seen_joins, who, seen, word, i;
#ifdef LATE_EVICTION
    byte late, left;
#endif

    do
    :: next < END ->
        make_room();
        /* lam_ring_producer_commit(), lam_ring_producer_advance() */
        first_half[CELL(next)] = next;
#ifdef LATE_EVICTION
        if
        :: late != 0 && left == 1 ->
            d_step { state[late - 1] = NEXT(state[late - 1], EVICTED); late = 0 }
        :: late != 0 && left == 2 -> left = 1
        :: else
        fi;
#endif
        second_half[CELL(next)] = next;
        d_step {
            stamp[CELL(next)] = next;
            next++;
            who = 0;
            seen = 0
        }
        if
        :: waypoint = next
        :: true
        fi
    :: else -> break
    od
}

/* lam_ring_settle(), enter(), settle_gating(). */
inline settle(me, head)
{
    do
    :: true ->
        place = horizon;
        cursor[me] = place;
#ifdef EARLY_COUNT
        joins++;
#endif
        d_step { mine = NEXT(state[me], GATING); state[me] = mine } /* R4 */
#if !defined(EARLY_COUNT) && !defined(LATE_COUNT)
        joins++; /* R9 */
#endif
        do
        :: true ->
#ifndef NO_LOOK
            place = horizon;
#endif
            if
            :: head && waypoint >= place -> place = waypoint /* lam_ring_recent_place() */
            :: else
            fi;
            cursor[me] = place; /* F6 */
#ifndef NO_LOOK
            if
            :: horizon <= place -> break
            :: else
            fi
#else
            break
#endif
        od;
#ifdef LATE_COUNT
        joins++;
#endif
        /* lam_ring_walk() */
        do
        :: head && place < END && stamp[CELL(place)] == place -> place++
        :: else -> break
        od;
        if
        :: state[me] == mine -> break
        :: else /* evicted, or taken for dead: again */
        fi
    od
}

/* Read events up to the last, or to any before. Sets told: it was evicted, and knows. */
inline read(me, may_stop)
{
    told = 0;
    do
    :: at == END || may_stop -> break
    :: at < END && stamp[CELL(at)] == at ->
        /* lam_ring_consumer_guard_peek() */
        if
        :: patient[me] && state[me] != mine -> told = 1; break
        :: else
        fi;
        a = first_half[CELL(at)];
        b = second_half[CELL(at)];
        cursor[me] = at + 1; /* R2, lam_ring_consumer_release_to() */
#ifndef TRUST
        if
        :: patient[me] && state[me] != mine -> told = 1
        :: else
        fi;
#endif
        d_step {
            assert(told || a == at && b == at);
            a = 0;
            b = 0
        }
        if
        :: told -> break
        :: else -> at++
        fi
    /* lam_ring_consumer_idle() */
    :: patient[me] && state[me] != mine -> told = 1; break
    od
}

/* lam_ring_consumer_detach() of one that nobody can resume. */
inline leave(me)
{
    atomic {
        if
        :: state[me] == mine -> state[me] = NEXT(mine, LEFT)
        :: else
        fi;
        patient[me] = 0;
        lock[me] = 0
    }
}

/* Entry 0: one with a patience, and then one without. */
proctype evictable()
{
    byte at, place, mine, a, b;
    bit told;

    atomic { lock[0] = 1; patient[0] = 1 }
    settle(0, 0);
    at = place;
    do
    :: true ->
        read(0, 1);
        if
        :: told ->
            /* lam_ring_consumer_readmit() */
            settle(0, 0);
#ifndef NO_FLOOR
            if
            :: place < at -> place = at /* nothing comes twice */
            :: else
            fi;
#endif
            assert(place >= at); /* what was lost is place - at, and never less than nothing */
            at = place;
            cursor[0] = at
        :: else -> break
        fi
    od;
    leave(0);
    atomic { lock[0] = 1 }
    settle(0, 0);
    at = place;
    cursor[0] = at;
    read(0, 0);
    assert(at == END);
    leave(0)
}

#ifndef EVICT
/* Entry 1. */
proctype joiner()
{
    byte at, place, mine, a, b;
    bit told;

    lock[1] = 1;
    if
    :: settle(1, 0)
    :: settle(1, 1)
    fi;
    at = place;
    if
    :: cursor[1] = at; read(1, 0); leave(1)
    :: lock[1] = 0 /* it dies, wherever it is */
    fi
}
#endif

init
{
    byte i;

    d_step {
        do
        :: i < DEPTH -> stamp[i] = NONE; i++
        :: else -> break
        od;
        /* What the entries' last owners left there. */
        cursor[0] = END;
#ifndef EVICT
        cursor[1] = END;
#endif
        i = 0
    }
    atomic {
        run producer();
#ifndef JOIN
        run evictable();
#endif
#ifndef EVICT
        run joiner()
#endif
    }
}
