/* SPDX-License-Identifier: GPL-2.0 */
/*
 * labhw: what a server's board has and a virtual machine lacks. A memory controller that reports errors of labelled
 * DIMMs, sensor chips, and a thermal zone; a test sets in debugfs labhw/ what they show.
 */
#ifndef LABHW_H
#define LABHW_H

#include <linux/debugfs.h>
#include <linux/device.h>

/* Each adds its files to the directory in debugfs, which is gone before the part is taken down. */
int labhw_memory_add(struct device *parent, struct dentry *debugfs);
void labhw_memory_remove(struct device *parent);
int labhw_sensor_add(struct device *parent, struct dentry *debugfs);
void labhw_sensor_remove(void);
int labhw_thermal_add(struct dentry *debugfs);
void labhw_thermal_remove(void);

#endif
