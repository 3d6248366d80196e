// SPDX-License-Identifier: GPL-2.0
/*
 * The circuits, how they choose, and what a test sets:
 *
 *   labdpll/gnss/signal, synce/signal     1: there is one; 0: it is lost
 *   labdpll/NAME/phase_offset, ffo        what the circuits measure of an input: 1/1000 ps, ppt
 *   labdpll/holdover                      0: a circuit without an input is unlocked at once
 *   labdpll/temperature                   millidegrees
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>

#include "labdpll.h"

static char *netdev = "";
module_param(netdev, charp, 0444);
MODULE_PARM_DESC(netdev, "network device whose recovered clock is the second input");

static struct dpll_pin_frequency gnss_frequencies[] = { DPLL_PIN_FREQUENCY_1PPS, DPLL_PIN_FREQUENCY_10MHZ };
static struct dpll_pin_frequency synce_frequencies[] = { DPLL_PIN_FREQUENCY(156250000) };
static struct dentry *debugfs;

#define CAPABILITIES	(DPLL_PIN_CAPABILITIES_PRIORITY_CAN_CHANGE | DPLL_PIN_CAPABILITIES_STATE_CAN_CHANGE)

struct labdpll labdpll = {
	.lock = __MUTEX_INITIALIZER(labdpll.lock),
	.holdover = true,
	.temperature = 41500,
	.circuit = { { .index = 0, .type = DPLL_TYPE_EEC }, { .index = 1, .type = DPLL_TYPE_PPS } },
	.pin = { {
		.name = "gnss",
		.properties = {
			.board_label = "GNSS-1PPS", .panel_label = "GNSS", .type = DPLL_PIN_TYPE_GNSS,
			.capabilities = CAPABILITIES, .freq_supported = gnss_frequencies,
			.freq_supported_num = ARRAY_SIZE(gnss_frequencies), .phase_range = { -1000000, 1000000 },
		},
		.signal = true, .frequency = 1, .connected = { true, true }, .prio = { 0, 0 },
	}, {
		.name = "synce",
		.properties = {
			.board_label = "C827_0-RCLKA", .package_label = "RCLKA", .type = DPLL_PIN_TYPE_SYNCE_ETH_PORT,
			.capabilities = CAPABILITIES, .freq_supported = synce_frequencies,
			.freq_supported_num = ARRAY_SIZE(synce_frequencies), .phase_range = { -1000000, 1000000 },
		},
		.signal = true, .frequency = 156250000, .connected = { true, true }, .prio = { 1, 1 },
	} },
};

static const struct labdpll_pin *best(unsigned int circuit)
{
	const struct labdpll_pin *pin, *found = NULL;

	for (pin = labdpll.pin; pin < labdpll.pin + LABDPLL_PINS; pin++)
		if (pin->signal && pin->connected[circuit] && (!found || pin->prio[circuit] < found->prio[circuit]))
			found = pin;
	return found;
}

/* A circuit that loses its last input holds over where it can; one that never had one is unlocked. */
static void follow(struct labdpll_circuit *circuit, const struct labdpll_pin *source)
{
	circuit->error = DPLL_LOCK_STATUS_ERROR_NONE;
	if (source) {
		circuit->status = DPLL_LOCK_STATUS_LOCKED_HO_ACQ;
	} else {
		circuit->status = labdpll.holdover ? DPLL_LOCK_STATUS_HOLDOVER : DPLL_LOCK_STATUS_UNLOCKED;
		if (circuit->source && circuit->source->properties.type == DPLL_PIN_TYPE_SYNCE_ETH_PORT)
			circuit->error = DPLL_LOCK_STATUS_ERROR_MEDIA_DOWN;
	}
	circuit->source = source;
}

unsigned int labdpll_choose(void)
{
	unsigned int i, changed = 0;

	for (i = 0; i < LABDPLL_CIRCUITS; i++) {
		const struct labdpll_pin *source = best(i);

		if (source == labdpll.circuit[i].source)
			continue;
		follow(&labdpll.circuit[i], source);
		changed |= BIT(i);
	}
	return changed;
}

static int mode_get(const struct dpll_device *dpll, void *circuit, enum dpll_mode *mode, struct netlink_ext_ack *extack)
{
	*mode = DPLL_MODE_AUTOMATIC;
	return 0;
}

static int lock_status_get(const struct dpll_device *dpll, void *of, enum dpll_lock_status *status,
			   enum dpll_lock_status_error *error, struct netlink_ext_ack *extack)
{
	const struct labdpll_circuit *circuit = of;

	mutex_lock(&labdpll.lock);
	*status = circuit->status;
	*error = circuit->error;
	mutex_unlock(&labdpll.lock);
	return 0;
}

static int temp_get(const struct dpll_device *dpll, void *circuit, s32 *temperature, struct netlink_ext_ack *extack)
{
	*temperature = READ_ONCE(labdpll.temperature);
	return 0;
}

static const struct dpll_device_ops device_ops = {
	.mode_get		= mode_get,
	.lock_status_get	= lock_status_get,
	.temp_get		= temp_get,
};

static int signal_get(void *data, u64 *value)
{
	*value = ((struct labdpll_pin *)data)->signal;
	return 0;
}

/* The subsystem asks back while it tells, so the lock is let go before. */
static int signal_set(void *data, u64 value)
{
	struct labdpll_pin *pin = data;
	unsigned int i, changed;

	mutex_lock(&labdpll.lock);
	pin->signal = value;
	changed = labdpll_choose();
	mutex_unlock(&labdpll.lock);
	dpll_pin_change_ntf(pin->pin);
	for (i = 0; i < LABDPLL_CIRCUITS; i++)
		if (changed & BIT(i))
			dpll_device_change_ntf(labdpll.circuit[i].device);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(signal_fops, signal_get, signal_set, "%llu\n");

static int s64_get(void *data, u64 *value)
{
	*value = *(s64 *)data;
	return 0;
}

static int s64_set(void *data, u64 value)
{
	*(s64 *)data = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(s64_fops, s64_get, s64_set, "%lld\n");

static void add_files(void)
{
	struct labdpll_pin *pin;

	debugfs = debugfs_create_dir("labdpll", NULL);
	debugfs_create_bool("holdover", 0600, debugfs, &labdpll.holdover);
	debugfs_create_u32("temperature", 0600, debugfs, (u32 *)&labdpll.temperature);
	for (pin = labdpll.pin; pin < labdpll.pin + LABDPLL_PINS; pin++) {
		struct dentry *dir = debugfs_create_dir(pin->name, debugfs);

		debugfs_create_file_unsafe("signal", 0600, dir, pin, &signal_fops);
		debugfs_create_file_unsafe("phase_offset", 0600, dir, &pin->phase_offset, &s64_fops);
		debugfs_create_file_unsafe("ffo", 0600, dir, &pin->ffo, &s64_fops);
	}
}

/* A network device that is gone meanwhile took the pin with it. */
static void tell_netdev(struct dpll_pin *pin)
{
	struct net_device *dev = dev_get_by_name(&init_net, netdev);

	if (!dev)
		return;
	if (pin)
		dpll_netdev_pin_set(dev, pin);
	else
		dpll_netdev_pin_clear(dev);
	dev_put(dev);
}

/* Of the circuits that exist, and the pins on them. */
static void remove(void)
{
	struct labdpll_circuit *circuit;
	struct labdpll_pin *pin;

	for (circuit = labdpll.circuit; circuit < labdpll.circuit + LABDPLL_CIRCUITS && circuit->device; circuit++) {
		for (pin = labdpll.pin; pin < labdpll.pin + LABDPLL_PINS; pin++)
			dpll_pin_unregister(circuit->device, pin->pin, &labdpll_pin_ops, pin);
		dpll_device_unregister(circuit->device, &device_ops, circuit);
		dpll_device_put(circuit->device);
	}
	for (pin = labdpll.pin; pin < labdpll.pin + LABDPLL_PINS && pin->pin; pin++)
		dpll_pin_put(pin->pin);
}

static int add_pins(void)
{
	unsigned int i;

	for (i = 0; i < LABDPLL_PINS; i++) {
		struct dpll_pin *pin = dpll_pin_get(LABDPLL_CLOCK_ID, i, THIS_MODULE, &labdpll.pin[i].properties);

		if (IS_ERR(pin))
			return PTR_ERR(pin);
		labdpll.pin[i].pin = pin;
	}
	return 0;
}

static int add_circuit(struct labdpll_circuit *circuit)
{
	struct dpll_device *device = dpll_device_get(LABDPLL_CLOCK_ID, circuit->index, THIS_MODULE);
	int error, i;

	if (IS_ERR(device))
		return PTR_ERR(device);
	error = dpll_device_register(device, circuit->type, &device_ops, circuit);
	if (error)
		goto no_device;
	for (i = 0; i < LABDPLL_PINS; i++) {
		error = dpll_pin_register(device, labdpll.pin[i].pin, &labdpll_pin_ops, &labdpll.pin[i]);
		if (error)
			goto no_pin;
	}
	circuit->device = device;
	return 0;

no_pin:
	while (--i >= 0)
		dpll_pin_unregister(device, labdpll.pin[i].pin, &labdpll_pin_ops, &labdpll.pin[i]);
	dpll_device_unregister(device, &device_ops, circuit);
no_device:
	dpll_device_put(device);
	return error;
}

static int __init labdpll_init(void)
{
	int error, i;

	labdpll_choose();
	error = add_pins();
	for (i = 0; i < LABDPLL_CIRCUITS && !error; i++)
		error = add_circuit(&labdpll.circuit[i]);
	if (error) {
		remove();
		return error;
	}
	tell_netdev(labdpll.pin[1].pin);
	add_files();
	return 0;
}

static void __exit labdpll_exit(void)
{
	debugfs_remove(debugfs);
	tell_netdev(NULL);
	remove();
}

module_init(labdpll_init);
module_exit(labdpll_exit);
MODULE_DESCRIPTION("Gnomon's lab: a clock chip with two circuits and two inputs");
MODULE_LICENSE("GPL");
