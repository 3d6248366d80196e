// SPDX-License-Identifier: GPL-2.0
/*
 * An FPGA as user space sees one: a manager that is programmed, a bridge that is shut meanwhile, and a region behind it.
 *
 * Debian's kernel is built without FPGA support, so the classes are made here, with the attributes and words of
 * Documentation/ABI/testing/sysfs-class-fpga-{manager,bridge,region}.
 *
 *   labfpga/program     write anything: programs the region
 *   labfpga/fail        the step that fails: 0 none, 1 write init, 2 write, 3 write complete
 *   labfpga/status      what the manager reports: a bit for each of the words below
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/platform_device.h>

enum step { STEP_NONE, STEP_INIT, STEP_WRITE, STEP_COMPLETE };

static const char *const states[] = {
	[STEP_NONE]	= "operating",
	[STEP_INIT]	= "write init error",
	[STEP_WRITE]	= "write error",
	[STEP_COMPLETE]	= "write complete error",
};

static const char *const faults[] = {
	"reconfig operation error",
	"reconfig CRC error",
	"reconfig incompatible image",
	"reconfig IP protocol error",
	"reconfig fifo overflow error",
};

static struct platform_device *platform;
static struct dentry *debugfs;
static u32 fail;
static u32 status;
/* How the last programming ended; the bridge stays shut where it failed. */
static enum step ended;

static ssize_t manager_name(struct device *dev, struct device_attribute *attr, char *to)
{
	return sysfs_emit(to, "Lab FPGA Manager\n");
}

static ssize_t manager_state(struct device *dev, struct device_attribute *attr, char *to)
{
	return sysfs_emit(to, "%s\n", states[READ_ONCE(ended)]);
}

static ssize_t manager_status(struct device *dev, struct device_attribute *attr, char *to)
{
	u32 bits = READ_ONCE(status);
	int length = 0, bit;

	for (bit = 0; bit < ARRAY_SIZE(faults); bit++)
		if (bits & BIT(bit))
			length += sysfs_emit_at(to, length, "%s\n", faults[bit]);
	return length;
}

static ssize_t bridge_name(struct device *dev, struct device_attribute *attr, char *to)
{
	return sysfs_emit(to, "Lab FPGA Bridge\n");
}

static ssize_t bridge_state(struct device *dev, struct device_attribute *attr, char *to)
{
	return sysfs_emit(to, "%s\n", READ_ONCE(ended) == STEP_NONE ? "enabled" : "disabled");
}

static struct device_attribute manager_attributes[] = {
	__ATTR(name, 0444, manager_name, NULL),
	__ATTR(state, 0444, manager_state, NULL),
	__ATTR(status, 0444, manager_status, NULL),
};

static struct attribute *manager_attrs[] = {
	&manager_attributes[0].attr,
	&manager_attributes[1].attr,
	&manager_attributes[2].attr,
	NULL,
};
ATTRIBUTE_GROUPS(manager);

static struct device_attribute bridge_attributes[] = {
	__ATTR(name, 0444, bridge_name, NULL),
	__ATTR(state, 0444, bridge_state, NULL),
};

static struct attribute *bridge_attrs[] = {
	&bridge_attributes[0].attr,
	&bridge_attributes[1].attr,
	NULL,
};
ATTRIBUTE_GROUPS(bridge);

/* One device in a class of its own. */
static struct part {
	const char *class_name;
	const char *name;
	const struct attribute_group **groups;
	struct class *class;
	struct device *device;
} parts[] = {
	{ "fpga_manager", "fpga0", manager_groups },
	{ "fpga_bridge", "br0", bridge_groups },
	{ "fpga_region", "region0", NULL },
};

static void remove_parts(void)
{
	int i;

	for (i = ARRAY_SIZE(parts) - 1; i >= 0; i--) {
		if (!IS_ERR_OR_NULL(parts[i].device))
			device_unregister(parts[i].device);
		if (!IS_ERR_OR_NULL(parts[i].class))
			class_destroy(parts[i].class);
	}
}

static int add_part(struct part *part)
{
	part->class = class_create(part->class_name);
	if (IS_ERR(part->class))
		return PTR_ERR(part->class);
	part->device = device_create_with_groups(part->class, &platform->dev, MKDEV(0, 0), NULL,
						 part->groups, "%s", part->name);
	return PTR_ERR_OR_ZERO(part->device);
}

/* What is written is the image: nobody reads it. */
static ssize_t program_write(struct file *file, const char __user *from, size_t size,
			     loff_t *offset)
{
	enum step end = min_t(u32, READ_ONCE(fail), STEP_COMPLETE);

	WRITE_ONCE(ended, end);
	return end == STEP_NONE ? size : -EIO;
}

static const struct file_operations program_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= program_write,
};

static int __init labfpga_init(void)
{
	int error, i;

	platform = platform_device_register_simple("labfpga", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		error = add_part(&parts[i]);
		if (error) {
			remove_parts();
			platform_device_unregister(platform);
			return error;
		}
	}
	debugfs = debugfs_create_dir("labfpga", NULL);
	debugfs_create_file("program", 0200, debugfs, NULL, &program_fops);
	debugfs_create_u32("fail", 0600, debugfs, &fail);
	debugfs_create_x32("status", 0600, debugfs, &status);
	return 0;
}

static void __exit labfpga_exit(void)
{
	debugfs_remove(debugfs);
	remove_parts();
	platform_device_unregister(platform);
}

module_init(labfpga_init);
module_exit(labfpga_exit);
MODULE_DESCRIPTION("Gnomon's lab: an FPGA manager with a bridge and a region");
MODULE_LICENSE("GPL");
