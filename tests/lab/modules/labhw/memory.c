// SPDX-License-Identifier: GPL-2.0
/*
 * A memory controller with two channels of two DIMMs.
 *
 *   labhw/memory/ce, ue     write "3 LABEL": so many errors of that DIMM; "?" where the controller can't tell
 *
 * drivers/edac/edac_mc.h is not among the kernel's public headers; what is used of it is declared here.
 */
#include <linux/edac.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "labhw.h"

#define CHANNELS	2
#define SLOTS		2
#define DIMMS		(CHANNELS * SLOTS)

struct mem_ctl_info *edac_mc_alloc(unsigned int mc_num, unsigned int n_layers, struct edac_mc_layer *layers,
				   unsigned int sz_pvt);
int edac_mc_add_mc_with_groups(struct mem_ctl_info *mci, const struct attribute_group **groups);
struct mem_ctl_info *edac_mc_del_mc(struct device *dev);
void edac_mc_free(struct mem_ctl_info *mci);
void edac_mc_handle_error(const enum hw_event_mc_err_type type, struct mem_ctl_info *mci, const u16 error_count,
			  const unsigned long page_frame_number, const unsigned long offset_in_page,
			  const unsigned long syndrome, const int top_layer, const int mid_layer, const int low_layer,
			  const char *msg, const char *other_detail);

static char *labels[DIMMS] = { "DIMM_A1", "DIMM_A2", "DIMM_B1", "DIMM_B2" };
module_param_array(labels, charp, NULL, 0444);
MODULE_PARM_DESC(labels, "labels of the DIMMs, channel by channel");

static uint size_mib = 4096;
module_param(size_mib, uint, 0444);
MODULE_PARM_DESC(size_mib, "size of each DIMM");

static struct mem_ctl_info *controller;

static const struct dimm_info *labelled(const char *label)
{
	struct dimm_info *dimm;

	mci_for_each_dimm(controller, dimm)
		if (!strcmp(dimm->label, label))
			return dimm;
	return NULL;
}

/* An error on a page of that DIMM; with no DIMM, somewhere. */
static void report(enum hw_event_mc_err_type type, const struct dimm_info *dimm, u16 count)
{
	unsigned long page = dimm ? dimm->idx * (unsigned long)dimm->nr_pages + 0x1234 : 0;

	edac_mc_handle_error(type, controller, count, page, 0x40, 0xaa, dimm ? dimm->location[0] : -1,
			     dimm ? dimm->location[1] : -1, -1, "set by a test", "");
}

static ssize_t memory_write(struct file *file, const char __user *from, size_t size, loff_t *offset)
{
	enum hw_event_mc_err_type type = (uintptr_t)file->private_data;
	const struct dimm_info *dimm = NULL;
	char text[64], *label;
	unsigned int count;
	int at_label;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = 0;
	if (sscanf(text, "%u %n", &count, &at_label) < 1 || !count || count > U16_MAX)
		return -EINVAL;
	label = strim(text + at_label);
	if (strcmp(label, "?")) {
		dimm = labelled(label);
		if (!dimm)
			return -ENOENT;
	}
	report(type, dimm, count);
	return size;
}

static const struct file_operations memory_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= memory_write,
};

static void describe(struct device *parent)
{
	struct dimm_info *dimm;

	controller->pdev = parent;
	controller->mod_name = "labhw";
	controller->ctl_name = "labmc";
	controller->dev_name = dev_name(parent);
	controller->mtype_cap = MEM_FLAG_RDDR5;
	controller->edac_ctl_cap = EDAC_FLAG_SECDED;
	controller->edac_cap = EDAC_FLAG_SECDED;
	controller->scrub_mode = SCRUB_HW_SRC;
	mci_for_each_dimm(controller, dimm) {
		dimm->nr_pages = size_mib << (20 - PAGE_SHIFT);
		dimm->mtype = MEM_RDDR5;
		dimm->edac_mode = EDAC_SECDED;
		dimm->dtype = DEV_X8;
		dimm->grain = 64;
		strscpy(dimm->label, labels[dimm->location[0] * SLOTS + dimm->location[1]], sizeof(dimm->label));
	}
}

int labhw_memory_add(struct device *parent, struct dentry *debugfs)
{
	struct edac_mc_layer layers[] = {
		{ .type = EDAC_MC_LAYER_CHANNEL, .size = CHANNELS },
		{ .type = EDAC_MC_LAYER_SLOT, .size = SLOTS, .is_virt_csrow = true },
	};
	struct dentry *dir;
	int error;

	controller = edac_mc_alloc(0, ARRAY_SIZE(layers), layers, 0);
	if (!controller)
		return -ENOMEM;
	describe(parent);
	error = edac_mc_add_mc_with_groups(controller, NULL);
	if (error) {
		edac_mc_free(controller);
		return error;
	}
	dir = debugfs_create_dir("memory", debugfs);
	debugfs_create_file("ce", 0200, dir, (void *)HW_EVENT_ERR_CORRECTED, &memory_fops);
	debugfs_create_file("ue", 0200, dir, (void *)HW_EVENT_ERR_UNCORRECTED, &memory_fops);
	return 0;
}

void labhw_memory_remove(struct device *parent)
{
	edac_mc_del_mc(parent);
	edac_mc_free(controller);
}
