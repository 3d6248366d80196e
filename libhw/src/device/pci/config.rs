//! What config space tells: the capabilities of a function (PCI Local Bus Specification 3.0 §6.7, PCI
//! Express Base Specification §7.6).
//!
//! Each byte that is read here costs microseconds and reaches the device, so the smallest slice is read
//! that answers, and only a deep look comes here.

use std::collections::BTreeSet;

use crate::device::pci::Deep;
use crate::device::pci::attributes::Attributes;
use crate::error::Error;

/// What config space tells; `None` where there is none to read.
pub(super) fn read(attributes: &Attributes<'_>) -> Option<Deep> {
    if !attributes.has("config") {
        return None;
    }
    let mut space = Space {
        attributes,
        bytes: Vec::new(),
        ended: false,
    };
    let header = space.upto(HEADER)?;
    if header.iter().take(8).all(|byte| *byte == 0xff) {
        space.report("the device does not answer: config space reads all ones");
        return None;
    }
    let mut deep = Deep::default();
    let express = capabilities(&mut space, &mut deep);
    if express {
        extended_capabilities(&mut space, &mut deep);
    }
    Some(deep)
}

/// Walks the list of capabilities; whether there is a PCI Express one.
fn capabilities(space: &mut Space<'_, '_>, deep: &mut Deep) -> bool {
    let listed = space.byte(STATUS).unwrap_or_default() & STATUS_LIST != 0;
    let cardbus = space.byte(HEADER_TYPE).unwrap_or_default() & 0x7f == 2;
    let first = space.byte(if cardbus { CARDBUS_LIST } else { LIST });
    let mut at = usize::from(first.unwrap_or_default()) & !3;
    if !listed || at == 0 {
        return false;
    }
    if space.upto(CONVENTIONAL).is_none() {
        return false;
    }
    let (mut seen, mut express) = (BTreeSet::new(), false);
    while at != 0 {
        if at < HEADER || !seen.insert(at) {
            space.report("the list of capabilities does not end");
            return express;
        }
        let (Some(id), Some(next)) = (space.byte(at), space.byte(at + 1)) else {
            space.cut();
            return express;
        };
        deep.capabilities.push(name(CAPABILITIES, u16::from(id)));
        if id == EXPRESS {
            express = true;
            deep.port_type = space.byte(at + 2).map(|flags| port_type(flags >> 4));
        }
        at = usize::from(next) & !3;
    }
    express
}

/// Walks the list of extended capabilities, which starts behind conventional config space.
fn extended_capabilities(space: &mut Space<'_, '_>, deep: &mut Deep) {
    let (mut at, mut seen) = (CONVENTIONAL, BTreeSet::new());
    while at != 0 {
        if at < CONVENTIONAL || !seen.insert(at) {
            space.report("the list of extended capabilities does not end");
            return;
        }
        let Some(header) = space.word(at) else {
            // Without a window to it, config space ends here, and there is no list.
            if at != CONVENTIONAL {
                space.cut();
            }
            return;
        };
        if header == 0 || header == u32::MAX {
            return;
        }
        let [id_low, id_high, ..] = header.to_le_bytes();
        let id = u16::from_le_bytes([id_low, id_high]);
        deep.extended_capabilities.push(name(EXTENDED, id));
        if id == SERIAL {
            deep.serial = serial(space.word(at + 4), space.word(at + 8));
        }
        at = usize::try_from(header >> 20).unwrap_or_default() & !3;
    }
}

/// Config space as far as it was read.
struct Space<'a, 'b> {
    attributes: &'a Attributes<'b>,
    bytes: Vec<u8>,
    /// Asking for more brings no more.
    ended: bool,
}

impl Space<'_, '_> {
    /// The first `length` bytes, or as many as there are; `None` where they cannot be read.
    fn upto(&mut self, length: usize) -> Option<&[u8]> {
        if self.bytes.len() < length && !self.ended {
            let survey = self.attributes.survey;
            let path = self.attributes.path("config");
            let bytes = survey.keep(survey.root().slow_bytes(&path, length));
            self.ended = bytes.as_ref().is_none_or(|bytes| bytes.len() < length);
            self.bytes = bytes.unwrap_or_default();
        }
        (!self.bytes.is_empty()).then_some(&self.bytes)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The 32 bits at `at`; reads on where they are beyond what was read, twice as far each time.
    fn word(&mut self, at: usize) -> Option<u32> {
        let end = at.checked_add(4).filter(|end| *end <= WHOLE)?;
        if self.bytes.len() < end {
            self.upto(end.next_power_of_two());
        }
        let word = self.bytes.get(at..end)?;
        Some(u32::from_le_bytes(word.try_into().ok()?))
    }

    /// Keeps as a problem that config space ends within a list.
    fn cut(&self) {
        let path = format!("/{}", self.attributes.path("config"));
        // Who may not see the rest gets the header: 64 bytes, of CardBus bridges 128.
        let survey = self.attributes.survey;
        if matches!(self.bytes.len(), HEADER | CARDBUS_HEADER) {
            survey.report(Error::Denied { path });
        } else {
            let text = format!("{} bytes", self.bytes.len());
            survey.report(Error::malformed(&path, "a whole config space", &text));
        }
    }

    fn report(&self, why: &'static str) {
        self.attributes.survey.report(Error::Read {
            path: format!("/{}", self.attributes.path("config")),
            source: std::io::Error::other(why),
        });
    }
}

fn name(names: &[(u16, &str)], id: u16) -> String {
    let known = names.iter().find(|(known, _)| *known == id);
    known.map_or_else(
        || format!("unknown_{id:02x}"),
        |(_, name)| (*name).to_owned(),
    )
}

/// Upper half first, as the number is written on the device.
fn serial(low: Option<u32>, high: Option<u32>) -> Option<String> {
    let [a, b, c, d] = high?.to_be_bytes();
    let [e, f, g, h] = low?.to_be_bytes();
    let digits = [a, b, c, d, e, f, g, h].map(|byte| format!("{byte:02x}"));
    Some(digits.join("-"))
}

/// PCI Express Base Specification §7.5.3.2.
fn port_type(number: u8) -> String {
    let name = match number {
        0x0 => "endpoint",
        0x1 => "legacy_endpoint",
        0x4 => "root_port",
        0x5 => "upstream_port",
        0x6 => "downstream_port",
        0x7 => "pci_express_to_pci_bridge",
        0x8 => "pci_to_pci_express_bridge",
        0x9 => "root_complex_integrated_endpoint",
        0xa => "root_complex_event_collector",
        _ => return format!("unknown_{number:x}"),
    };
    name.to_owned()
}

const HEADER: usize = 64;
const CARDBUS_HEADER: usize = 128;
const CONVENTIONAL: usize = 256;
const WHOLE: usize = 4096;

const STATUS: usize = 0x06;
const STATUS_LIST: u8 = 0x10;
const HEADER_TYPE: usize = 0x0e;
const LIST: usize = 0x34;
const CARDBUS_LIST: usize = 0x14;

const EXPRESS: u8 = 0x10;
const SERIAL: u16 = 0x0003;

/// PCI Code and ID Assignment Specification §2.
const CAPABILITIES: &[(u16, &str)] = &[
    (0x00, "null"),
    (0x01, "power_management"),
    (0x02, "agp"),
    (0x03, "vital_product_data"),
    (0x04, "slot_identification"),
    (0x05, "msi"),
    (0x06, "compact_pci_hot_swap"),
    (0x07, "pci_x"),
    (0x08, "hyper_transport"),
    (0x09, "vendor_specific"),
    (0x0a, "debug_port"),
    (0x0b, "compact_pci_resource_control"),
    (0x0c, "hot_plug"),
    (0x0d, "bridge_subsystem_id"),
    (0x0e, "agp_8x"),
    (0x0f, "secure_device"),
    (0x10, "pci_express"),
    (0x11, "msi_x"),
    (0x12, "sata"),
    (0x13, "advanced_features"),
    (0x14, "enhanced_allocation"),
    (0x15, "flattening_portal_bridge"),
];

/// PCI Code and ID Assignment Specification §3.
const EXTENDED: &[(u16, &str)] = &[
    (0x0000, "null"),
    (0x0001, "advanced_error_reporting"),
    (0x0002, "virtual_channel"),
    (0x0003, "device_serial_number"),
    (0x0004, "power_budgeting"),
    (0x0005, "root_complex_link_declaration"),
    (0x0006, "root_complex_internal_link_control"),
    (0x0007, "root_complex_event_collector_association"),
    (0x0008, "multi_function_virtual_channel"),
    (0x0009, "virtual_channel_with_mfvc"),
    (0x000a, "root_complex_register_block"),
    (0x000b, "vendor_specific"),
    (0x000c, "configuration_access_correlation"),
    (0x000d, "access_control_services"),
    (0x000e, "alternative_routing_id"),
    (0x000f, "address_translation_services"),
    (0x0010, "sr_iov"),
    (0x0011, "mr_iov"),
    (0x0012, "multicast"),
    (0x0013, "page_request_interface"),
    (0x0014, "amd_reserved"),
    (0x0015, "resizable_bar"),
    (0x0016, "dynamic_power_allocation"),
    (0x0017, "tph_requester"),
    (0x0018, "latency_tolerance_reporting"),
    (0x0019, "secondary_pci_express"),
    (0x001a, "protocol_multiplexing"),
    (0x001b, "process_address_space_id"),
    (0x001c, "lightweight_notification_requester"),
    (0x001d, "downstream_port_containment"),
    (0x001e, "l1_pm_substates"),
    (0x001f, "precision_time_measurement"),
    (0x0020, "pci_express_over_m_phy"),
    (0x0021, "frs_queueing"),
    (0x0022, "readiness_time_reporting"),
    (0x0023, "designated_vendor_specific"),
    (0x0024, "vf_resizable_bar"),
    (0x0025, "data_link_feature"),
    (0x0026, "physical_layer_16gt"),
    (0x0027, "lane_margining_at_receiver"),
    (0x0028, "hierarchy_id"),
    (0x0029, "native_pci_express_enclosure_management"),
    (0x002a, "physical_layer_32gt"),
    (0x002b, "alternate_protocol"),
    (0x002c, "system_firmware_intermediary"),
    (0x002d, "shadow_functions"),
    (0x002e, "data_object_exchange"),
    (0x002f, "device_3"),
    (0x0030, "integrity_and_data_encryption"),
    (0x0031, "physical_layer_64gt"),
    (0x0032, "flit_logging"),
    (0x0033, "flit_performance_measurement"),
    (0x0034, "flit_error_injection"),
];

#[cfg(test)]
mod tests;
