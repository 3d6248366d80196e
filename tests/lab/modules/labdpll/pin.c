// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel asks of an input, and sets on it.
 */
#include "labdpll.h"

static int frequency_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			 u64 *frequency, struct netlink_ext_ack *extack)
{
	*frequency = ((struct labdpll_pin *)data)->frequency;
	return 0;
}

/* The subsystem lets through what the pin's properties list. */
static int frequency_set(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			 const u64 frequency, struct netlink_ext_ack *extack)
{
	((struct labdpll_pin *)data)->frequency = frequency;
	return 0;
}

static int direction_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			 enum dpll_pin_direction *direction, struct netlink_ext_ack *extack)
{
	*direction = DPLL_PIN_DIRECTION_INPUT;
	return 0;
}

static int state_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *of,
		     enum dpll_pin_state *state, struct netlink_ext_ack *extack)
{
	const struct labdpll_circuit *circuit = of;
	const struct labdpll_pin *input = data;

	mutex_lock(&labdpll.lock);
	if (circuit->source == input)
		*state = DPLL_PIN_STATE_CONNECTED;
	else if (input->connected[circuit->index])
		*state = DPLL_PIN_STATE_SELECTABLE;
	else
		*state = DPLL_PIN_STATE_DISCONNECTED;
	mutex_unlock(&labdpll.lock);
	return 0;
}

static int state_set(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *of,
		     const enum dpll_pin_state state, struct netlink_ext_ack *extack)
{
	const struct labdpll_circuit *circuit = of;
	struct labdpll_pin *input = data;

	if (state == DPLL_PIN_STATE_CONNECTED) {
		NL_SET_ERR_MSG(extack, "the circuit connects by itself the best input that is selectable");
		return -EINVAL;
	}
	mutex_lock(&labdpll.lock);
	input->connected[circuit->index] = state == DPLL_PIN_STATE_SELECTABLE;
	labdpll_choose();
	mutex_unlock(&labdpll.lock);
	return 0;
}

static int prio_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit, u32 *prio,
		    struct netlink_ext_ack *extack)
{
	*prio = ((struct labdpll_pin *)data)->prio[((struct labdpll_circuit *)circuit)->index];
	return 0;
}

static int prio_set(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit, const u32 prio,
		    struct netlink_ext_ack *extack)
{
	mutex_lock(&labdpll.lock);
	((struct labdpll_pin *)data)->prio[((struct labdpll_circuit *)circuit)->index] = prio;
	labdpll_choose();
	mutex_unlock(&labdpll.lock);
	return 0;
}

static int phase_offset_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			    s64 *offset, struct netlink_ext_ack *extack)
{
	*offset = ((struct labdpll_pin *)data)->phase_offset;
	return 0;
}

static int phase_adjust_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			    s32 *adjust, struct netlink_ext_ack *extack)
{
	*adjust = ((struct labdpll_pin *)data)->phase_adjust;
	return 0;
}

static int phase_adjust_set(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit,
			    const s32 adjust, struct netlink_ext_ack *extack)
{
	((struct labdpll_pin *)data)->phase_adjust = adjust;
	return 0;
}

static int ffo_get(const struct dpll_pin *pin, void *data, const struct dpll_device *dpll, void *circuit, s64 *ffo,
		   struct netlink_ext_ack *extack)
{
	*ffo = ((struct labdpll_pin *)data)->ffo;
	return 0;
}

const struct dpll_pin_ops labdpll_pin_ops = {
	.frequency_get		= frequency_get,
	.frequency_set		= frequency_set,
	.direction_get		= direction_get,
	.state_on_dpll_get	= state_get,
	.state_on_dpll_set	= state_set,
	.prio_get		= prio_get,
	.prio_set		= prio_set,
	.phase_offset_get	= phase_offset_get,
	.phase_adjust_get	= phase_adjust_get,
	.phase_adjust_set	= phase_adjust_set,
	.ffo_get		= ffo_get,
};
