// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware timestamps of frames: which are asked for, which are made, and which get lost or come late.
 */
#include "labptp.h"

/* The messages 0 to 3 are those whose time matters (IEEE 1588-2019 §13.3.2.3). */
#define LAST_EVENT_MESSAGE	3

int labptp_stamp_get(struct net_device *dev, struct kernel_hwtstamp_config *config)
{
	*config = ((struct labptp_port *)netdev_priv(dev))->config;
	return 0;
}

/* The narrowest filter that we have and that takes in what was asked for. */
static int widen(int filter)
{
	switch (filter) {
	case HWTSTAMP_FILTER_NONE:
	case HWTSTAMP_FILTER_PTP_V2_EVENT:
	case HWTSTAMP_FILTER_PTP_V2_L2_EVENT:
	case HWTSTAMP_FILTER_PTP_V2_L4_EVENT:
		return filter;
	case HWTSTAMP_FILTER_PTP_V2_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_DELAY_REQ:
		return HWTSTAMP_FILTER_PTP_V2_EVENT;
	case HWTSTAMP_FILTER_PTP_V2_L2_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_L2_DELAY_REQ:
		return HWTSTAMP_FILTER_PTP_V2_L2_EVENT;
	case HWTSTAMP_FILTER_PTP_V2_L4_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_L4_DELAY_REQ:
		return HWTSTAMP_FILTER_PTP_V2_L4_EVENT;
	default:
		return HWTSTAMP_FILTER_ALL;
	}
}

int labptp_stamp_set(struct net_device *dev, struct kernel_hwtstamp_config *config, struct netlink_ext_ack *extack)
{
	struct labptp_port *port = netdev_priv(dev);

	config->rx_filter = widen(config->rx_filter);
	port->config = *config;
	return 0;
}

/* The PTP message in a frame that still has its Ethernet header. */
struct labptp_message labptp_message_of(struct sk_buff *skb)
{
	struct labptp_message message = { };

	skb_reset_mac_header(skb);
	message.class = ptp_classify_raw(skb);
	if (message.class == PTP_CLASS_NONE)
		return message;
	message.header = ptp_parse_header(skb, message.class);
	if (message.header)
		message.type = ptp_get_msgtype(message.header, message.class);
	return message;
}

static bool wanted(int filter, const struct labptp_message *message)
{
	bool event = message->header && (message->class & PTP_CLASS_V2) && message->type <= LAST_EVENT_MESSAGE;
	bool l2 = (message->class & PTP_CLASS_PMASK) == PTP_CLASS_L2;

	switch (filter) {
	case HWTSTAMP_FILTER_NONE:
		return false;
	case HWTSTAMP_FILTER_PTP_V2_EVENT:
		return event;
	case HWTSTAMP_FILTER_PTP_V2_L2_EVENT:
		return event && l2;
	case HWTSTAMP_FILTER_PTP_V2_L4_EVENT:
		return event && !l2;
	default:
		return true;
	}
}

/* After the frame has been cleaned of the sender's stamps. The message was found before, and only says its kind. */
void labptp_stamp_received(struct labptp_port *port, struct sk_buff *skb, const struct labptp_message *message, u64 received)
{
	if (!wanted(READ_ONCE(port->config.rx_filter), message))
		return;
	skb_hwtstamps(skb)->hwtstamp = ns_to_ktime(received);
	atomic64_inc(&port->rx_stamps);
}

static bool lose(struct labptp_port *port)
{
	struct labptp_stamp_faults *faults = &port->faults;
	unsigned long flags;
	bool lost = false;

	spin_lock_irqsave(&labptp.lock, flags);
	faults->asked++;
	if (faults->lose_next) {
		faults->lose_next--;
		lost = true;
	} else if (faults->lose_every) {
		lost = faults->asked % faults->lose_every == 0;
	}
	spin_unlock_irqrestore(&labptp.lock, flags);
	return lost;
}

static void deliver(struct labptp_port *port, struct sk_buff *skb, ktime_t sent)
{
	struct skb_shared_hwtstamps stamps = { .hwtstamp = sent };

	skb_tstamp_tx(skb, &stamps);
	atomic64_inc(&port->tx_stamps);
}

/* A stamp that waits remembers in the frame's control block what it says, and from when on it may be seen. */
struct late_stamp {
	u64 sent;
	unsigned long due;
};

static struct late_stamp *late_stamp(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct late_stamp) > sizeof(skb->cb));
	return (struct late_stamp *)skb->cb;
}

void labptp_stamp_late(struct work_struct *work)
{
	struct labptp_port *port = container_of(to_delayed_work(work), struct labptp_port, late_work);
	struct sk_buff *skb;

	while ((skb = skb_peek(&port->late))) {
		unsigned long due = late_stamp(skb)->due;

		if (time_before(jiffies, due)) {
			mod_delayed_work(system_wq, &port->late_work, due - jiffies);
			return;
		}
		skb_unlink(skb, &port->late);
		deliver(port, skb, ns_to_ktime(late_stamp(skb)->sent));
		consume_skb(skb);
	}
}

static void delay(struct labptp_port *port, struct sk_buff *skb, u64 sent, u32 ms)
{
	struct sk_buff *copy = skb_clone_sk(skb);

	if (!copy)
		return;
	*late_stamp(copy) = (struct late_stamp){ .sent = sent, .due = jiffies + msecs_to_jiffies(ms) };
	skb_queue_tail(&port->late, copy);
	queue_delayed_work(system_wq, &port->late_work, msecs_to_jiffies(ms));
}

/* The transmit stamps of a frame that leaves: the software's, and the hardware's where it was asked for. */
void labptp_stamp_sent(struct labptp_port *port, struct sk_buff *skb, u64 sent)
{
	bool hardware = skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP && READ_ONCE(port->config.tx_type) != HWTSTAMP_TX_OFF;
	u32 delay_ms = READ_ONCE(port->faults.delay_ms);

	if (hardware)
		skb_shinfo(skb)->tx_flags |= SKBTX_IN_PROGRESS;
	skb_tx_timestamp(skb);
	if (!hardware)
		return;
	if (lose(port))
		atomic64_inc(&port->tx_stamps_lost);
	else if (delay_ms)
		delay(port, skb, sent, delay_ms);
	else
		deliver(port, skb, ns_to_ktime(sent));
}
