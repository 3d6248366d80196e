// SPDX-License-Identifier: GPL-2.0
/*
 * Sensor chips. Limits are set where every hwmon chip has them, in sysfs; what is measured, in debugfs:
 *
 *   labhw/sensor/CHIP/temp1_input     the value, in hwmon's unit
 *   labhw/sensor/CHIP/temp1_fault     the sensor itself is broken (temperatures and fans)
 *   labhw/sensor/CHIP/temp1_error     reading fails with this error number; 0: it does not
 *
 * An alarm follows from value and limit, and whoever waits for it is told when it changes, as by a chip with an interrupt.
 */
#include <linux/hwmon.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "labhw.h"

/* What a sensor has: values that are kept, then what follows from them. */
enum field { INPUT, MIN, MAX, CRIT, FAULT, KEPT, LABEL = KEPT, MIN_ALARM, MAX_ALARM, CRIT_ALARM, FIELDS };

#define NONE	LONG_MIN	/* the sensor has no such value */

struct sensor {
	unsigned int chip;
	enum hwmon_sensor_types type;
	unsigned int channel;
	const char *label;
	long kept[KEPT];
	u32 error;
};

#define CHIPS		2
#define TYPES		5
#define CHANNELS	4

struct chip {
	const char *name;
	struct device *device;
	struct hwmon_chip_info info;
	const struct hwmon_channel_info *of_type[TYPES + 1];
	struct hwmon_channel_info channels[TYPES];
	u32 config[TYPES][CHANNELS + 1];
};

static struct chip chips[CHIPS] = { { .name = "labboard" }, { .name = "labpsu" } };

/* Millidegrees, rounds per minute, millivolts, milliamperes, microwatts. */
static struct sensor sensors[] = {
	/* chip, type, channel, label,	input,		min,	max,		crit,		fault */
	{ 0, hwmon_temp, 0, "CPU",	{ 45000,	NONE,	85000,		95000,		0 } },
	{ 0, hwmon_temp, 1, "Inlet",	{ 24000,	5000,	40000,		NONE,		0 } },
	{ 0, hwmon_fan, 0, "FAN1",	{ 4200,		600,	NONE,		NONE,		0 } },
	{ 0, hwmon_fan, 1, "FAN2",	{ 4250,		600,	NONE,		NONE,		0 } },
	{ 0, hwmon_in, 0, "12V",	{ 12050,	11400,	12600,		NONE,		NONE } },
	{ 0, hwmon_in, 1, "3V3",	{ 3310,		3135,	3465,		NONE,		NONE } },
	{ 1, hwmon_temp, 0, "PSU",	{ 38000,	NONE,	70000,		80000,		0 } },
	{ 1, hwmon_in, 0, "VIN",	{ 230000,	180000,	264000,		NONE,		NONE } },
	{ 1, hwmon_curr, 0, "IOUT",	{ 8500,		NONE,	62000,		70000,		NONE } },
	{ 1, hwmon_power, 0, "PIN",	{ 118000000,	NONE,	800000000,	900000000,	NONE } },
};

static const enum hwmon_sensor_types types[TYPES] = { hwmon_temp, hwmon_fan, hwmon_in, hwmon_curr, hwmon_power };

/* hwmon numbers the attributes of each type anew; -1: the type lacks it. */
static const int attributes[TYPES][FIELDS] = {
	{
		[INPUT] = hwmon_temp_input, [MIN] = hwmon_temp_min, [MAX] = hwmon_temp_max, [CRIT] = hwmon_temp_crit,
		[FAULT] = hwmon_temp_fault, [LABEL] = hwmon_temp_label, [MIN_ALARM] = hwmon_temp_min_alarm,
		[MAX_ALARM] = hwmon_temp_max_alarm, [CRIT_ALARM] = hwmon_temp_crit_alarm,
	}, {
		[INPUT] = hwmon_fan_input, [MIN] = hwmon_fan_min, [MAX] = hwmon_fan_max, [CRIT] = -1,
		[FAULT] = hwmon_fan_fault, [LABEL] = hwmon_fan_label, [MIN_ALARM] = hwmon_fan_min_alarm,
		[MAX_ALARM] = hwmon_fan_max_alarm, [CRIT_ALARM] = -1,
	}, {
		[INPUT] = hwmon_in_input, [MIN] = hwmon_in_min, [MAX] = hwmon_in_max, [CRIT] = hwmon_in_crit,
		[FAULT] = -1, [LABEL] = hwmon_in_label, [MIN_ALARM] = hwmon_in_min_alarm,
		[MAX_ALARM] = hwmon_in_max_alarm, [CRIT_ALARM] = hwmon_in_crit_alarm,
	}, {
		[INPUT] = hwmon_curr_input, [MIN] = hwmon_curr_min, [MAX] = hwmon_curr_max, [CRIT] = hwmon_curr_crit,
		[FAULT] = -1, [LABEL] = hwmon_curr_label, [MIN_ALARM] = hwmon_curr_min_alarm,
		[MAX_ALARM] = hwmon_curr_max_alarm, [CRIT_ALARM] = hwmon_curr_crit_alarm,
	}, {
		[INPUT] = hwmon_power_input, [MIN] = hwmon_power_min, [MAX] = hwmon_power_max, [CRIT] = hwmon_power_crit,
		[FAULT] = -1, [LABEL] = hwmon_power_label, [MIN_ALARM] = hwmon_power_min_alarm,
		[MAX_ALARM] = hwmon_power_max_alarm, [CRIT_ALARM] = hwmon_power_crit_alarm,
	},
};

/* Values and limits, and the alarms that follow from them. */
static DEFINE_MUTEX(lock);

static unsigned int row(enum hwmon_sensor_types type)
{
	unsigned int i;

	for (i = 0; i < TYPES - 1 && types[i] != type; i++)
		;
	return i;
}

static struct sensor *find(const struct chip *chip, enum hwmon_sensor_types type, int channel)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sensors); i++)
		if (&chips[sensors[i].chip] == chip && sensors[i].type == type && sensors[i].channel == channel)
			return &sensors[i];
	return NULL;
}

static enum field field_of(enum hwmon_sensor_types type, u32 attribute)
{
	enum field field;

	for (field = 0; field < FIELDS; field++)
		if (attributes[row(type)][field] == attribute)
			break;
	return field;
}

static bool has(const struct sensor *sensor, enum field field)
{
	static const enum field limit[FIELDS] = { [MIN_ALARM] = MIN, [MAX_ALARM] = MAX, [CRIT_ALARM] = CRIT };

	if (field == FIELDS || attributes[row(sensor->type)][field] < 0)
		return false;
	if (field > LABEL)
		field = limit[field];
	return field == LABEL || sensor->kept[field] != NONE;
}

static bool alarm(const struct sensor *sensor, enum field field)
{
	long input = sensor->kept[INPUT];

	if (!has(sensor, field))
		return false;
	switch (field) {
	case MIN_ALARM:
		return input < sensor->kept[MIN];
	case MAX_ALARM:
		return input > sensor->kept[MAX];
	default:
		return input > sensor->kept[CRIT];
	}
}

/* Keeps a value, and tells of every alarm that changes with it. */
static void set(struct sensor *sensor, enum field field, long value)
{
	enum field name;
	unsigned int changed = 0;

	mutex_lock(&lock);
	for (name = MIN_ALARM; name <= CRIT_ALARM; name++)
		changed |= alarm(sensor, name) << name;
	if (field == FAULT && sensor->kept[FAULT] != value)
		changed |= BIT(FAULT);
	sensor->kept[field] = value;
	for (name = MIN_ALARM; name <= CRIT_ALARM; name++)
		changed ^= alarm(sensor, name) << name;
	mutex_unlock(&lock);
	for (name = 0; name < FIELDS; name++)
		if (changed & BIT(name))
			hwmon_notify_event(chips[sensor->chip].device, sensor->type,
					   attributes[row(sensor->type)][name], sensor->channel);
}

static umode_t is_visible(const void *data, enum hwmon_sensor_types type, u32 attribute, int channel)
{
	const struct sensor *sensor = find(data, type, channel);
	enum field field = field_of(type, attribute);

	if (!sensor || !has(sensor, field))
		return 0;
	return field >= MIN && field <= CRIT ? 0644 : 0444;
}

static int read(struct device *dev, enum hwmon_sensor_types type, u32 attribute, int channel, long *value)
{
	const struct sensor *sensor = find(dev_get_drvdata(dev), type, channel);
	enum field field = field_of(type, attribute);

	if (field == INPUT && sensor->error)
		return -(int)sensor->error;
	mutex_lock(&lock);
	*value = field < KEPT ? sensor->kept[field] : alarm(sensor, field);
	mutex_unlock(&lock);
	return 0;
}

static int read_string(struct device *dev, enum hwmon_sensor_types type, u32 attribute, int channel, const char **text)
{
	*text = find(dev_get_drvdata(dev), type, channel)->label;
	return 0;
}

static int write(struct device *dev, enum hwmon_sensor_types type, u32 attribute, int channel, long value)
{
	if (value == NONE)
		return -ERANGE;
	set(find(dev_get_drvdata(dev), type, channel), field_of(type, attribute), value);
	return 0;
}

static const struct hwmon_ops ops = {
	.is_visible	= is_visible,
	.read		= read,
	.read_string	= read_string,
	.write		= write,
};

static int input_get(void *data, u64 *value)
{
	*value = ((struct sensor *)data)->kept[INPUT];
	return 0;
}

static int input_set(void *data, u64 value)
{
	set(data, INPUT, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(input_fops, input_get, input_set, "%lld\n");

static int fault_get(void *data, u64 *value)
{
	*value = ((struct sensor *)data)->kept[FAULT];
	return 0;
}

static int fault_set(void *data, u64 value)
{
	set(data, FAULT, !!value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(fault_fops, fault_get, fault_set, "%llu\n");

static void add_files(struct sensor *sensor, struct dentry *dir)
{
	static const char *const prefix[TYPES] = { "temp", "fan", "in", "curr", "power" };
	unsigned int number = sensor->channel + (sensor->type != hwmon_in);
	char name[24];

	snprintf(name, sizeof(name), "%s%u_input", prefix[row(sensor->type)], number);
	debugfs_create_file_unsafe(name, 0600, dir, sensor, &input_fops);
	snprintf(name, sizeof(name), "%s%u_error", prefix[row(sensor->type)], number);
	debugfs_create_u32(name, 0600, dir, &sensor->error);
	if (!has(sensor, FAULT))
		return;
	snprintf(name, sizeof(name), "%s%u_fault", prefix[row(sensor->type)], number);
	debugfs_create_file_unsafe(name, 0600, dir, sensor, &fault_fops);
}

/* hwmon wants for each type a list of the channels and what each has. */
static void describe(struct chip *chip)
{
	unsigned int type, channel, used = 0;
	enum field field;

	for (type = 0; type < TYPES; type++) {
		for (channel = 0; channel < CHANNELS; channel++) {
			const struct sensor *sensor = find(chip, types[type], channel);

			for (field = 0; sensor && field < FIELDS; field++)
				if (has(sensor, field))
					chip->config[type][channel] |= BIT(attributes[type][field]);
		}
		if (!chip->config[type][0])
			continue;
		chip->channels[used] = (struct hwmon_channel_info){ .type = types[type], .config = chip->config[type] };
		chip->of_type[used] = &chip->channels[used];
		used++;
	}
	chip->info = (struct hwmon_chip_info){ .ops = &ops, .info = chip->of_type };
}

int labhw_sensor_add(struct device *parent, struct dentry *debugfs)
{
	struct dentry *dir = debugfs_create_dir("sensor", debugfs), *of_chip[CHIPS];
	unsigned int i;

	for (i = 0; i < CHIPS; i++) {
		struct chip *chip = &chips[i];

		describe(chip);
		chip->device = hwmon_device_register_with_info(parent, chip->name, chip, &chip->info, NULL);
		if (IS_ERR(chip->device)) {
			int error = PTR_ERR(chip->device);

			chip->device = NULL;
			labhw_sensor_remove();
			return error;
		}
		of_chip[i] = debugfs_create_dir(chip->name, dir);
	}
	for (i = 0; i < ARRAY_SIZE(sensors); i++)
		add_files(&sensors[i], of_chip[sensors[i].chip]);
	return 0;
}

void labhw_sensor_remove(void)
{
	unsigned int i;

	for (i = 0; i < CHIPS; i++)
		if (chips[i].device)
			hwmon_device_unregister(chips[i].device);
}
