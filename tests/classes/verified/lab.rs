//! What a real kernel showed in the lab: its own drivers on emulated hardware, or modules of ours below its own classes.

use super::{How, Row};

const fn lab(class: &'static str, what: &'static str, test: &'static str) -> Row {
    super::row(class, what, How::Lab, test)
}

/// A row for each thing, with the test of `tests/lab/tests` that asserts it.
pub(super) const LAB: &[Row] = &[
    lab(
        "numa",
        "nodes with CPUs and without, distances, speeds of HMAT, caches before memory, tiers",
        "the_two_socket_server_is_as_described_and_takes_huge_pages",
    ),
    lab(
        "hugepages",
        "pools by node, of 2 MiB and 1 GiB: set, set in part, refused (tune)",
        "the_two_socket_server_is_as_described_and_takes_huge_pages",
    ),
    lab(
        "memory",
        "EDAC counters by label and without a place, joined to the stick",
        "memory_errors_are_counted_on_the_dimm_that_has_them",
    ),
    lab(
        "memory",
        "CXL memory: sizes, serial number, node, DAX device",
        "the_node_with_memory_of_three_kinds_is_as_described",
    ),
    lab(
        "ras",
        "AER: errors by name, and what the port above received",
        "errors_of_pci_express_are_counted_by_name_and_by_the_port_above",
    ),
    lab(
        "ras",
        "corrected machine checks: interval and polls",
        "a_corrected_machine_check_is_polled_and_told",
    ),
    lab(
        "ras",
        "HEST: error sources, and memory that firmware reports as broken",
        "an_error_that_firmware_reports_takes_its_page_out_of_use",
    ),
    lab(
        "ras",
        "failed pages",
        "pages_that_were_taken_out_of_use_are_counted",
    ),
    lab(
        "pci",
        "virtual functions of an igb: made, listed, folded, set back (tune)",
        "the_two_socket_server_is_as_described_and_takes_huge_pages",
    ),
    lab(
        "nic",
        "plugged and unplugged while the agent runs",
        "a_nic_that_is_plugged_is_recorded",
    ),
    lab(
        "nic",
        "DPLLs and pins: inputs, lock, holdover",
        "a_clock_circuit_falls_back_to_the_next_input_and_then_holds_over",
    ),
    lab(
        "nic",
        "carrier, how often it was lost, broken frames",
        "a_pulled_cable_and_broken_frames_are_seen",
    ),
    lab(
        "nic",
        "hardware timestamping, also as ethtool tells it",
        "every_port_is_told_with_its_clock_its_stamps_and_its_pins",
    ),
    lab(
        "ptp_clock",
        "clocks of igb and e1000e",
        "the_two_socket_server_is_as_described_and_takes_huge_pages",
    ),
    lab(
        "ptp_clock",
        "pins, channels, cross-timestamping, ports that share a clock",
        "every_port_is_told_with_its_clock_its_stamps_and_its_pins",
    ),
    lab(
        "storage",
        "NVMe drives plugged and unplugged while the agent runs",
        "a_drive_that_is_plugged_is_recorded",
    ),
    lab(
        "storage",
        "critical warnings of NVMe's SMART log",
        "a_drive_that_warns_is_told_in_a_deep_look",
    ),
    lab(
        "storage",
        "errors of a SCSI disk",
        "a_disk_with_bad_sectors_has_its_errors_counted",
    ),
    lab(
        "fpga",
        "managers, bridges, regions: states and faults of programming (classes of our own module)",
        "an_fpga_that_could_not_be_programmed_says_which_step_failed",
    ),
    lab(
        "crypto",
        "virtio-crypto, hwrng",
        "the_telco_edge_node_is_as_described",
    ),
    lab(
        "sensor",
        "channels of hwmon beyond their limits, broken and unreadable ones",
        "a_sensor_beyond_its_limit_raises_its_alarm_and_a_broken_one_hides_no_other",
    ),
    lab(
        "sensor",
        "thermal zones: trip points, and what cools them",
        "a_hot_thermal_zone_is_told_with_its_trips_and_what_cools_it",
    ),
    lab(
        "tpm",
        "version 2.0: driver, banks, number of registers",
        "the_telco_edge_node_is_as_described",
    ),
    lab(
        "watchdog",
        "a timer that is started and expires",
        "a_watchdog_that_nobody_feeds_is_active_and_expires",
    ),
    lab(
        "bmc",
        "KCS, BT, SSIF, on PCI; the BMC's own words against ipmitool's",
        "every_interface_leads_to_a_bmc",
    ),
    lab(
        "bmc",
        "a BMC that is a program (ipmi_sim)",
        "a_program_that_acts_as_a_bmc_is_told_as_it_describes_itself",
    ),
];
