//! What the numbers of an Intel card's static image say (OPAE's `fpgainfo fme` prints the same).

use super::Bitstream;
use crate::directory::Directory;
use crate::parse;

/// What the image of a PAC N3000 does with the network ports, by bits 35 to 32 of its id.
const NETWORKS: [&str; 7] = [
    "8x10G",
    "4x25G",
    "2x1x25G",
    "4x25G+2x25G",
    "2x2x25G",
    "2x1x25Gx2FVL",
    "1x2x25G",
];

/// What else it has, by bits 24 and up.
const OPTIONS: [&str; 6] = [
    "bypass",
    "mac_lightweight",
    "disaggregate",
    "lightweight",
    "seu_detection",
    "ptp",
];

/// The image of a card's management engine. `n3000`: whether the card is one, whose ids say more; they do so
/// while their major version is 0.
pub(super) fn read(engine: &Directory<'_>, n3000: bool) -> Option<Bitstream> {
    let id = engine.value("bitstream_id", parse::hex)?;
    let metadata = engine.value("bitstream_metadata", parse::hex);
    let nibble = |lowest: u32| (id >> lowest) & 0xf;
    let mut image = Bitstream {
        id: format!("{id:#x}"),
        version: format!("{}.{}.{}", nibble(56), nibble(52), nibble(48)),
        metadata: metadata.map(|metadata| format!("{metadata:#x}")),
        synthesis_date: metadata.and_then(synthesis_date),
        seed: metadata.and_then(|metadata| u32::try_from(metadata & 0xf).ok()),
        interface_id: interface_id(engine),
        ..Bitstream::default()
    };
    if n3000 && nibble(56) == 0 {
        let network = usize::try_from(nibble(32)).ok();
        image.network = network
            .and_then(|network| NETWORKS.get(network))
            .map(|network| (*network).to_owned());
        let byte = |lowest: u32| (id >> lowest) & 0xff;
        image.build = Some(format!("{}.{}.{}", byte(16), byte(8), byte(0)));
        let options = OPTIONS.iter().zip(0_u32..);
        let options = options.filter(|(_, bit)| byte(24) >> bit & 1 == 1);
        image.options = options.map(|(name, _)| (*name).to_owned()).collect();
    }
    Some(image)
}

/// Year, month and day in binary coded decimal: `0x1910174` is of 2019-10-17.
fn synthesis_date(metadata: u64) -> Option<String> {
    let part = |lowest: u32| (metadata >> lowest) & 0xff;
    let (year, month, day) = (part(20), part(12), part(4));
    let decimal = |part: u64| part >> 4 <= 9 && part & 0xf <= 9;
    let valid = decimal(year)
        && decimal(month)
        && decimal(day)
        && (1..=0x12).contains(&month)
        && (1..=0x31).contains(&day);
    valid.then(|| format!("20{year:02x}-{month:02x}-{day:02x}"))
}

/// The older driver has it beside the engine; the kernel's has it in the region that is loaded.
fn interface_id(engine: &Directory<'_>) -> Option<String> {
    let old = engine.below("pr");
    if let Some(id) = old.and_then(|old| old.text("interface_id")) {
        return Some(id);
    }
    let containers = engine.all_below(|name| name.starts_with("dfl-fme-region."));
    let mut regions = containers
        .iter()
        .filter_map(|container| container.below("fpga_region"))
        .flat_map(|class| class.all_below(|name| name.starts_with("region")));
    regions.find_map(|region| region.text("compat_id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_binary_coded_and_may_be_none() {
        assert_eq!(synthesis_date(0x191_0174).as_deref(), Some("2019-10-17"));
        assert_eq!(synthesis_date(0x161_2156).as_deref(), Some("2016-12-15"));
        for none in [0, 1, 0x19a_0174, 0x191_3174, 0x191_0004, u64::MAX] {
            assert_eq!(synthesis_date(none), None, "{none:#x}");
        }
    }
}
