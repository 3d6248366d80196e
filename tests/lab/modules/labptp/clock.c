// SPDX-License-Identifier: GPL-2.0
/*
 * A PTP hardware clock: ticks of its oscillator in, time out, at a frequency and phase that the servo sets.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/timekeeping.h>

#include "labptp.h"

#define MAX_ADJ_PPB	100000000
#define MAX_PHASE_NS	1000000

static struct labptp_clock *clock_of(struct ptp_clock_info *info)
{
	return container_of(info, struct labptp_clock, info);
}

/* Brings the clock to this raw time and says what it shows then. Under the lock. */
u64 labptp_clock_to(struct labptp_clock *clock, u64 raw)
{
	labptp_oscillator_to(&clock->oscillator, raw);
	labptp_phase_to(&clock->phase, clock->oscillator.phase.out);
	return clock->phase.out;
}

/* A difference times a rate, either sign. */
static s64 scale(s64 difference, u64 rate)
{
	u64 size = mul_u64_u64_shr(abs(difference), rate, LABPTP_RATE_SHIFT);

	return difference < 0 ? -(s64)size : (s64)size;
}

/* What the clock shows a little before or after the raw time that it was brought to. Under the lock. */
u64 labptp_clock_at(const struct labptp_clock *clock, u64 raw)
{
	s64 ticks = scale(raw - clock->oscillator.phase.in, clock->oscillator.phase.rate);

	return clock->phase.out + scale(ticks, clock->phase.rate);
}

/* How much raw time there is from where the clock was brought to until it shows @time; negative: since. Under the lock. */
s64 labptp_clock_until(const struct labptp_clock *clock, u64 time)
{
	s64 difference = time - clock->phase.out;
	u64 ticks = mul_u64_u64_div_u64(abs(difference), LABPTP_UNIT, clock->phase.rate);
	u64 raw = mul_u64_u64_div_u64(ticks, LABPTP_UNIT, clock->oscillator.phase.rate);

	return difference < 0 ? -(s64)raw : (s64)raw;
}

static int adjfine(struct ptp_clock_info *info, long scaled_ppm)
{
	struct labptp_clock *clock = clock_of(info);
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock, ktime_get_raw_ns());
	clock->phase.rate = adjust_by_scaled_ppm(LABPTP_UNIT, scaled_ppm);
	clock->scaled_ppm = scaled_ppm;
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}

static int adjtime(struct ptp_clock_info *info, s64 delta)
{
	struct labptp_clock *clock = clock_of(info);
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock, ktime_get_raw_ns());
	clock->phase.out += delta;
	clock->steps++;
	labptp_pulses_align(clock);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}

/* A device with a servo of its own would slew; this one is done at once. */
static int adjphase(struct ptp_clock_info *info, s32 offset)
{
	struct labptp_clock *clock = clock_of(info);
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock, ktime_get_raw_ns());
	clock->phase.out += offset;
	labptp_pulses_align(clock);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}

static s32 getmaxphase(struct ptp_clock_info *info)
{
	return MAX_PHASE_NS;
}

static int settime64(struct ptp_clock_info *info, const struct timespec64 *time)
{
	struct labptp_clock *clock = clock_of(info);
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock, ktime_get_raw_ns());
	clock->phase.out = timespec64_to_ns(time);
	clock->phase.fraction = 0;
	clock->steps++;
	labptp_pulses_align(clock);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}

static int gettimex64(struct ptp_clock_info *info, struct timespec64 *time, struct ptp_system_timestamp *system)
{
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&labptp.lock, flags);
	ptp_read_system_prets(system);
	now = labptp_clock_to(clock_of(info), ktime_get_raw_ns());
	ptp_read_system_postts(system);
	spin_unlock_irqrestore(&labptp.lock, flags);
	*time = ns_to_timespec64(now);
	return 0;
}

/* Exact: the clock is a function of the same reading of the system's counter. */
static int getcrosststamp(struct ptp_clock_info *info, struct system_device_crosststamp *stamp)
{
	struct system_time_snapshot system;
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	ktime_get_snapshot(&system);
	stamp->device = ns_to_ktime(labptp_clock_to(clock_of(info), ktime_to_ns(system.raw)));
	spin_unlock_irqrestore(&labptp.lock, flags);
	stamp->sys_realtime = system.real;
	stamp->sys_monoraw = system.raw;
	return 0;
}

/* Keeps a clock that nobody reads from falling far behind the present. */
static long do_aux_work(struct ptp_clock_info *info)
{
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock_of(info), ktime_get_raw_ns());
	spin_unlock_irqrestore(&labptp.lock, flags);
	return HZ;
}

static const struct ptp_clock_info info = {
	.owner		= THIS_MODULE,
	.max_adj	= MAX_ADJ_PPB,
	.n_ext_ts	= LABPTP_CHANNELS,
	.n_per_out	= LABPTP_CHANNELS,
	.n_pins		= LABPTP_PINS,
	.pps		= 1,
	.adjfine	= adjfine,
	.adjphase	= adjphase,
	.getmaxphase	= getmaxphase,
	.adjtime	= adjtime,
	.gettimex64	= gettimex64,
	.getcrosststamp	= getcrosststamp,
	.settime64	= settime64,
	.enable		= labptp_enable,
	.verify		= labptp_verify,
	.do_aux_work	= do_aux_work,
};

int labptp_clock_register(struct labptp_clock *clock, struct device *parent, u64 time)
{
	unsigned int pin;

	clock->phase = (struct labptp_phase){ .out = time, .rate = LABPTP_UNIT };
	for (pin = 0; pin < LABPTP_PINS; pin++) {
		clock->pins[pin].index = pin;
		snprintf(clock->pins[pin].name, sizeof(clock->pins[pin].name), "SDP%u", pin);
	}
	labptp_pulses_init(clock);
	clock->info = info;
	clock->info.pin_config = clock->pins;
	snprintf(clock->info.name, sizeof(clock->info.name), "labptp%u", clock->index);
	clock->ptp = ptp_clock_register(&clock->info, parent);
	if (IS_ERR(clock->ptp))
		return PTR_ERR(clock->ptp);
	ptp_schedule_worker(clock->ptp, HZ);
	return 0;
}
