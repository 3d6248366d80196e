// SPDX-License-Identifier: GPL-2.0
/*
 * An oscillator: raw time in, ticks out. Its rate is off by a constant that the test sets and by a random walk. Every
 * change of the rate takes effect from its own instant on, so that no change moves the phase.
 */
#include "labptp.h"

#define STEP_NS		(10 * NSEC_PER_MSEC)
#define RATE_PER_PPB	((s64)(LABPTP_UNIT / NSEC_PER_SEC))

/* Counts what has come in since the last time, at the rate that has held since then. */
void labptp_phase_to(struct labptp_phase *phase, u64 in)
{
	unsigned __int128 sum;

	if ((s64)(in - phase->in) <= 0)
		return;
	sum = (unsigned __int128)(in - phase->in) * phase->rate + phase->fraction;
	phase->in = in;
	phase->out += (u64)(sum >> LABPTP_RATE_SHIFT);
	phase->fraction = (u64)sum & (LABPTP_UNIT - 1);
}

/* A normal deviate of standard deviation 65536: the sum of twelve uniform 16-bit numbers. */
static s64 deviate(struct rnd_state *random)
{
	s64 sum = -6 * 65535;
	int i;

	for (i = 0; i < 6; i++) {
		u32 bits = prandom_u32_state(random);

		sum += (bits & 0xffff) + (bits >> 16);
	}
	return sum;
}

static void set_rate(struct labptp_oscillator *osc)
{
	osc->phase.rate = LABPTP_UNIT + osc->error_ppb * RATE_PER_PPB + osc->walked;
}

/* A hundred steps a second of a tenth of the deviation each add up to the whole of it. */
static void walk(struct labptp_oscillator *osc)
{
	s64 tenth = osc->wander_ppb * (RATE_PER_PPB / 10);

	osc->walked += (tenth >> 16) * deviate(&osc->random);
	osc->walked = clamp(osc->walked, -1000000 * RATE_PER_PPB, 1000000 * RATE_PER_PPB);
	set_rate(osc);
}

/* Brings the oscillator to this raw time, with the steps of its walk at their own times. */
void labptp_oscillator_to(struct labptp_oscillator *osc, u64 raw)
{
	while (osc->wander_ppb && (s64)(raw - osc->step_at) >= 0) {
		labptp_phase_to(&osc->phase, osc->step_at);
		walk(osc);
		osc->step_at += STEP_NS;
	}
	labptp_phase_to(&osc->phase, raw);
}

void labptp_oscillator_init(struct labptp_oscillator *osc, u64 raw, s32 error_ppb, u64 seed)
{
	osc->phase.in = raw;
	prandom_seed_state(&osc->random, seed);
	labptp_oscillator_error(osc, error_ppb);
}

/* The caller has brought the oscillator to the present. */
void labptp_oscillator_error(struct labptp_oscillator *osc, s32 error_ppb)
{
	osc->error_ppb = error_ppb;
	set_rate(osc);
}

/* The caller has brought the oscillator to the present. What was walked so far stays; 0 stops the walk there. */
void labptp_oscillator_wander(struct labptp_oscillator *osc, u64 raw, u32 wander_ppb)
{
	osc->wander_ppb = wander_ppb;
	osc->step_at = raw + STEP_NS;
}
