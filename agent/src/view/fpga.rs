//! FPGAs: what is plugged in, what is loaded, and whether it runs.

use libhw::device::fpga::{
    Boot, Card, Controller, ErrorRegister, Fpga, Framework, Key, Manager, ManagerState, Memory,
    MemoryNow, Port, PowerState, Reading, Sensor,
};
use libhw::inventory::Inventory;
use libhw::join;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{counted, joined, plural, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(fpga) = &inventory.fpga else {
        return;
    };
    if *fpga == Fpga::default() && !detail {
        return;
    }
    page.title("FPGAs");
    if *fpga == Fpga::default() {
        page.line("none");
        return;
    }
    page.table(&cards(inventory, fpga));
    page.table(&ports(fpga));
    page.table(&controllers(fpga));
    if detail {
        page.table(&keys(fpga));
        page.table(&retimers(fpga));
    }
    page.table(&memories(fpga, detail));
    page.table(&sensors(fpga, detail));
    if detail {
        page.table(&features(fpga));
    }
    page.table(&managers(fpga, detail));
    if detail {
        page.table(&regions(fpga));
    }
    page.table(&bridges(fpga));
}

/// The cards by what they are, and how many managers stand alone.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let fpga = inventory.fpga.as_ref()?;
    let mut models: Vec<(String, usize)> = Vec::new();
    for card in &fpga.cards {
        let model = card
            .model
            .clone()
            .or_else(|| card.shell.as_ref()?.vbnv.clone());
        let model = model.unwrap_or_else(|| "card".to_owned());
        match models.iter_mut().find(|(known, _)| *known == model) {
            Some((_, count)) => *count += 1,
            None => models.push((model, 1)),
        }
    }
    let cards = models.into_iter().map(|(model, count)| match count {
        1 => Some(model),
        count => Some(format!("{count} × {model}")),
    });
    let managers = fpga.managers.len();
    let alone = (fpga.cards.is_empty() && managers > 0).then(|| plural(managers, "manager"));
    some(joined(cards.chain([alone]), ", "))
}

fn cards(inventory: &Inventory, fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("card"),
        Column::Left("function"),
        Column::Wrap("model"),
        Column::Left("driver"),
        Column::Left("version"),
        Column::Left("built"),
        Column::Wrap("image"),
        Column::Left("booted"),
        Column::Wrap("state"),
    ]);
    for card in &fpga.cards {
        let image = card.bitstream.as_ref();
        let other = card
            .function
            .as_ref()
            .filter(|function| **function != card.id);
        table.row([
            card.id.as_str().into(),
            Cell::of(other),
            model(inventory, card).into(),
            Cell::of(card.driver.as_ref()),
            Cell::of(image.map(|image| &image.version)),
            Cell::of(image.and_then(|image| image.synthesis_date.as_ref())),
            shown_image(card).into(),
            booted(card),
            state(card),
        ]);
    }
    table
}

/// What the card is; when nothing else tells it, what pci.ids calls its function.
fn model(inventory: &Inventory, card: &Card) -> String {
    let shell = card.shell.as_ref();
    let board = shell.and_then(|shell| shell.board.clone());
    let part = shell.and_then(|shell| shell.part.clone());
    let named = joined([card.model.clone(), board, part], ", ");
    let function = || {
        join::accelerator::function_of_card(inventory, card)?
            .device
            .clone()
    };
    some(named).or_else(function).unwrap_or_default()
}

fn shown_image(card: &Card) -> String {
    let image = card.bitstream.as_ref();
    let shell = card.shell.as_ref();
    let options = image.map(|image| image.options.join(" "));
    let parts = [
        image.map(|image| image.id.clone()),
        image.and_then(|image| image.network.clone()),
        options.filter(|options| !options.is_empty()),
        shell.and_then(|shell| shell.vbnv.clone()),
    ];
    joined(parts, ", ")
}

/// A card that fell back to the factory's image does not do its owner's work.
fn booted(card: &Card) -> Cell {
    let Some(image) = &card.image else {
        return Cell::default();
    };
    let paint = match image.boot {
        Boot::Factory => Paint::Warning,
        _ => Paint::Plain,
    };
    let page = image.page.clone().unwrap_or_else(|| image.boot.to_string());
    Cell::new(page, paint)
}

fn state(card: &Card) -> Cell {
    let errors = errors(card.now.errors.as_deref().unwrap_or_default());
    let tripped = card.now.firewall_level.is_some_and(|level| level > 0);
    let firewall = tripped.then(|| {
        let name = card.now.firewall.clone().unwrap_or_default();
        format!("firewall tripped {name}")
    });
    let uncalibrated = card
        .shell
        .as_ref()
        .and_then(|shell| shell.memory_calibrated)
        == Some(false);
    let parts = [
        some(errors),
        firewall,
        (card.now.offline == Some(true)).then(|| "offline".to_owned()),
        (card.now.ready == Some(false)).then(|| "not ready".to_owned()),
        uncalibrated.then(|| "memory not calibrated".to_owned()),
    ];
    if card.framework == Framework::None && card.driver.is_none() {
        return Cell::new("no driver", Paint::Faint);
    }
    bad(joined(parts, ", "))
}

fn bad(text: String) -> Cell {
    if text.is_empty() {
        Cell::new("ok", Paint::Good)
    } else {
        Cell::new(text, Paint::Bad)
    }
}

fn errors(registers: &[ErrorRegister]) -> String {
    let register = |register: &ErrorRegister| {
        let names = some(register.names.join(" "));
        let what = names.unwrap_or_else(|| register.value.clone());
        Some(format!("{} {what}", register.id))
    };
    joined(registers.iter().map(register), ", ")
}

fn ports(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("port"),
        Column::Left("AFU"),
        Column::Left("power"),
        Column::Wrap("errors"),
    ]);
    for port in &fpga.ports {
        table.row([
            port.id.as_str().into(),
            Cell::of(port.afu_id.as_ref()),
            power(port),
            bad(errors(port.now.errors.as_deref().unwrap_or_default())),
        ]);
    }
    table
}

fn power(port: &Port) -> Cell {
    let event = |set: Option<bool>, name: &str| (set == Some(true)).then(|| format!("was {name}"));
    let state = port.now.power_state.as_ref();
    let parts = [
        state.map(ToString::to_string),
        event(port.now.ap1_event, "ap1"),
        event(port.now.ap2_event, "ap2"),
    ];
    let calm = state.is_none_or(|state| *state == PowerState::Normal);
    let paint = if calm { Paint::Plain } else { Paint::Warning };
    Cell::new(joined(parts, ", "), paint)
}

fn controllers(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("controller"),
        Column::Left("build"),
        Column::Left("firmware"),
        Column::Left("board"),
        Column::Left("MAC address"),
        Column::Right("MACs"),
        Column::Wrap("flash writes"),
        Column::Wrap("update"),
    ]);
    // Without a deep look only their names are known.
    let told = |one: &&Controller| one.firmware.is_some() || one.build.is_some();
    for one in fpga.controllers.iter().filter(told) {
        let counts = one.flash_counts.iter();
        let counts = counts.map(|(flash, count)| Some(format!("{flash} {count}")));
        table.row([
            one.id.as_str().into(),
            Cell::of(one.build.as_ref()),
            firmware(one),
            Cell::of(one.board_revision.as_ref().or(one.serial.as_ref())),
            Cell::of(one.mac_address.as_ref()),
            Cell::of(one.mac_count.as_ref()),
            joined(counts, ", ").into(),
            joined(
                [one.now.update.as_ref(), one.now.update_error.as_ref()],
                ", ",
            )
            .into(),
        ]);
    }
    table
}

/// Firmware that the card's image does not want is what a person looks for.
fn firmware(one: &Controller) -> Cell {
    let expected = one.firmware_expected.as_ref();
    match (
        &one.firmware,
        expected.filter(|wanted| Some(*wanted) != one.firmware.as_ref()),
    ) {
        (Some(is), Some(wanted)) => Cell::new(format!("{is}, wants {wanted}"), Paint::Warning),
        (is, _) => Cell::of(is.as_ref()),
    }
}

fn keys(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("key"),
        Column::Wrap("root"),
        Column::Left("canceled"),
    ]);
    let root = |key: &Key| match (&key.root_hash, key.programmed) {
        (Some(hash), _) => hash.clone(),
        (None, Some(false)) => "not programmed".to_owned(),
        (None, _) => String::new(),
    };
    for key in &fpga.keys {
        table.row([
            key.id.as_str().into(),
            root(key).into(),
            counted(&key.canceled).into(),
        ]);
    }
    table
}

fn retimers(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("retimer"),
        Column::Left("version"),
        Column::Left("mode"),
    ]);
    for one in &fpga.retimers {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.version.as_ref()),
            Cell::of(one.mode.as_ref()),
        ]);
    }
    table
}

fn memories(fpga: &Fpga, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("memory"),
        Column::Left("calibrated"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
    ]);
    let told = |one: &&Memory| one.now != MemoryNow::default();
    let wrong = |one: &&Memory| {
        detail || one.now.failed == Some(true) || one.now.uncorrected.is_some_and(|count| count > 0)
    };
    for one in fpga.memories.iter().filter(told).filter(wrong) {
        let calibrated = match (one.now.failed, one.now.calibrated) {
            (Some(true), _) => Cell::new("failed", Paint::Bad),
            (_, calibrated) => calibrated
                .map(|calibrated| yes(calibrated).into())
                .unwrap_or_default(),
        };
        table.row([
            one.id.as_str().into(),
            calibrated,
            Cell::of(one.now.corrected.as_ref()),
            Cell::of(one.now.uncorrected.as_ref()),
        ]);
    }
    table
}

fn sensors(fpga: &Fpga, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("sensor"),
        Column::Wrap("measures"),
        Column::Right("reading"),
        Column::Right("max"),
        Column::Right("critical"),
    ]);
    let read = |one: &&Sensor| one.now.reading.is_some() && (detail || over(one));
    for one in fpga.sensors.iter().filter(read) {
        let reading = one.now.reading.map(quantity).unwrap_or_default();
        let paint = if over(one) { Paint::Bad } else { Paint::Plain };
        table.row([
            one.id.as_str().into(),
            Cell::of(one.label.as_ref()),
            Cell::new(reading, paint),
            one.max.map(quantity).unwrap_or_default().into(),
            one.critical.map(quantity).unwrap_or_default().into(),
        ]);
    }
    table
}

/// Whether a sensor reads more than it should.
fn over(sensor: &Sensor) -> bool {
    let limits = [sensor.max, sensor.critical].into_iter().flatten();
    sensor
        .now
        .reading
        .is_some_and(|reading| limits.into_iter().any(|limit| reading >= limit))
}

fn quantity(reading: Reading) -> String {
    let (value, scale, unit) = match reading {
        Reading::TemperatureMillicelsius(value) => (value, 1000, "°C"),
        Reading::VoltageMillivolts(value) => (value, 1000, "V"),
        Reading::CurrentMilliamps(value) => (value, 1000, "A"),
        Reading::PowerMicrowatts(value) => (value, 1_000_000, "W"),
    };
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / scale, value.unsigned_abs() % scale);
    let hundredths = rest * 100 / scale;
    let fraction = format!(".{hundredths:02}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{whole}{fraction} {unit}")
}

fn features(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("feature"),
        Column::Right("id"),
        Column::Wrap("what it is"),
        Column::Left("driver"),
        Column::Left("firmware"),
        Column::Left("FEC"),
    ]);
    for one in &fpga.features {
        let number = one.feature_id.map(|id| format!("{id:#x}"));
        table.row([
            one.id.as_str().into(),
            Cell::of(number.as_ref()),
            Cell::of(one.name.as_ref()),
            Cell::of(one.driver.as_ref()),
            Cell::of(one.nios_firmware.as_ref()),
            Cell::of(one.ethernet_fec.as_ref()),
        ]);
    }
    table
}

fn managers(fpga: &Fpga, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("manager"),
        Column::Wrap("name"),
        Column::Left("state"),
        Column::Wrap("faults"),
    ]);
    let shown = |one: &&Manager| detail || fpga.cards.is_empty() || !faults(one).is_empty();
    for one in fpga.managers.iter().filter(shown) {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.name.as_ref()),
            manager_state(one),
            Cell::new(faults(one), Paint::Bad),
        ]);
    }
    table
}

fn manager_state(one: &Manager) -> Cell {
    let Some(state) = &one.now.state else {
        return Cell::default();
    };
    let paint = match state {
        ManagerState::Operating => Paint::Good,
        state if state.as_str().ends_with("error") => Paint::Bad,
        _ => Paint::Plain,
    };
    Cell::new(state.to_string(), paint)
}

fn faults(one: &Manager) -> String {
    let configuration = one
        .now
        .configuration
        .iter()
        .flat_map(|status| &status.faults);
    joined(one.now.faults.iter().chain(configuration).map(Some), ", ")
}

fn regions(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("region"),
        Column::Left("function"),
        Column::Left("interface"),
    ]);
    for one in &fpga.regions {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.function.as_ref()),
            Cell::of(one.compat_id.as_ref()),
        ]);
    }
    table
}

fn bridges(fpga: &Fpga) -> Table {
    let mut table = Table::new(&[
        Column::Left("bridge"),
        Column::Wrap("name"),
        Column::Left("state"),
    ]);
    for one in &fpga.bridges {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.name.as_ref()),
            Cell::of(one.now.state.as_ref()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_written_as_a_person_would() {
        for (reading, text) in [
            (Reading::TemperatureMillicelsius(46_500), "46.5 °C"),
            (Reading::TemperatureMillicelsius(-500), "-0.5 °C"),
            (Reading::VoltageMillivolts(12_012), "12.01 V"),
            (Reading::CurrentMilliamps(1000), "1 A"),
            (Reading::PowerMicrowatts(64_709_000), "64.7 W"),
        ] {
            assert_eq!(quantity(reading), text);
        }
    }
}
