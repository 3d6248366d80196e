// SPDX-License-Identifier: GPL-2.0
/*
 * One-step messages: the port writes the time into the frame while it leaves. A Sync gets its originTimestamp, a
 * Pdelay_Resp has the time that passed since its Pdelay_Req added to its correctionField (IEEE 1588-2019 §9.5.9.3, §11.4.2).
 */
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/checksum.h>

#include "labptp.h"

#define SYNC			0
#define PDELAY_REQ		2
#define PDELAY_RESP		3
#define TWO_STEP_FLAG		0x02	/* of flag_field[0] */

/* What follows the header in a Sync. */
struct origin_timestamp {
	__be16 seconds_high;
	__be32 seconds_low;
	__be32 nanoseconds;
} __packed;

/* What follows the header in a Pdelay_Resp. */
struct pdelay_resp {
	struct origin_timestamp request_receipt;
	struct port_identity requesting;
} __packed;

/* Is there as much behind the header as the message says, and the message needs? */
static bool has_body(const struct labptp_message *message, size_t size)
{
	return be16_to_cpu(message->header->message_length) >= sizeof(struct ptp_header) + size;
}

/* Writes a field of even length at an even place, and keeps the checksum of UDP right. */
static void put(const struct labptp_message *message, void *field, const void *value, size_t size)
{
	struct udphdr *udp = NULL;
	size_t at;

	if ((message->class & PTP_CLASS_PMASK) != PTP_CLASS_L2)
		udp = (struct udphdr *)message->header - 1;
	for (at = 0; at < size; at += 2) {
		__be16 old, new;

		memcpy(&old, field + at, 2);
		memcpy(&new, value + at, 2);
		memcpy(field + at, &new, 2);
		if (udp && udp->check) {
			csum_replace2(&udp->check, old, new);
			if (!udp->check)
				udp->check = CSUM_MANGLED_0;
		}
	}
}

static void put_origin(const struct labptp_message *message, u64 sent)
{
	u32 nanoseconds;
	u64 seconds = div_u64_rem(sent, NSEC_PER_SEC, &nanoseconds);
	struct origin_timestamp origin = {
		.seconds_high = cpu_to_be16(seconds >> 32),
		.seconds_low = cpu_to_be32(seconds),
		.nanoseconds = cpu_to_be32(nanoseconds),
	};

	put(message, message->header + 1, &origin, sizeof(origin));
}

static bool put_turnaround(struct labptp_port *port, const struct labptp_message *message, u64 sent)
{
	const struct pdelay_resp *body = (void *)(message->header + 1);
	struct labptp_request *request;
	unsigned long flags;
	bool found = false;
	u64 arrived = 0;
	__be64 correction;

	spin_lock_irqsave(&labptp.lock, flags);
	for (request = port->requests; request < port->requests + LABPTP_REQUESTS; request++) {
		if (request->arrived && request->sequence_id == message->header->sequence_id &&
		    !memcmp(&request->from, &body->requesting, sizeof(request->from))) {
			arrived = request->arrived;
			found = true;
		}
	}
	spin_unlock_irqrestore(&labptp.lock, flags);
	if (!found)
		return false;
	correction = cpu_to_be64(get_unaligned_be64(&message->header->correction) + ((sent - arrived) << 16));
	put(message, &message->header->correction, &correction, sizeof(correction));
	return true;
}

/* Completes a one-step message; false: the frame is none, and is stamped like any other. */
bool labptp_onestep_send(struct labptp_port *port, const struct labptp_message *message, u64 sent)
{
	int type = READ_ONCE(port->config.tx_type);

	if (!message->header || !(message->class & PTP_CLASS_V2) || message->header->flag_field[0] & TWO_STEP_FLAG)
		return false;
	if (message->type == SYNC && (type == HWTSTAMP_TX_ONESTEP_SYNC || type == HWTSTAMP_TX_ONESTEP_P2P) &&
	    has_body(message, sizeof(struct origin_timestamp))) {
		put_origin(message, sent);
		atomic64_inc(&port->onestep_sync);
		return true;
	}
	if (message->type == PDELAY_RESP && type == HWTSTAMP_TX_ONESTEP_P2P && has_body(message, sizeof(struct pdelay_resp))) {
		atomic64_inc(put_turnaround(port, message, sent) ? &port->onestep_pdelay : &port->onestep_errors);
		return true;
	}
	return false;
}

/* Remembers when a Pdelay_Req arrived. */
void labptp_onestep_receive(struct labptp_port *port, const struct labptp_message *message, u64 received)
{
	struct labptp_request *request;
	unsigned long flags;

	if (!message->header || !(message->class & PTP_CLASS_V2) || message->type != PDELAY_REQ)
		return;
	spin_lock_irqsave(&labptp.lock, flags);
	request = &port->requests[port->next_request++ % LABPTP_REQUESTS];
	request->from = message->header->source_port_identity;
	request->sequence_id = message->header->sequence_id;
	request->arrived = received;
	spin_unlock_irqrestore(&labptp.lock, flags);
}
