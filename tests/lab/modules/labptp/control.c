// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs labptp/: what a test sets, and the truth that it compares with.
 *
 *   clocks                     every clock at one instant: name, time, distance from clock 0, rates
 *   clockN/error_ppb           oscillator's error, positive runs faster; no step of the phase
 *   clockN/wander_ppb          its random walk: standard deviation after one second
 *   clockN/offset_ns           this clock minus clock 0, now
 *   clockN/gauge               the same, sampled since the last write to it
 *   portN/delay_ns, jitter_ns, loss_percent, corrupt_percent     of frames that leave the port
 *   portN/lose_stamp_every, lose_stamp_next, stamp_delay_ms      of its transmit stamps
 *   portN/plugged              the cable, for both ends
 */
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "labptp.h"

#define MAX_ERROR_PPB	1000000
#define MAX_WANDER_PPB	10000

static int error_get(void *data, u64 *value)
{
	*value = (s64)((struct labptp_clock *)data)->oscillator.error_ppb;
	return 0;
}

static int error_set(void *data, u64 value)
{
	struct labptp_clock *clock = data;
	unsigned long flags;

	if (abs((s64)value) > MAX_ERROR_PPB)
		return -ERANGE;
	spin_lock_irqsave(&labptp.lock, flags);
	labptp_clock_to(clock, ktime_get_raw_ns());
	labptp_oscillator_error(&clock->oscillator, (s64)value);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(error_fops, error_get, error_set, "%lld\n");

static int wander_get(void *data, u64 *value)
{
	*value = ((struct labptp_clock *)data)->oscillator.wander_ppb;
	return 0;
}

static int wander_set(void *data, u64 value)
{
	struct labptp_clock *clock = data;
	unsigned long flags;
	u64 raw;

	if (value > MAX_WANDER_PPB)
		return -ERANGE;
	spin_lock_irqsave(&labptp.lock, flags);
	raw = ktime_get_raw_ns();
	labptp_clock_to(clock, raw);
	labptp_oscillator_wander(&clock->oscillator, raw, value);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(wander_fops, wander_get, wander_set, "%llu\n");

static int offset_get(void *data, u64 *value)
{
	unsigned long flags;
	u64 raw;

	spin_lock_irqsave(&labptp.lock, flags);
	raw = ktime_get_raw_ns();
	*value = labptp_clock_to(data, raw) - labptp_clock_to(labptp.clock[0], raw);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(offset_fops, offset_get, NULL, "%lld\n");

static int plugged_get(void *data, u64 *value)
{
	*value = ((struct labptp_port *)data)->plugged;
	return 0;
}

static int plugged_set(void *data, u64 value)
{
	struct labptp_port *port = data;

	rtnl_lock();
	port->plugged = value;
	port->peer->plugged = value;
	labptp_port_link(port);
	rtnl_unlock();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(plugged_fops, plugged_get, plugged_set, "%llu\n");

/* A difference of rate as ppt: 2^62 is 1e12 of them. */
static s64 to_ppt(s64 rate)
{
	return div_s64(rate, 4611686);
}

static int clocks_show(struct seq_file *file, void *unused)
{
	struct system_time_snapshot system;
	unsigned long flags;
	unsigned int i;

	seq_puts(file, "clock ptp time_ns offset_ns oscillator_ppt frequency_scaled_ppm steps\n");
	spin_lock_irqsave(&labptp.lock, flags);
	ktime_get_snapshot(&system);
	for (i = 0; i < labptp.clocks; i++)
		labptp_clock_to(labptp.clock[i], ktime_to_ns(system.raw));
	for (i = 0; i < labptp.clocks; i++) {
		const struct labptp_clock *clock = labptp.clock[i];

		seq_printf(file, "%u ptp%d %llu %lld %lld %ld %u\n", i, ptp_clock_index(clock->ptp), clock->phase.out,
			   (s64)(clock->phase.out - labptp.clock[0]->phase.out),
			   to_ppt(clock->oscillator.phase.rate - LABPTP_UNIT), clock->scaled_ppm, clock->steps);
	}
	seq_printf(file, "realtime - %lld\n", ktime_to_ns(system.real));
	spin_unlock_irqrestore(&labptp.lock, flags);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(clocks);

static void add_clock(struct labptp_clock *clock)
{
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "clock%u", clock->index);
	dir = debugfs_create_dir(name, labptp.debugfs);
	debugfs_create_file_unsafe("error_ppb", 0600, dir, clock, &error_fops);
	debugfs_create_file_unsafe("wander_ppb", 0600, dir, clock, &wander_fops);
	debugfs_create_file_unsafe("offset_ns", 0400, dir, clock, &offset_fops);
	debugfs_create_file("gauge", 0600, dir, clock, &labptp_gauge_fops);
}

static void add_port(struct labptp_port *port)
{
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "port%u", port->index);
	dir = debugfs_create_dir(name, labptp.debugfs);
	debugfs_create_u32("delay_ns", 0600, dir, &port->wire.delay_ns);
	debugfs_create_u32("jitter_ns", 0600, dir, &port->wire.jitter_ns);
	debugfs_create_u32("loss_percent", 0600, dir, &port->wire.loss_percent);
	debugfs_create_u32("corrupt_percent", 0600, dir, &port->wire.corrupt_percent);
	debugfs_create_u32("lose_stamp_every", 0600, dir, &port->faults.lose_every);
	debugfs_create_u32("lose_stamp_next", 0600, dir, &port->faults.lose_next);
	debugfs_create_u32("stamp_delay_ms", 0600, dir, &port->faults.delay_ms);
	debugfs_create_file_unsafe("plugged", 0600, dir, port, &plugged_fops);
}

void labptp_control_add(void)
{
	unsigned int i;

	labptp.debugfs = debugfs_create_dir("labptp", NULL);
	debugfs_create_file("clocks", 0400, labptp.debugfs, NULL, &clocks_fops);
	for (i = 0; i < labptp.clocks; i++)
		add_clock(labptp.clock[i]);
	for (i = 0; i < labptp.ports; i++)
		add_port(labptp.port[i]);
}
