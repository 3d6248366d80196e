// SPDX-License-Identifier: GPL-2.0
/*
 * The yardstick: how far every clock is from clock 0, sampled all the time, both at the same instant. A test resets it,
 * lets the servo work, and reads what it was worth. Neither waits for a process to be scheduled.
 */
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "labptp.h"

#define INTERVAL_NS	(10 * NSEC_PER_MSEC)
#define NEAR_NS		((s64)NSEC_PER_MSEC)

void labptp_gauge_reset(struct labptp_gauge *gauge)
{
	*gauge = (struct labptp_gauge){ .min = S64_MAX, .max = S64_MIN };
}

static void sample(struct labptp_gauge *gauge, s64 offset)
{
	gauge->samples++;
	gauge->min = min(gauge->min, offset);
	gauge->max = max(gauge->max, offset);
	if (abs(offset) > NEAR_NS)
		gauge->far++;
	else
		gauge->squares += offset * offset;
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	unsigned long flags;
	unsigned int i;
	u64 raw, first;

	spin_lock_irqsave(&labptp.lock, flags);
	raw = ktime_get_raw_ns();
	first = labptp_clock_to(labptp.clock[0], raw);
	for (i = 1; i < labptp.clocks; i++)
		sample(&labptp.clock[i]->gauge, labptp_clock_to(labptp.clock[i], raw) - first);
	spin_unlock_irqrestore(&labptp.lock, flags);
	hrtimer_forward_now(timer, ns_to_ktime(INTERVAL_NS));
	return HRTIMER_RESTART;
}

void labptp_gauge_start(void)
{
	hrtimer_init(&labptp.gauge_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	labptp.gauge_timer.function = expired;
	hrtimer_start(&labptp.gauge_timer, ns_to_ktime(INTERVAL_NS), HRTIMER_MODE_REL_HARD);
}

static int gauge_show(struct seq_file *file, void *unused)
{
	struct labptp_clock *clock = file->private;
	struct labptp_gauge gauge;
	unsigned long flags;
	u64 near;

	spin_lock_irqsave(&labptp.lock, flags);
	gauge = clock->gauge;
	spin_unlock_irqrestore(&labptp.lock, flags);
	near = gauge.samples - gauge.far;
	seq_printf(file, "samples %llu\nfar %llu\n", gauge.samples, gauge.far);
	if (gauge.samples)
		seq_printf(file, "min_ns %lld\nmax_ns %lld\n", gauge.min, gauge.max);
	if (near)
		seq_printf(file, "rms_ns %u\n", int_sqrt64(div64_u64(gauge.squares, near)));
	return 0;
}

static int gauge_open(struct inode *inode, struct file *file)
{
	return single_open(file, gauge_show, inode->i_private);
}

/* Whatever is written begins a new measurement. */
static ssize_t gauge_write(struct file *file, const char __user *text, size_t size, loff_t *at)
{
	struct labptp_clock *clock = ((struct seq_file *)file->private_data)->private;
	unsigned long flags;

	spin_lock_irqsave(&labptp.lock, flags);
	labptp_gauge_reset(&clock->gauge);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return size;
}

const struct file_operations labptp_gauge_fops = {
	.owner		= THIS_MODULE,
	.open		= gauge_open,
	.read		= seq_read,
	.write		= gauge_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};
