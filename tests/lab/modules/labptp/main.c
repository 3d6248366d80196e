// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the clocks and the ports, and takes them down again in the opposite order.
 *
 * Parameters: `pairs` of ports; `phc`: the clock of each port, so that 0,1,1,2 with two pairs is a boundary clock between
 * a master and a slave; `error_ppb`: of each clock's oscillator; `seed` of all that is random. Everything else is set in
 * debugfs (control.c).
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "labptp.h"

static unsigned int pairs = 1;
module_param(pairs, uint, 0444);
MODULE_PARM_DESC(pairs, "pairs of ports, 1 to 4");

static unsigned int phc[LABPTP_MAX_PORTS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
module_param_array(phc, uint, NULL, 0444);
MODULE_PARM_DESC(phc, "clock of each port; every number up to the highest is used");

static int error_ppb[LABPTP_MAX_PORTS];
module_param_array(error_ppb, int, NULL, 0444);
MODULE_PARM_DESC(error_ppb, "error of each clock's oscillator when loaded");

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of everything that is random");

struct labptp labptp = { .lock = __SPIN_LOCK_UNLOCKED(labptp.lock) };

/* One for each clock, and for the ports that use it: like the function of a card. */
static struct platform_device *platform[LABPTP_MAX_PORTS];

static void remove_ports(void)
{
	unsigned int i;

	for (i = 0; i < labptp.ports; i++)
		if (labptp.port[i]->dev->reg_state == NETREG_REGISTERED)
			unregister_netdev(labptp.port[i]->dev);
	for (i = 0; i < labptp.ports; i++)
		free_netdev(labptp.port[i]->dev);
	labptp.ports = 0;
}

/* Every edge is stopped before the first clock goes, since an edge of one is an event of another. */
static void remove_clocks(void)
{
	unsigned int i;

	for (i = 0; i < labptp.clocks; i++)
		labptp_pulses_stop(labptp.clock[i]);
	for (i = 0; i < labptp.clocks; i++) {
		ptp_clock_unregister(labptp.clock[i]->ptp);
		labptp_pulses_stop(labptp.clock[i]);
		kfree(labptp.clock[i]);
		platform_device_unregister(platform[i]);
	}
	labptp.clocks = 0;
}

static int add_clock(unsigned int index, u64 raw, u64 time)
{
	struct labptp_clock *clock;
	int error;

	platform[index] = platform_device_register_simple("labptp", index, NULL, 0);
	if (IS_ERR(platform[index]))
		return PTR_ERR(platform[index]);
	clock = kzalloc(sizeof(*clock), GFP_KERNEL);
	if (!clock) {
		error = -ENOMEM;
		goto no_clock;
	}
	clock->index = index;
	labptp_gauge_reset(&clock->gauge);
	labptp_oscillator_init(&clock->oscillator, raw, error_ppb[index], seed + index);
	error = labptp_clock_register(clock, &platform[index]->dev, time);
	if (error)
		goto no_ptp;
	labptp.clock[index] = clock;
	labptp.clocks++;
	return 0;

no_ptp:
	kfree(clock);
no_clock:
	platform_device_unregister(platform[index]);
	return error;
}

/* All begin at the same time: what parts them is their oscillators. */
static int add_clocks(void)
{
	unsigned int i, count = 0;
	u64 raw = ktime_get_raw_ns(), time = ktime_get_real_ns();
	int error = 0;

	for (i = 0; i < 2 * pairs; i++)
		count = max(count, phc[i] + 1);
	for (i = 0; i < count && !error; i++)
		error = add_clock(i, raw, time);
	return error;
}

static int add_ports(void)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < 2 * pairs; i++) {
		struct labptp_port *port;

		port = labptp_port_alloc(&platform[phc[i]]->dev, i, labptp.clock[phc[i]], seed + 100 + i);
		if (!port)
			return -ENOMEM;
		labptp.port[labptp.ports++] = port;
	}
	for (i = 0; i < labptp.ports; i++)
		labptp.port[i]->peer = labptp.port[i ^ 1];
	for (i = 0; i < labptp.ports && !error; i++)
		error = register_netdev(labptp.port[i]->dev);
	return error;
}

static bool parameters_valid(void)
{
	unsigned int i;

	if (!pairs || pairs > LABPTP_MAX_PAIRS)
		return false;
	for (i = 0; i < 2 * pairs; i++)
		if (phc[i] >= 2 * pairs)
			return false;
	return true;
}

static int __init labptp_init(void)
{
	int error;

	if (!parameters_valid())
		return -EINVAL;
	error = add_clocks();
	if (!error)
		error = add_ports();
	if (error) {
		remove_ports();
		remove_clocks();
		return error;
	}
	labptp_gauge_start();
	labptp_control_add();
	return 0;
}

static void __exit labptp_exit(void)
{
	debugfs_remove(labptp.debugfs);
	hrtimer_cancel(&labptp.gauge_timer);
	remove_ports();
	remove_clocks();
}

module_init(labptp_init);
module_exit(labptp_exit);
MODULE_DESCRIPTION("Gnomon's lab: cross-connected Ethernet ports with PTP clocks");
MODULE_LICENSE("GPL");
