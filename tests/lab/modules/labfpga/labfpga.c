// SPDX-License-Identifier: GPL-2.0
/*
 * An FPGA: a manager that is programmed, a bridge that is shut meanwhile, and a region behind it.
 *
 *   labfpga/program     write anything: programs the region with an image of so many bytes
 *   labfpga/fail        the step that fails from now on: 0 none, 1 write_init, 2 write, 3 write_complete
 *   labfpga/status      bits of FPGA_MGR_STATUS_*, as the manager reports them
 */
#include <linux/debugfs.h>
#include <linux/fpga/fpga-bridge.h>
#include <linux/fpga/fpga-mgr.h>
#include <linux/fpga/fpga-region.h>
#include <linux/module.h>
#include <linux/platform_device.h>

enum step { STEP_NONE, STEP_INIT, STEP_WRITE, STEP_COMPLETE };

static struct platform_device *platform;
static struct fpga_manager *manager;
static struct fpga_bridge *bridge;
static struct fpga_region *region;
static struct dentry *debugfs;
static u32 fail;
static u32 status;
static bool open = true;

static int at(enum step step)
{
	return READ_ONCE(fail) == step ? -EIO : 0;
}

static int write_init(struct fpga_manager *mgr, struct fpga_image_info *info, const char *image, size_t size)
{
	return at(STEP_INIT);
}

static int write(struct fpga_manager *mgr, const char *image, size_t size)
{
	return at(STEP_WRITE);
}

static int write_complete(struct fpga_manager *mgr, struct fpga_image_info *info)
{
	return at(STEP_COMPLETE);
}

static enum fpga_mgr_states state(struct fpga_manager *mgr)
{
	return FPGA_MGR_STATE_OPERATING;
}

static u64 report(struct fpga_manager *mgr)
{
	return READ_ONCE(status);
}

static const struct fpga_manager_ops manager_ops = {
	.state		= state,
	.status		= report,
	.write_init	= write_init,
	.write		= write,
	.write_complete	= write_complete,
};

static int enable_set(struct fpga_bridge *of, bool enable)
{
	open = enable;
	return 0;
}

static int enable_show(struct fpga_bridge *of)
{
	return open;
}

static const struct fpga_bridge_ops bridge_ops = {
	.enable_set	= enable_set,
	.enable_show	= enable_show,
};

static int get_bridges(struct fpga_region *of)
{
	return fpga_bridge_get_to_list(bridge->dev.parent, of->info, &of->bridge_list);
}

/* What is written is the image: nobody reads it. */
static ssize_t program_write(struct file *file, const char __user *from, size_t size, loff_t *offset)
{
	static const char image[] = "an image";
	struct fpga_image_info *info = fpga_image_info_alloc(&platform->dev);
	int error;

	if (!info)
		return -ENOMEM;
	info->buf = image;
	info->count = sizeof(image);
	region->info = info;
	error = fpga_region_program_fpga(region);
	fpga_bridges_put(&region->bridge_list);
	region->info = NULL;
	fpga_image_info_free(info);
	return error ? error : size;
}

static const struct file_operations program_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= program_write,
};

static int __init labfpga_init(void)
{
	int error;

	platform = platform_device_register_simple("labfpga", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	manager = fpga_mgr_register(&platform->dev, "Lab FPGA Manager", &manager_ops, NULL);
	if (IS_ERR(manager)) {
		error = PTR_ERR(manager);
		goto no_manager;
	}
	bridge = fpga_bridge_register(&platform->dev, "Lab FPGA Bridge", &bridge_ops, NULL);
	if (IS_ERR(bridge)) {
		error = PTR_ERR(bridge);
		goto no_bridge;
	}
	region = fpga_region_register(&platform->dev, manager, get_bridges);
	if (IS_ERR(region)) {
		error = PTR_ERR(region);
		goto no_region;
	}
	debugfs = debugfs_create_dir("labfpga", NULL);
	debugfs_create_file("program", 0200, debugfs, NULL, &program_fops);
	debugfs_create_u32("fail", 0600, debugfs, &fail);
	debugfs_create_x32("status", 0600, debugfs, &status);
	return 0;

no_region:
	fpga_bridge_unregister(bridge);
no_bridge:
	fpga_mgr_unregister(manager);
no_manager:
	platform_device_unregister(platform);
	return error;
}

static void __exit labfpga_exit(void)
{
	debugfs_remove(debugfs);
	fpga_region_unregister(region);
	fpga_bridge_unregister(bridge);
	fpga_mgr_unregister(manager);
	platform_device_unregister(platform);
}

module_init(labfpga_init);
module_exit(labfpga_exit);
MODULE_DESCRIPTION("Gnomon's lab: an FPGA manager with a bridge and a region");
MODULE_LICENSE("GPL");
