/* SPDX-License-Identifier: GPL-2.0 */
/*
 * labptp: pairs of Ethernet ports with PTP clocks, and the truth about both.
 *
 *   CLOCK_MONOTONIC_RAW --oscillator--> ticks --clock--> time of /dev/ptpN
 *                        error, wander        frequency, phase: set by a servo
 *
 *   port 2n  ===wire===  port 2n+1      delay, jitter, loss of each direction
 *
 * Every clock is a function of CLOCK_MONOTONIC_RAW, so the time of all clocks at one instant is known exactly, however
 * late a virtual machine is with an interrupt. One lock holds them all.
 */
#ifndef LABPTP_H
#define LABPTP_H

#include <linux/debugfs.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/net_tstamp.h>
#include <linux/prandom.h>
#include <linux/ptp_classify.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/spinlock.h>

#define LABPTP_MAX_PAIRS	4
#define LABPTP_MAX_PORTS	(2 * LABPTP_MAX_PAIRS)
#define LABPTP_PINS		2
#define LABPTP_CHANNELS		2
#define LABPTP_REQUESTS		8

/* Rates have 62 bits below the point: 1.0 is LABPTP_UNIT, one ppb about 4.6e9. */
#define LABPTP_RATE_SHIFT	62
#define LABPTP_UNIT		BIT_ULL(LABPTP_RATE_SHIFT)

/* A count that follows another at a settable rate, without ever losing a fraction. */
struct labptp_phase {
	u64 in;
	u64 out;
	u64 fraction;
	u64 rate;
};

struct labptp_oscillator {
	struct labptp_phase phase;	/* raw time in, ticks out */
	s32 error_ppb;			/* positive runs faster */
	u32 wander_ppb;			/* standard deviation of the random walk after one second */
	s64 walked;			/* where the walk is, as a difference of rate */
	u64 step_at;			/* raw time of its next step */
	struct rnd_state random;
};

struct labptp_clock;

/* Edges that a clock makes: a periodic output, or the kernel's PPS. */
struct labptp_pulses {
	struct labptp_clock *clock;
	struct hrtimer timer;
	bool on;
	bool kernel;			/* to the kernel's PPS and not to a pin */
	int pin;
	u64 next;			/* time of the clock at the next edge */
	u64 period;
	u64 phase;			/* edges are at phase + n * period */
};

/* An input of a clock that stamps the edges on a pin. */
struct labptp_stamper {
	bool on;
	int pin;
};

/* How far a clock is from clock 0, sampled every 10 ms since the last reset. */
struct labptp_gauge {
	u64 samples;
	u64 far;			/* samples of more than a millisecond: not in the rms */
	s64 min, max;
	u64 squares;
};

struct labptp_clock {
	unsigned int index;
	struct labptp_oscillator oscillator;
	struct labptp_phase phase;	/* ticks in, time out */
	long scaled_ppm;		/* the frequency that was asked for */
	u32 steps;			/* times that the clock was set or stepped */
	struct labptp_pulses output[LABPTP_CHANNELS];
	struct labptp_pulses pps;
	struct labptp_stamper input[LABPTP_CHANNELS];
	struct labptp_gauge gauge;
	struct ptp_pin_desc pins[LABPTP_PINS];
	struct ptp_clock_info info;
	struct ptp_clock *ptp;
};

/* What the test sets for the frames that leave a port. */
struct labptp_wire {
	u32 delay_ns;
	u32 jitter_ns;			/* 0..jitter_ns are added, uniformly */
	u32 loss_percent;		/* frames that nobody sees again */
	u32 corrupt_percent;		/* frames that arrive with a wrong checksum */
};

/* What the test sets for the transmit stamps of a port. */
struct labptp_stamp_faults {
	u32 lose_every;			/* every nth stamp is lost; 0: none */
	u32 lose_next;			/* as many are lost from now on */
	u32 delay_ms;			/* how late a stamp comes */
	u32 asked;
};

/* A Pdelay_Req that has come in: a one-step answer needs to know when. */
struct labptp_request {
	struct port_identity from;
	__be16 sequence_id;
	u64 arrived;
};

struct labptp_port {
	unsigned int index;
	struct net_device *dev;
	struct labptp_port *peer;
	struct labptp_clock *clock;
	struct kernel_hwtstamp_config config;
	u32 speed;
	bool plugged;
	struct labptp_wire wire;
	struct rnd_state random;
	struct labptp_stamp_faults faults;
	struct sk_buff_head late;
	struct delayed_work late_work;
	struct labptp_request requests[LABPTP_REQUESTS];
	unsigned int next_request;
	atomic64_t tx_stamps, tx_stamps_lost, rx_stamps;
	atomic64_t onestep_sync, onestep_pdelay, onestep_errors;
	atomic64_t tx_packets, tx_bytes, rx_packets, rx_bytes, rx_crc_errors, rx_dropped;
};

/* A frame under way: when it leaves by the sender's clock, and arrives by the receiver's. */
struct labptp_passage {
	u64 sent;
	u64 received;
	bool lost;
	bool corrupt;
};

/* A PTP message inside a frame; no header: it is none. */
struct labptp_message {
	unsigned int class;
	struct ptp_header *header;
	u8 type;
};

struct labptp {
	spinlock_t lock;		/* of every clock, and of every wire's randomness */
	unsigned int clocks, ports;
	struct labptp_clock *clock[LABPTP_MAX_PORTS];
	struct labptp_port *port[LABPTP_MAX_PORTS];
	struct hrtimer gauge_timer;
	struct dentry *debugfs;
};

extern struct labptp labptp;

/* oscillator.c */
void labptp_phase_to(struct labptp_phase *phase, u64 in);
void labptp_oscillator_init(struct labptp_oscillator *osc, u64 raw, s32 error_ppb, u64 seed);
void labptp_oscillator_to(struct labptp_oscillator *osc, u64 raw);
void labptp_oscillator_error(struct labptp_oscillator *osc, s32 error_ppb);
void labptp_oscillator_wander(struct labptp_oscillator *osc, u64 raw, u32 wander_ppb);

/* clock.c */
int labptp_clock_register(struct labptp_clock *clock, struct device *parent, u64 time);
u64 labptp_clock_to(struct labptp_clock *clock, u64 raw);
u64 labptp_clock_at(const struct labptp_clock *clock, u64 raw);
s64 labptp_clock_until(const struct labptp_clock *clock, u64 time);

/* pulse.c */
void labptp_pulses_init(struct labptp_clock *clock);
void labptp_pulses_align(struct labptp_clock *clock);
void labptp_pulses_stop(struct labptp_clock *clock);
int labptp_verify(struct ptp_clock_info *info, unsigned int pin, enum ptp_pin_function func, unsigned int chan);
int labptp_enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on);

/* port.c */
struct labptp_port *labptp_port_alloc(struct device *parent, unsigned int index, struct labptp_clock *clock, u64 seed);
void labptp_port_link(struct labptp_port *port);

/* wire.c */
netdev_tx_t labptp_wire_xmit(struct sk_buff *skb, struct net_device *dev);

/* stamp.c */
int labptp_stamp_get(struct net_device *dev, struct kernel_hwtstamp_config *config);
int labptp_stamp_set(struct net_device *dev, struct kernel_hwtstamp_config *config, struct netlink_ext_ack *extack);
void labptp_stamp_sent(struct labptp_port *port, struct sk_buff *skb, u64 sent);
void labptp_stamp_received(struct labptp_port *port, struct sk_buff *skb, const struct labptp_message *message, u64 received);
void labptp_stamp_late(struct work_struct *work);
struct labptp_message labptp_message_of(struct sk_buff *skb);

/* onestep.c */
bool labptp_onestep_send(struct labptp_port *port, const struct labptp_message *message, u64 sent);
void labptp_onestep_receive(struct labptp_port *port, const struct labptp_message *message, u64 received);

/* ethtool.c */
extern const struct ethtool_ops labptp_ethtool_ops;

/* gauge.c */
void labptp_gauge_start(void);
void labptp_gauge_reset(struct labptp_gauge *gauge);
extern const struct file_operations labptp_gauge_fops;

/* control.c */
void labptp_control_add(void);

#endif
