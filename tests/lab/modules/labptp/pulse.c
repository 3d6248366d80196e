// SPDX-License-Identifier: GPL-2.0
/*
 * Edges: periodic outputs, external timestamps and the kernel's PPS. A cable joins the pins of the same number of all
 * clocks, so an output of one clock is stamped by the inputs of the others.
 *
 * A timer only says that an edge has been. When it was, and what the other clock showed then, is worked out from the
 * rates: a timer that comes late does not make a stamp late.
 */
#include <linux/math64.h>
#include <linux/pps_kernel.h>
#include <linux/timekeeping.h>

#include "labptp.h"

#define MIN_PERIOD_NS	NSEC_PER_MSEC
#define EDGES_AT_ONCE	16

/* The first edge that is not before @time. */
static u64 edge_from(const struct labptp_pulses *pulses, u64 time)
{
	u64 since;

	if (time <= pulses->phase)
		return pulses->phase;
	since = time - pulses->phase;
	return pulses->phase + div64_u64(since + pulses->period - 1, pulses->period) * pulses->period;
}

static void start_timer(struct labptp_pulses *pulses)
{
	s64 wait = labptp_clock_until(pulses->clock, pulses->next);

	hrtimer_start(&pulses->timer, ns_to_ktime(clamp(wait, 0LL, (s64)NSEC_PER_SEC)), HRTIMER_MODE_REL_HARD);
}

/* An edge on a pin of @from at this raw time, as the other clocks see it. */
static void on_pin(const struct labptp_clock *from, int pin, u64 raw)
{
	unsigned int other, channel;

	for (other = 0; other < labptp.clocks; other++) {
		struct labptp_clock *clock = labptp.clock[other];

		for (channel = 0; clock != from && channel < LABPTP_CHANNELS; channel++) {
			struct ptp_clock_event event = { .type = PTP_CLOCK_EXTTS, .index = channel };

			if (!clock->input[channel].on || clock->input[channel].pin != pin)
				continue;
			event.timestamp = labptp_clock_at(clock, raw);
			ptp_clock_event(clock->ptp, &event);
		}
	}
}

/* The kernel's PPS, with the system's time at the edge and not at the interrupt. */
static void to_kernel(const struct labptp_clock *clock, s64 since)
{
	struct system_time_snapshot system;
	struct ptp_clock_event event = { .type = PTP_CLOCK_PPSUSR };

	ktime_get_snapshot(&system);
	event.pps_times.ts_real = ns_to_timespec64(ktime_to_ns(system.real) - since);
	ptp_clock_event(clock->ptp, &event);
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct labptp_pulses *pulses = container_of(timer, struct labptp_pulses, timer);
	struct labptp_clock *clock = pulses->clock;
	unsigned int edges = 0, other;
	unsigned long flags;
	u64 raw, now;

	spin_lock_irqsave(&labptp.lock, flags);
	if (!pulses->on)
		goto out;
	raw = ktime_get_raw_ns();
	for (other = 0; other < labptp.clocks; other++)
		labptp_clock_to(labptp.clock[other], raw);
	now = clock->phase.out;
	for (; pulses->next <= now && edges < EDGES_AT_ONCE; edges++) {
		s64 since = -labptp_clock_until(clock, pulses->next);

		if (pulses->kernel)
			to_kernel(clock, since);
		else
			on_pin(clock, pulses->pin, raw - since);
		pulses->next += pulses->period;
	}
	if (pulses->next <= now)
		pulses->next = edge_from(pulses, now + 1);
	start_timer(pulses);
out:
	spin_unlock_irqrestore(&labptp.lock, flags);
	return HRTIMER_NORESTART;
}

static void init(struct labptp_pulses *pulses, struct labptp_clock *clock)
{
	pulses->clock = clock;
	hrtimer_init(&pulses->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	pulses->timer.function = expired;
}

static void start(struct labptp_pulses *pulses)
{
	struct labptp_clock *clock = pulses->clock;
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	pulses->next = edge_from(pulses, labptp_clock_to(clock, ktime_get_raw_ns()));
	pulses->on = true;
	start_timer(pulses);
	spin_unlock_irqrestore(&labptp.lock, flags);
}

static void stop(struct labptp_pulses *pulses)
{
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	pulses->on = false;
	spin_unlock_irqrestore(&labptp.lock, flags);
	hrtimer_cancel(&pulses->timer);
}

void labptp_pulses_init(struct labptp_clock *clock)
{
	unsigned int channel;

	for (channel = 0; channel < LABPTP_CHANNELS; channel++)
		init(&clock->output[channel], clock);
	init(&clock->pps, clock);
	clock->pps.kernel = true;
	clock->pps.period = NSEC_PER_SEC;
}

void labptp_pulses_stop(struct labptp_clock *clock)
{
	unsigned int channel;

	for (channel = 0; channel < LABPTP_CHANNELS; channel++)
		stop(&clock->output[channel]);
	stop(&clock->pps);
}

static void align(struct labptp_pulses *pulses)
{
	if (!pulses->on)
		return;
	pulses->next = edge_from(pulses, pulses->clock->phase.out);
	start_timer(pulses);
}

/* The clock has jumped: the next edge is another. Under the lock. */
void labptp_pulses_align(struct labptp_clock *clock)
{
	unsigned int channel;

	for (channel = 0; channel < LABPTP_CHANNELS; channel++)
		align(&clock->output[channel]);
	align(&clock->pps);
}

/* Every pin can stamp and can send; none measures a PHY's phase. */
int labptp_verify(struct ptp_clock_info *info, unsigned int pin, enum ptp_pin_function func, unsigned int chan)
{
	return func == PTP_PF_PHYSYNC;
}

static int enable_input(struct labptp_clock *clock, const struct ptp_extts_request *request, int on)
{
	struct labptp_stamper *input = &clock->input[request->index];
	unsigned long flags;
	int pin = 0;

	if (request->flags & ~(PTP_ENABLE_FEATURE | PTP_RISING_EDGE | PTP_FALLING_EDGE | PTP_STRICT_FLAGS))
		return -EOPNOTSUPP;
	if ((request->flags & PTP_STRICT_FLAGS) && (request->flags & PTP_FALLING_EDGE))
		return -EOPNOTSUPP;
	if (on) {
		pin = ptp_find_pin(clock->ptp, PTP_PF_EXTTS, request->index);
		if (pin < 0)
			return -EBUSY;
	}
	spin_lock_irqsave(&labptp.lock, flags);
	input->pin = pin;
	input->on = on;
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}

static u64 to_ns(const struct ptp_clock_time *time)
{
	return time->sec * NSEC_PER_SEC + time->nsec;
}

static int enable_output(struct labptp_clock *clock, const struct ptp_perout_request *request, int on)
{
	struct labptp_pulses *output = &clock->output[request->index];
	u64 period = to_ns(&request->period);
	int pin;

	if (request->flags & ~PTP_PEROUT_PHASE)
		return -EOPNOTSUPP;
	stop(output);
	if (!on)
		return 0;
	if (period < MIN_PERIOD_NS)
		return -ERANGE;
	pin = ptp_find_pin(clock->ptp, PTP_PF_PEROUT, request->index);
	if (pin < 0)
		return -EBUSY;
	output->pin = pin;
	output->period = period;
	output->phase = request->flags & PTP_PEROUT_PHASE ? to_ns(&request->phase) : to_ns(&request->start);
	start(output);
	return 0;
}

int labptp_enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
	struct labptp_clock *clock = container_of(info, struct labptp_clock, info);

	switch (request->type) {
	case PTP_CLK_REQ_EXTTS:
		return enable_input(clock, &request->extts, on);
	case PTP_CLK_REQ_PEROUT:
		return enable_output(clock, &request->perout, on);
	case PTP_CLK_REQ_PPS:
		stop(&clock->pps);
		if (on)
			start(&clock->pps);
		return 0;
	}
	return -EOPNOTSUPP;
}
