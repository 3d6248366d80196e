// SPDX-License-Identifier: GPL-2.0
/*
 * The wire: a frame that leaves one port arrives at the other. It is handed over at once, but stamped with the time at
 * which it would have arrived, so that the delay is exact.
 */
#include <linux/etherdevice.h>
#include <linux/timekeeping.h>

#include "labptp.h"

static bool chance(struct labptp_port *port, u32 percent)
{
	return percent && prandom_u32_state(&port->random) % 100 < percent;
}

/* Both stamps of a frame that leaves now, from one reading of the raw time. */
static struct labptp_passage pass(struct labptp_port *port)
{
	const struct labptp_wire *wire = &port->wire;
	u32 jitter = READ_ONCE(wire->jitter_ns);
	struct labptp_passage passage;
	unsigned long flags;
	u64 raw, delay;

	spin_lock_irqsave(&labptp.lock, flags);
	raw = ktime_get_raw_ns();
	delay = READ_ONCE(wire->delay_ns);
	if (jitter)
		delay += prandom_u32_state(&port->random) % ((u64)jitter + 1);
	passage.lost = chance(port, READ_ONCE(wire->loss_percent));
	passage.corrupt = chance(port, READ_ONCE(wire->corrupt_percent));
	passage.sent = labptp_clock_to(port->clock, raw);
	labptp_clock_to(port->peer->clock, raw);
	passage.received = labptp_clock_at(port->peer->clock, raw + delay);
	spin_unlock_irqrestore(&labptp.lock, flags);
	return passage;
}

static void receive(struct labptp_port *port, struct sk_buff *skb, const struct labptp_passage *passage)
{
	struct labptp_message message = labptp_message_of(skb);
	unsigned int length = skb->len;

	if (passage->corrupt) {
		atomic64_inc(&port->rx_crc_errors);
		kfree_skb(skb);
		return;
	}
	labptp_onestep_receive(port, &message, passage->received);
	if (__dev_forward_skb(port->dev, skb)) {
		atomic64_inc(&port->rx_dropped);
		kfree_skb(skb);
		return;
	}
	labptp_stamp_received(port, skb, &message, passage->received);
	atomic64_inc(&port->rx_packets);
	atomic64_add(length, &port->rx_bytes);
	netif_rx(skb);
}

netdev_tx_t labptp_wire_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct labptp_port *port = netdev_priv(dev);
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);
	struct labptp_passage passage = pass(port);
	struct labptp_message message;
	bool onestep = false;

	atomic64_inc(&port->tx_packets);
	atomic64_add(skb->len, &port->tx_bytes);
	if (copy) {
		message = labptp_message_of(copy);
		onestep = labptp_onestep_send(port, &message, passage.sent);
	}
	if (!onestep)
		labptp_stamp_sent(port, skb, passage.sent);
	consume_skb(skb);

	if (copy && !passage.lost && netif_running(port->peer->dev))
		receive(port->peer, copy, &passage);
	else
		kfree_skb(copy);
	return NETDEV_TX_OK;
}
