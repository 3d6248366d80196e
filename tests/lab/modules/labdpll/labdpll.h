/* SPDX-License-Identifier: GPL-2.0 */
/*
 * labdpll: a clock chip with two circuits, one for the frequency of Ethernet and one for pulses, and two inputs: a GNSS
 * receiver and the clock that a port recovers. Each circuit follows the connected input of the best priority that has a
 * signal; a test takes signals away and gives them back.
 */
#ifndef LABDPLL_H
#define LABDPLL_H

#include <linux/debugfs.h>
#include <linux/dpll.h>
#include <linux/mutex.h>

#define LABDPLL_CLOCK_ID	0x026c6162fffe0000ULL
#define LABDPLL_CIRCUITS	2
#define LABDPLL_PINS		2

struct labdpll_pin {
	const char *name;
	struct dpll_pin_properties properties;
	struct dpll_pin *pin;
	bool signal;
	u64 frequency;
	s32 phase_adjust;
	s64 phase_offset;		/* 1/1000 ps */
	s64 ffo;			/* ppt */
	u32 prio[LABDPLL_CIRCUITS];
	bool connected[LABDPLL_CIRCUITS];
};

struct labdpll_circuit {
	unsigned int index;
	enum dpll_type type;
	struct dpll_device *device;
	enum dpll_lock_status status;
	enum dpll_lock_status_error error;
	const struct labdpll_pin *source;
};

struct labdpll {
	struct mutex lock;		/* of every value below; the subsystem's own lock is taken before it */
	struct labdpll_circuit circuit[LABDPLL_CIRCUITS];
	struct labdpll_pin pin[LABDPLL_PINS];
	bool holdover;			/* is the oscillator good enough to go on without an input? */
	s32 temperature;		/* millidegrees */
};

extern struct labdpll labdpll;
extern const struct dpll_pin_ops labdpll_pin_ops;

/* Chooses the sources anew; a bit for each circuit that has changed. Under the lock. */
unsigned int labdpll_choose(void);

#endif
