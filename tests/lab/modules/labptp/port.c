// SPDX-License-Identifier: GPL-2.0
/*
 * A port: a network device whose link is up while the cable is plugged and both of its ends are open.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/module.h>

#include "labptp.h"

/* Tells both ends of a cable. */
void labptp_port_link(struct labptp_port *port)
{
	struct labptp_port *peer = port->peer;

	if (port->plugged && netif_running(port->dev) && netif_running(peer->dev)) {
		netif_carrier_on(port->dev);
		netif_carrier_on(peer->dev);
	} else {
		netif_carrier_off(port->dev);
		netif_carrier_off(peer->dev);
	}
}

static int port_open(struct net_device *dev)
{
	netif_start_queue(dev);
	labptp_port_link(netdev_priv(dev));
	return 0;
}

static int port_stop(struct net_device *dev)
{
	struct labptp_port *port = netdev_priv(dev);

	netif_stop_queue(dev);
	netif_carrier_off(dev);
	netif_carrier_off(port->peer->dev);
	cancel_delayed_work_sync(&port->late_work);
	skb_queue_purge(&port->late);
	return 0;
}

static void port_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct labptp_port *port = netdev_priv(dev);

	stats->tx_packets = atomic64_read(&port->tx_packets);
	stats->tx_bytes = atomic64_read(&port->tx_bytes);
	stats->rx_packets = atomic64_read(&port->rx_packets);
	stats->rx_bytes = atomic64_read(&port->rx_bytes);
	stats->rx_dropped = atomic64_read(&port->rx_dropped);
	stats->rx_crc_errors = atomic64_read(&port->rx_crc_errors);
	stats->rx_errors = stats->rx_crc_errors;
}

static const struct net_device_ops port_ops = {
	.ndo_open		= port_open,
	.ndo_stop		= port_stop,
	.ndo_start_xmit		= labptp_wire_xmit,
	.ndo_get_stats64	= port_stats,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_hwtstamp_get	= labptp_stamp_get,
	.ndo_hwtstamp_set	= labptp_stamp_set,
};

struct labptp_port *labptp_port_alloc(struct device *parent, unsigned int index, struct labptp_clock *clock, u64 seed)
{
	/* Locally administered, and the same in every run. */
	u8 address[ETH_ALEN] = { 0x02, 0x6c, 0x61, 0x62, 0x00, index };
	struct net_device *dev = alloc_etherdev(sizeof(struct labptp_port));
	struct labptp_port *port;

	if (!dev)
		return NULL;
	SET_NETDEV_DEV(dev, parent);
	snprintf(dev->name, sizeof(dev->name), "lptp%u", index);
	dev->dev_port = index;
	dev->netdev_ops = &port_ops;
	dev->ethtool_ops = &labptp_ethtool_ops;
	eth_hw_addr_set(dev, address);
	netif_carrier_off(dev);

	port = netdev_priv(dev);
	port->index = index;
	port->dev = dev;
	port->clock = clock;
	port->speed = SPEED_10000;
	port->plugged = true;
	port->wire.delay_ns = 5000;
	prandom_seed_state(&port->random, seed);
	skb_queue_head_init(&port->late);
	INIT_DELAYED_WORK(&port->late_work, labptp_stamp_late);
	return port;
}
