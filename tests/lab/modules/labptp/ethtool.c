// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool tells of a port, and the one thing that it sets: the speed.
 */
#include <linux/ethtool.h>
#include <linux/module.h>

#include "labptp.h"

static const char statistics[][ETH_GSTRING_LEN] = {
	"tx_hwtstamp",
	"tx_hwtstamp_lost",
	"rx_hwtstamp",
	"tx_onestep_sync",
	"tx_onestep_pdelay_resp",
	"tx_onestep_errors",
	"rx_crc_errors",
};

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "labptp", sizeof(info->driver));
	strscpy(info->version, "1", sizeof(info->version));
	strscpy(info->fw_version, "lab", sizeof(info->fw_version));
	strscpy(info->bus_info, dev_name(dev->dev.parent), sizeof(info->bus_info));
}

static int get_ts_info(struct net_device *dev, struct kernel_ethtool_ts_info *info)
{
	struct labptp_port *port = netdev_priv(dev);

	info->so_timestamping = SOF_TIMESTAMPING_SOFTWARE_MASK | SOF_TIMESTAMPING_HARDWARE_MASK;
	info->phc_index = ptp_clock_index(port->clock->ptp);
	info->tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON) | BIT(HWTSTAMP_TX_ONESTEP_SYNC) |
			 BIT(HWTSTAMP_TX_ONESTEP_P2P);
	info->rx_filters = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_ALL) | BIT(HWTSTAMP_FILTER_PTP_V2_EVENT) |
			   BIT(HWTSTAMP_FILTER_PTP_V2_L2_EVENT) | BIT(HWTSTAMP_FILTER_PTP_V2_L4_EVENT);
	return 0;
}

static void get_ts_stats(struct net_device *dev, struct ethtool_ts_stats *stats)
{
	struct labptp_port *port = netdev_priv(dev);

	stats->pkts = atomic64_read(&port->tx_stamps);
	stats->lost = atomic64_read(&port->tx_stamps_lost);
	stats->err = atomic64_read(&port->onestep_errors);
}

static int get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	struct labptp_port *port = netdev_priv(dev);

	ethtool_link_ksettings_zero_link_mode(settings, supported);
	ethtool_link_ksettings_add_link_mode(settings, supported, FIBRE);
	ethtool_link_ksettings_add_link_mode(settings, supported, 1000baseX_Full);
	ethtool_link_ksettings_add_link_mode(settings, supported, 10000baseSR_Full);
	ethtool_link_ksettings_add_link_mode(settings, supported, 25000baseSR_Full);
	settings->base.port = PORT_FIBRE;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.speed = netif_carrier_ok(dev) ? port->speed : SPEED_UNKNOWN;
	settings->base.duplex = netif_carrier_ok(dev) ? DUPLEX_FULL : DUPLEX_UNKNOWN;
	return 0;
}

static int set_link_ksettings(struct net_device *dev, const struct ethtool_link_ksettings *settings)
{
	struct labptp_port *port = netdev_priv(dev);
	u32 speed = settings->base.speed;

	if (settings->base.autoneg == AUTONEG_ENABLE)
		return -EOPNOTSUPP;
	if (speed != SPEED_1000 && speed != SPEED_10000 && speed != SPEED_25000)
		return -EINVAL;
	port->speed = speed;
	port->peer->speed = speed;
	return 0;
}

static int get_sset_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? ARRAY_SIZE(statistics) : -EOPNOTSUPP;
}

static void get_strings(struct net_device *dev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		memcpy(data, statistics, sizeof(statistics));
}

static void get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct labptp_port *port = netdev_priv(dev);
	const atomic64_t *const values[] = {
		&port->tx_stamps, &port->tx_stamps_lost, &port->rx_stamps, &port->onestep_sync,
		&port->onestep_pdelay, &port->onestep_errors, &port->rx_crc_errors,
	};
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(values) != ARRAY_SIZE(statistics));
	for (i = 0; i < ARRAY_SIZE(values); i++)
		data[i] = atomic64_read(values[i]);
}

const struct ethtool_ops labptp_ethtool_ops = {
	.get_drvinfo		= get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= get_ts_info,
	.get_ts_stats		= get_ts_stats,
	.get_link_ksettings	= get_link_ksettings,
	.set_link_ksettings	= set_link_ksettings,
	.get_sset_count		= get_sset_count,
	.get_strings		= get_strings,
	.get_ethtool_stats	= get_ethtool_stats,
};
