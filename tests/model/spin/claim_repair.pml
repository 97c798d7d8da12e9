/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claim, commit, abort, death and repair on a ring of many producers, as steps of a program that
 * runs on a machine with one order: what each order of steps does; memory order is model_ring's.
 *
 * A step here is one load or store of a shared word there, and stands for the shipped functions
 * that the comments name: layer0-ring/include/lamina/ring/many.h, layer0-ring/src/many*.c. Who is
 * not chosen for a while is paused; a producer may die before any of its steps, and another takes
 * its entry. Simpler than shipped: one consumer's cursor stands for horizon and limit, the walk to
 * the frontier is one step, and each event has 1 or 2 cells of 4.
 *
 * Safety: no cell is written that holds what was not consumed; the consumer sees each producer's
 * events in order, none lost, none twice, each as it was written while it is read.
 * Progress (-DPROGRESS): whoever dies wherever, everything published is consumed at last.
 *
 * Each of these makes spin find an error:
 *   -DTIMEOUT_REPAIR   a hole is a dead one's when it has been there for long: the paused one's
 *   -DNO_INTENT        a claim is not announced
 *   -DLATE_INTENT      it is announced when it is made
 *   -DKEPT_INTENT      a successor in a dead one's entry keeps its intent (progress)
 *   -DBLIND_REPAIR     repair fills up to the tail, whatever was published or claimed behind
 *   -DNO_REPAIR_LOCK   two repair at once
 *   -DNO_SECOND_LOOK   repair acts on what it saw before it had the lock
 *   -DONE_TAIL         repair does not look whether it was lapped while it looked
 */
#ifndef CLAIMS
#define CLAIMS 3 /* by all of them */
#endif
#define PRODUCERS 2
#ifndef DEPTH
#define DEPTH 4
#endif
#define NONE      255
#define CELL(s)   ((s) % DEPTH)

byte tail;              /* lam_ring_many.tail */
byte intent[PRODUCERS]; /* lam_ring_many_entry.intent */
bit lock[PRODUCERS];    /* LAM_RING_LOCK_MANY + i: free is dead */
byte repairer;          /* LAM_RING_LOCK_REPAIR: 0 is free, else 1 + who */
byte cursor;            /* of the consumer */
byte stamp[DEPTH];
byte span[DEPTH];     /* length, in cells */
bit is_event[DEPTH];  /* not padding */
byte payload[DEPTH];  /* number << 1 | producer */

/* What nobody of them reads but the kernel and the assertions. */
bit killed[PRODUCERS];
byte claims;
byte ended;               /* producers that will not come again */
byte committed[PRODUCERS]; /* stamps stored, of events */

/* A producer's store into its cell: what is there must have been consumed, or never been. */
inline check_cell(s)
{
    assert(s >= cursor && (stamp[CELL(s)] == NONE || stamp[CELL(s)] < cursor))
}

/* lam_ring_many_publish_padding(). */
inline pad(s, n)
{
    d_step { check_cell(s); span[CELL(s)] = n; is_event[CELL(s)] = 0 }
    d_step { check_cell(s); stamp[CELL(s)] = s }
}

/* lam_ring_many_try_claim(): *at, n cells of it. */
inline claim(me, at, n)
{
    at = tail;
    do
    :: at + n + 1 > cursor + DEPTH ->
        intent[me] = NONE; /* lam_ring_many_give_up() */
        tail + n + 1 <= cursor + DEPTH;
        at = tail /* lam_ring_many_make_room() */
    :: else ->
#if !defined(NO_INTENT) && !defined(LATE_INTENT)
        intent[me] = at;
#endif
        if
        :: d_step { tail == at -> tail = at + n }
            break
        :: else -> at = tail
        fi
    od
#ifdef LATE_INTENT
    ;
    intent[me] = at
#endif
}

/*
 * lam_ring_many_commit() of what was claimed, or of one cell of it; or lam_ring_many_abort(). Nobody
 * looks at payload and shape before the stamp: they are stored in one step.
 */
inline publish(me, at, n)
{
    if
    :: true ->
        if
        :: n == 2 -> pad(at + 1, 1); n = 1 /* lam_ring_many_pad() */
        :: true -> skip
        fi;
        d_step {
            check_cell(at);
            payload[CELL(at)] = committed[me] << 1 | me;
            is_event[CELL(at)] = 1;
            span[CELL(at)] = n
        }
        d_step {
            check_cell(at);
            stamp[CELL(at)] = at;
            committed[me]++
        }
    :: me == 0 -> pad(at, n)
    fi;
    d_step { at = 0; n = 0 }
}

proctype producer(byte me)
{
    byte at, n;
    bit begun;

again:
    {
        /* lam_ring_many_attach(): the entry's lock, then the dead one's intent away. */
        lock[me] = 1;
#ifdef KEPT_INTENT
        if
        :: !begun -> intent[me] = NONE
        :: else
        fi;
#else
        intent[me] = NONE;
#endif
        begun = 1;
        do
        :: d_step { claims < CLAIMS -> claims++ }
            if
            :: n = 1
            :: me == 0 -> n = 2
            fi;
            claim(me, at, n);
            publish(me, at, n)
        :: else -> break
        od;
        if
        :: true -> tail == cursor /* it publishes no more, and stays */
        :: true
        fi;
        /* lam_ring_many_detach() */
        atomic { lock[me] = 0; ended++ }
    }
    unless
    {
        /* The kernel frees the locks of the dead. */
        atomic { killed[me] -> killed[me] = 0; lock[me] = 0 }
        if
        :: goto again /* a successor takes the entry */
        :: ended++
        fi
    }
}

/* SIGKILL, at any time, or never. */
proctype killer()
{
end_idle:
    d_step { lock[0] -> killed[0] = 1 }
}

/* is_dead_hole() in many_repair.c. */
inline look(at, end, found)
{
    found = 0;
    end = tail;
    if
    :: end == at || end > at + DEPTH -> skip
    :: else ->
        found = 1;
#ifndef BLIND_REPAIR
        /* lowest_intent() */
        i = 0;
        do
        :: i < PRODUCERS ->
            d_step {
                if
                :: intent[i] != NONE && intent[i] > at && intent[i] < end -> end = intent[i]
                :: else
                fi;
                i++
            }
        :: else -> break
        od;
#endif
        /* lam_ring_many_claimer() */
        i = 0;
        do
        :: i < PRODUCERS && intent[i] == at ->
#ifdef TIMEOUT_REPAIR
            skip; /* it has had its time */
#else
            if
            :: lock[i] -> found = 0
            :: else
            fi;
#endif
            i++
        :: i < PRODUCERS && intent[i] != at -> i++
        :: i == PRODUCERS -> break
        od;
        /* is_published() */
        s = at;
        do
        :: found && s < end && stamp[CELL(s)] == s ->
#ifdef BLIND_REPAIR
            if
            :: s == at -> end = s
            :: else
            fi;
#else
            end = s;
#endif
            break
        :: found && s < end && stamp[CELL(s)] != s -> s++
        :: !found || s == end -> break
        od;
#ifndef ONE_TAIL
        /* A lap later the stamps say nothing of this one. */
        if
        :: tail > at + DEPTH -> found = 0
        :: else
        fi;
#endif
        if
        :: end == at -> found = 0
        :: else
        fi;
        s = 0;
        i = 0
    fi
}

/* lam_ring_repair(). What the look without the lock finds makes no odds: it may be anything. */
inline repair(who, at)
{
#ifdef NO_SECOND_LOOK
    look(at, end, found);
#endif
#ifdef NO_REPAIR_LOCK
    if
    :: true ->
#else
    if
    :: d_step { repairer == 0 -> repairer = 1 + who }
#endif
#ifndef NO_SECOND_LOOK
        look(at, end, found);
#endif
        if
        :: found -> pad(at, end - at)
        :: else
        fi;
        d_step { repairer = 0; end = 0; found = 0 }
    :: else -> skip
    fi
}

/* Another end that repairs where it comes by: a producer that attaches, or waits for room. */
proctype passer_by()
{
    byte at, end, i, s;
    bit found;

    /* lam_ring_many_survey() */
end_idle:
    atomic { tail != cursor && stamp[CELL(cursor)] != cursor -> at = cursor }
    repair(1, at)
}

proctype consumer()
{
    byte seen[PRODUCERS];
    byte next, end, i, s, word;
    bit found;

    do
    /* lam_ring_consumer_try_peek(), lam_ring_consumer_odd() */
    :: stamp[CELL(next)] == next ->
        if
        :: is_event[CELL(next)] ->
            d_step { word = payload[CELL(next)]; assert(word >> 1 == seen[word & 1]) }
            /* Until it is released nobody writes there. */
            d_step {
                assert(payload[CELL(next)] == word && stamp[CELL(next)] == next);
                seen[word & 1]++;
                word = 0;
                next = next + span[CELL(next)];
                cursor = next
            }
        :: else -> d_step { next = next + span[CELL(next)]; cursor = next }
        fi
    /* lam_ring_many_is_over() */
    :: stamp[CELL(next)] != next && tail != next -> repair(0, next)
    :: ended == PRODUCERS && tail == next && stamp[CELL(next)] != next -> break
    od;
    assert(seen[0] == committed[0] && seen[1] == committed[1])
}

init
{
    byte i;

    d_step {
        do
        :: i < DEPTH -> stamp[i] = NONE; i++
        :: else -> break
        od;
        intent[0] = NONE;
        intent[1] = NONE
    }
    atomic {
#ifdef TWO_REPAIR
        /* Producer 0 has claimed 1 or 2 cells and is dead. */
        if
        :: tail = 1
        :: tail = 2
        fi;
        intent[0] = 0;
        ended = 1;
        run passer_by();
#else
        run producer(0);
        run killer();
#endif
        run producer(1);
        run consumer()
    }
}

#ifdef PROGRESS
ltl all_is_consumed { <> (ended == PRODUCERS && tail == cursor) }
#endif
