// SPDX-License-Identifier: GPL-2.0
/*
 * Adds the parts below one platform device, and takes them away in the opposite order.
 */
#include <linux/module.h>
#include <linux/platform_device.h>

#include "labhw.h"

static struct platform_device *platform;
static struct dentry *debugfs;

static int __init labhw_init(void)
{
	int error;

	platform = platform_device_register_simple("labhw", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	debugfs = debugfs_create_dir("labhw", NULL);
	error = labhw_memory_add(&platform->dev, debugfs);
	if (error)
		goto no_memory;
	error = labhw_sensor_add(&platform->dev, debugfs);
	if (error)
		goto no_sensor;
	error = labhw_thermal_add(debugfs);
	if (error)
		goto no_thermal;
	return 0;

	/* Nobody has been told of the files yet; they go with the last part. */
no_thermal:
	labhw_sensor_remove();
no_sensor:
	labhw_memory_remove(&platform->dev);
no_memory:
	debugfs_remove(debugfs);
	platform_device_unregister(platform);
	return error;
}

static void __exit labhw_exit(void)
{
	debugfs_remove(debugfs);
	labhw_thermal_remove();
	labhw_sensor_remove();
	labhw_memory_remove(&platform->dev);
	platform_device_unregister(platform);
}

module_init(labhw_init);
module_exit(labhw_exit);
MODULE_DESCRIPTION("Gnomon's lab: memory controller, sensor chips and thermal zone");
MODULE_LICENSE("GPL");
