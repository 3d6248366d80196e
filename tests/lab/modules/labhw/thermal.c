// SPDX-License-Identifier: GPL-2.0
/*
 * A thermal zone with a passive, a hot and a critical trip, and a cooling device that its governor turns up.
 *
 *   labhw/thermal/temperature     millidegrees
 *   labhw/thermal/critical        how often the critical trip was reached: this zone does not power the machine off
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/thermal.h>

#include "labhw.h"

#define COOLING_STATES		4
#define POLLING_MS		1000
#define PASSIVE_POLLING_MS	200

static atomic_t temperature = ATOMIC_INIT(45000);
static atomic_t critical = ATOMIC_INIT(0);
static atomic_t cooling_state = ATOMIC_INIT(0);
static struct thermal_zone_device *zone;
static struct thermal_cooling_device *cooling;

static const struct thermal_trip trips[] = {
	{ .type = THERMAL_TRIP_PASSIVE, .temperature = 80000, .hysteresis = 2000, .flags = THERMAL_TRIP_FLAG_RW_TEMP },
	{ .type = THERMAL_TRIP_HOT, .temperature = 95000, .hysteresis = 2000 },
	{ .type = THERMAL_TRIP_CRITICAL, .temperature = 105000 },
};

static int get_temp(struct thermal_zone_device *of, int *value)
{
	*value = atomic_read(&temperature);
	return 0;
}

static void on_critical(struct thermal_zone_device *of)
{
	atomic_inc(&critical);
}

static int set_trip_temp(struct thermal_zone_device *of, const struct thermal_trip *trip, int value)
{
	return 0;
}

static bool should_bind(struct thermal_zone_device *of, const struct thermal_trip *trip,
			struct thermal_cooling_device *device, struct cooling_spec *spec)
{
	return device == cooling && trip->type == THERMAL_TRIP_PASSIVE;
}

static const struct thermal_zone_device_ops zone_ops = {
	.get_temp	= get_temp,
	.critical	= on_critical,
	.set_trip_temp	= set_trip_temp,
	.should_bind	= should_bind,
};

static int max_state(struct thermal_cooling_device *device, unsigned long *state)
{
	*state = COOLING_STATES - 1;
	return 0;
}

static int cur_state(struct thermal_cooling_device *device, unsigned long *state)
{
	*state = atomic_read(&cooling_state);
	return 0;
}

static int set_state(struct thermal_cooling_device *device, unsigned long state)
{
	atomic_set(&cooling_state, state);
	return 0;
}

static const struct thermal_cooling_device_ops cooling_ops = {
	.get_max_state	= max_state,
	.get_cur_state	= cur_state,
	.set_cur_state	= set_state,
};

static int temperature_get(void *data, u64 *value)
{
	*value = (s64)atomic_read(&temperature);
	return 0;
}

static int temperature_set(void *data, u64 value)
{
	atomic_set(&temperature, (int)value);
	thermal_zone_device_update(zone, THERMAL_EVENT_TEMP_SAMPLE);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(temperature_fops, temperature_get, temperature_set, "%lld\n");

int labhw_thermal_add(struct dentry *debugfs)
{
	struct dentry *dir;

	cooling = thermal_cooling_device_register("labfan", NULL, &cooling_ops);
	if (IS_ERR(cooling))
		return PTR_ERR(cooling);
	zone = thermal_zone_device_register_with_trips("labzone", trips, ARRAY_SIZE(trips), NULL, &zone_ops, NULL,
						       PASSIVE_POLLING_MS, POLLING_MS);
	if (IS_ERR(zone)) {
		thermal_cooling_device_unregister(cooling);
		return PTR_ERR(zone);
	}
	thermal_zone_device_enable(zone);
	dir = debugfs_create_dir("thermal", debugfs);
	debugfs_create_file_unsafe("temperature", 0600, dir, NULL, &temperature_fops);
	debugfs_create_atomic_t("critical", 0600, dir, &critical);
	return 0;
}

void labhw_thermal_remove(void)
{
	thermal_zone_device_unregister(zone);
	thermal_cooling_device_unregister(cooling);
}
