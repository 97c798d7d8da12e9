/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/wait.h"

/* No wait counts as longer: what comes often again is learned within a dozen waits. */
#define USUAL_NS_MAX (4 * LAM_WAIT_WORTH_NS)

uint64_t lam_cadence_spin_ns(const struct lam_cadence *cadence)
{
    uint64_t window_ns = 16 * cadence->usual_ns;

    if (cadence->fixed_ns != 0)
        return cadence->fixed_ns;
    if (cadence->usual_ns > LAM_WAIT_WORTH_NS)
        return 0;
    /* Sixteen times the usual: waits that are scattered as at random then hardly ever sleep. */
    if (window_ns < LAM_WAIT_SPIN_NS_DEFAULT)
        return LAM_WAIT_SPIN_NS_DEFAULT;
    return window_ns < LAM_WAIT_SPIN_NS_MAX ? window_ns : LAM_WAIT_SPIN_NS_MAX;
}

static void look_at_cadence(struct lam_wait *wait)
{
    if (wait->cadence == NULL)
        return;
    /* YIELD spins as it is told, or by default: after its window it costs nobody a core. */
    wait->spin_ns = wait->mode == LAM_WAIT_YIELD && wait->cadence->fixed_ns == 0
                        ? LAM_WAIT_SPIN_NS_DEFAULT
                        : lam_cadence_spin_ns(wait->cadence);
    wait->yields = wait->cadence->yields;
    if (wait->mode == LAM_WAIT_FUTEX && wait->yields > LAM_WAIT_FUTEX_YIELDS_MAX)
        wait->yields = LAM_WAIT_FUTEX_YIELDS_MAX;
}

static int yield(struct lam_wait *wait)
{
    lam_base->yield();
    wait->rung = LAM_WAIT_RUNG_YIELD > wait->rung ? LAM_WAIT_RUNG_YIELD : wait->rung;
    wait->steps = 63; /* past the window each step yields */
    return LAM_WAIT_LOOK_WIDE;
}

static int spin(struct lam_wait *wait)
{
    if (wait->watch.word != NULL && lam_base->cpu_wait != NULL && lam_base->cpu_wait(&wait->watch))
        wait->steps = 63; /* each rest is long enough for a look at the clock */
    else
        lam_pause();
    return LAM_WAIT_LOOK_WIDE;
}

int lam_wait_step_slow(struct lam_wait *wait)
{
    uint64_t now_ns = lam_clock_now_ns();

    if (wait->check_at_ns == 0) {
        look_at_cadence(wait);
        wait->begin_ns = now_ns;
        wait->spin_until_ns =
            wait->spin_ns < UINT64_MAX - now_ns ? now_ns + wait->spin_ns : UINT64_MAX;
        wait->check_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    }
    wait->last_ns = now_ns;
    if (now_ns >= wait->deadline_ns)
        return -ETIMEDOUT;
    if (now_ns >= wait->check_at_ns) {
        wait->check_at_ns = now_ns + LAM_WAIT_CHECK_NS;
        return LAM_WAIT_CHECK;
    }
    if (wait->mode == LAM_WAIT_SPIN ||
        (wait->mode != LAM_WAIT_FUTEX && now_ns < wait->spin_until_ns))
        return spin(wait);
    if (wait->mode == LAM_WAIT_YIELD)
        return yield(wait);
    if (wait->yields != 0) {
        wait->yields--;
        return yield(wait);
    }
    wait->rung = LAM_WAIT_RUNG_SLEEP;
    wait->steps = 63;
    return LAM_WAIT_PARK;
}

void lam_wait_woken(struct lam_wait *wait, uint64_t rung_ns)
{
    uint64_t now_ns = lam_clock_now_ns();

    wait->last_ns = rung_ns - wait->begin_ns <= now_ns - wait->begin_ns ? rung_ns : now_ns;
}

void lam_wait_learn(struct lam_wait *wait)
{
    struct lam_cadence *cadence = wait->cadence;
    uint64_t took_ns;

    if (wait->rung == LAM_WAIT_RUNG_YIELD)
        wait->last_ns = lam_clock_now_ns(); /* others may have had the core for long */
    took_ns = wait->last_ns - wait->begin_ns;
    if (took_ns > USUAL_NS_MAX)
        took_ns = USUAL_NS_MAX;
    /* Rounded towards the sample, so that it can be reached from either side. */
    if (took_ns < cadence->usual_ns)
        cadence->usual_ns -= (cadence->usual_ns - took_ns + 7) / 8;
    else
        cadence->usual_ns += (took_ns - cadence->usual_ns + 7) / 8;
    /* Yields that did not spare the sleep become fewer; one that did brings them all back. */
    if (wait->rung == LAM_WAIT_RUNG_YIELD)
        cadence->yields = LAM_WAIT_YIELDS_MAX;
    else if (wait->rung == LAM_WAIT_RUNG_SLEEP && cadence->yields > 1)
        cadence->yields /= 2;
}
