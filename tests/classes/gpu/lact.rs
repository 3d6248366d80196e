//! Captured cards, value by value against the answer of LACT's daemon. What LACT tells of its own settings (overclocking
//! tables, power profiles, the fan curve) is no part of an inventory and is left out.

use libhw::device::gpu::{Adapter, AdapterVendor, ClockDomain};
use libhw::inventory::{Class, Inventory};
use serde_json::Value;
use support::cards::{Card, cards};

use crate::replayed;

/// The one adapter of a card's tree.
fn adapter(inventory: &Inventory) -> &Adapter {
    let adapters = &inventory.gpu.as_ref().expect("the class").adapters;
    assert_eq!(adapters.len(), 1, "{adapters:#?}");
    &adapters[0]
}

/// A value of LACT's answer, by the keys on the way to it; null is none.
fn told<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    let value = path
        .split('.')
        .try_fold(answer, |value, key| value.get(key))?;
    (!value.is_null()).then_some(value)
}

/// A number of LACT's in thousandths.
fn milli(value: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded")]
    let milli = (value.as_f64().expect("a number") * 1000.0).round() as i64;
    milli
}

/// Compares what LACT tells with what we do: a number that LACT has we have too, and it is the same.
struct Compared<'a> {
    card: &'a Card,
    count: usize,
}

impl Compared<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        path: &str,
        ours: Option<T>,
        theirs: impl Fn(&Value) -> T,
    ) {
        if let Some(value) = told(&self.card.answer, path) {
            assert_eq!(ours, Some(theirs(value)), "{}: {path}", self.card.name);
            self.count += 1;
        }
    }

    fn number(&mut self, path: &str, ours: Option<u64>) {
        self.same(path, ours, |value| value.as_u64().expect("a number"));
    }

    /// Ours in thousandths of theirs.
    fn thousandths(&mut self, path: &str, ours: Option<i64>) {
        self.same(path, ours, milli);
    }

    fn text(&mut self, path: &str, ours: Option<&str>) {
        self.same(path, ours.map(str::to_owned), |value| {
            value.as_str().expect("a text").to_owned()
        });
    }
}

#[test]
fn every_captured_card_says_what_lact_says() {
    let Some(cards) = cards() else { return };
    for card in &cards {
        let inventory = replayed(card.tree.path(), &[Class::Gpu, Class::Pci]);
        let adapter = adapter(&inventory);
        let mut compared = Compared { card, count: 0 };
        identity(&mut compared, adapter);
        link(&mut compared, &inventory, adapter);
        sensors(&mut compared, adapter);
        clocks(&mut compared, adapter);
        eprintln!("{}: {} values agree with LACT", card.name, compared.count);
        assert!(compared.count >= 10, "{}: {}", card.name, compared.count);
        assert_eq!(inventory.problems, [], "{}", card.name);
    }
}

fn identity(compared: &mut Compared<'_>, adapter: &Adapter) {
    assert_eq!(adapter.function.as_ref(), Some(&compared.card.address));
    compared.text("info.driver", adapter.driver.as_deref());
    compared.text("info.vbios_version", adapter.vbios.as_deref());
    let ids = "info.pci_info.device_pci_info";
    let subsystem = "info.pci_info.subsystem_pci_info";
    for (path, ours) in [
        (format!("{ids}.vendor_id"), adapter.vendor_id),
        (format!("{ids}.model_id"), adapter.device_id),
        (
            format!("{subsystem}.vendor_id"),
            adapter.subsystem_vendor_id,
        ),
        (format!("{subsystem}.model_id"), adapter.subsystem_device_id),
    ] {
        compared.text(&path, ours.map(|id| format!("{id:04X}")).as_deref());
    }
    let vendor = match adapter.vendor_id {
        Some(0x1002) => AdapterVendor::Amd,
        _ => AdapterVendor::Intel,
    };
    assert_eq!(adapter.vendor, vendor);
    let memory = adapter.memory.as_ref();
    compared.number(
        "stats.vram.total",
        memory
            .and_then(|memory| memory.vram_bytes)
            .map(|bytes| bytes.0),
    );
    compared.number(
        "stats.vram.used",
        adapter.now.vram_used_bytes.map(|bytes| bytes.0),
    );
    compared.number("stats.busy_percent", adapter.now.busy.compute_percent);
    let amd = adapter.amd.as_ref();
    compared.text(
        "stats.performance_level",
        amd.and_then(|amd| amd.now.performance_level.as_deref()),
    );
}

/// The link is the PCI function's.
fn link(compared: &mut Compared<'_>, inventory: &Inventory, adapter: &Adapter) {
    let functions = &inventory.pci.as_ref().expect("the class").functions;
    let function = functions
        .iter()
        .find(|function| Some(&function.id) == adapter.function.as_ref());
    let function = function.expect("the adapter's function");
    for (word, link) in [("current", function.now.link), ("max", function.link_max)] {
        let speed = link.and_then(|link| link.speed_mtps);
        compared.same(&format!("info.link_info.{word}_speed"), speed, |text| {
            let text = text.as_str().expect("a speed");
            let number: f64 = text
                .split(' ')
                .next()
                .and_then(|word| word.parse().ok())
                .expect("a number");
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rounded"
            )]
            let mtps = (number * 1000.0).round() as u32;
            mtps
        });
        let width = link
            .and_then(|link| link.width)
            .map(|width| width.to_string());
        compared.text(&format!("info.link_info.{word}_width"), width.as_deref());
    }
}

fn sensors(compared: &mut Compared<'_>, adapter: &Adapter) {
    let now = &adapter.now;
    for (id, theirs) in told(&compared.card.answer, "stats.temps")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let ours = now.temperatures.iter().find(|sensor| sensor.id == *id);
        let ours = ours.unwrap_or_else(|| panic!("{}: no temperature {id}", compared.card.name));
        // LACT cuts what it takes from gpu_metrics to whole degrees.
        let whole = |value: i64| value / 1000 * 1000;
        assert_eq!(
            ours.value_millicelsius.map(whole),
            theirs.get("current").map(milli).map(whole),
            "{id}"
        );
        compared.thousandths(
            &format!("stats.temps.{id}.crit"),
            ours.critical_millicelsius,
        );
        compared.thousandths(
            &format!("stats.temps.{id}.crit_hyst"),
            ours.critical_hysteresis_millicelsius,
        );
        compared.count += 1;
    }
    power(compared, adapter);
    let fan = now.fans.first();
    compared.number("stats.fan.speed_current", fan.and_then(|fan| fan.speed_rpm));
    compared.number("stats.fan.speed_min", fan.and_then(|fan| fan.min_rpm));
    compared.number("stats.fan.speed_max", fan.and_then(|fan| fan.max_rpm));
    compared.number("stats.fan.pwm_current", fan.and_then(|fan| fan.pwm));
    // Of the newest generation LACT works these two out from the firmware's fan curve.
    if told(&compared.card.answer, "stats.fan.pmfw_info.minimum_pwm").is_none() {
        compared.number("stats.fan.pwm_min", fan.and_then(|fan| fan.pwm_min));
        compared.number("stats.fan.pwm_max", fan.and_then(|fan| fan.pwm_max));
    }
    let voltage = |ids: &[&str]| {
        let sensor = now
            .voltages
            .iter()
            .find(|sensor| ids.contains(&sensor.id.as_str()));
        sensor.and_then(|sensor| u64::try_from(sensor.value_millivolts).ok())
    };
    compared.number("stats.voltage.gpu", voltage(&["vddgfx", "pkg"]));
    compared.number("stats.voltage.sensors.northbridge", voltage(&["vddnb"]));
    compared.number("stats.voltage.sensors.soc", voltage(&["soc"]));
    compared.number("stats.voltage.sensors.mem", voltage(&["mem"]));
    throttle(compared, adapter);
}

fn throttle(compared: &mut Compared<'_>, adapter: &Adapter) {
    if let Some(theirs) =
        told(&compared.card.answer, "stats.throttle_info").and_then(Value::as_object)
    {
        let ours = adapter.now.throttle.as_ref().expect("a word on throttling");
        assert_eq!(
            ours.is_empty(),
            theirs.is_empty(),
            "{}: {ours:?}",
            compared.card.name
        );
        compared.count += 1;
    }
}

fn power(compared: &mut Compared<'_>, adapter: &Adapter) {
    let sensors = &adapter.now.powers;
    let named = |id: &str| sensors.iter().find(|sensor| sensor.id == id);
    let milliwatts = |value: Option<u64>| value.and_then(|value| i64::try_from(value / 1000).ok());
    for id in ["apu", "core", "gfx"] {
        let ours = named(id).and_then(|sensor| sensor.average_microwatts);
        compared.thousandths(&format!("stats.power.sensors.{id}"), milliwatts(ours));
    }
    let Some(first) = sensors.first() else { return };
    if adapter.vendor == AdapterVendor::Amd {
        compared.thousandths("stats.power.average", milliwatts(first.average_microwatts));
        compared.thousandths("stats.power.current", milliwatts(first.input_microwatts));
        compared.thousandths("stats.power.cap_current", milliwatts(first.cap_microwatts));
        compared.thousandths(
            "stats.power.cap_default",
            milliwatts(first.cap_default_microwatts),
        );
        compared.thousandths("stats.power.cap_min", milliwatts(first.cap_min_microwatts));
        compared.thousandths("stats.power.cap_max", milliwatts(first.cap_max_microwatts));
    } else {
        // LACT takes the first limit that there is, whichever it is.
        let cap = first.cap_microwatts.or(first.max_microwatts);
        compared.thousandths("stats.power.cap_current", milliwatts(cap));
    }
}

fn clocks(compared: &mut Compared<'_>, adapter: &Adapter) {
    let clock = |id: &str| adapter.now.clocks.iter().find(|clock| clock.id == id);
    let mhz = |clock: Option<&ClockDomain>| clock?.value_hz.map(|rate| rate.0 / 1_000_000);
    if adapter.vendor == AdapterVendor::Amd {
        compared.number("stats.clockspeed.gpu_clockspeed", mhz(clock("sclk")));
        compared.number("stats.clockspeed.vram_clockspeed", mhz(clock("mclk")));
        for (theirs, ours) in [
            ("SOCCLK", "socclk"),
            ("UCLK", "mclk"),
            ("VCLK", "vclk"),
            ("DCLK", "dclk"),
            ("VCLK1", "vclk1"),
            ("DCLK1", "dclk1"),
        ] {
            compared.number(
                &format!("stats.clockspeed.sensors.{theirs}"),
                mhz(clock(ours)),
            );
        }
    }
    for (theirs, active, ours) in [("core", "core", "sclk"), ("vram", "memory", "mclk")] {
        let Some(ours) = clock(ours) else { continue };
        let levels: Vec<u64> = ours
            .levels_hz
            .iter()
            .map(|rate| rate.0 / 1_000_000)
            .collect();
        compared.same(&format!("power_states.{theirs}"), Some(levels), |states| {
            let states = states.as_array().expect("states").iter();
            states
                .filter_map(|state| state.get("value")?.as_u64())
                .collect()
        });
        let first = ours
            .active_levels
            .first()
            .and_then(|level| u64::try_from(*level).ok());
        compared.number(&format!("stats.active_power_states.{active}.Index"), first);
    }
    if let Some(gt) = adapter.intel.as_ref().and_then(|intel| intel.gts.first()) {
        let mhz = |rate: Option<libhw::units::Hertz>| rate.map(|rate| rate.0 / 1_000_000);
        compared.number(
            "stats.clockspeed.target_gpu_clockspeed",
            mhz(gt.now.requested_hz),
        );
        let table = "clocks_info.table.value";
        compared.number(&format!("{table}.rp0_freq"), mhz(gt.now.rp0_hz));
        compared.number(&format!("{table}.rpe_freq"), mhz(gt.now.rpe_hz));
        compared.number(&format!("{table}.rpn_freq"), mhz(gt.now.rpn_hz));
        let range = mhz(gt.now.min_hz).zip(mhz(gt.now.max_hz));
        compared.same(&format!("{table}.gt_freq"), range, |range| {
            let end = |at: usize| range.get(at).and_then(Value::as_u64).expect("a frequency");
            (end(0), end(1))
        });
    }
}
