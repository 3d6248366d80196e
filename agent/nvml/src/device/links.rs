//! How a device reaches others.

use libhw::device::gpu::nvml::{NvLink, NvLinkNow, NvmlPeer};

use super::{Gpu, address};
use crate::sys::{Handle, PciInfo};

/// `NVML_NVLINK_MAX_LINKS`, of the newest devices.
const LINKS_MAX: u32 = 36;

/// Its NVLinks: those whose state the library knows.
pub(super) fn nvlinks(gpu: &mut Gpu<'_, '_>) -> Vec<NvLink> {
    let mut links = Vec::new();
    for id in 0..LINKS_MAX {
        let handle = gpu.handle;
        let state = gpu.asked.part("nvmlDeviceGetNvLinkState", |library| {
            let mut state = 0;
            let name = c"nvmlDeviceGetNvLinkState";
            library
                .number_of(name, handle, id, &mut state)
                .map(|()| state)
        });
        let Some(state) = state else {
            break;
        };
        links.push(nvlink(gpu, id, state == 1));
    }
    links
}

fn nvlink(gpu: &mut Gpu<'_, '_>, id: u32, active: bool) -> NvLink {
    // Of a link that is down nothing more is known.
    if !active {
        return NvLink {
            id,
            ..NvLink::default()
        };
    }
    let handle = gpu.handle;
    let remote = gpu
        .asked
        .may("nvmlDeviceGetNvLinkRemotePciInfo_v2", |library| {
            let mut pci = PciInfo::default();
            let name = c"nvmlDeviceGetNvLinkRemotePciInfo_v2";
            library.pci_of(name, handle, id, &mut pci).map(|()| pci)
        });
    let mut errors = |counter| {
        gpu.asked.may("nvmlDeviceGetNvLinkErrorCounter", |library| {
            let mut count = 0;
            let name = c"nvmlDeviceGetNvLinkErrorCounter";
            library
                .long_of(name, handle, id, counter, &mut count)
                .map(|()| count)
        })
    };
    let now = NvLinkNow {
        active,
        replays: errors(0),
        recoveries: errors(1),
        crc_flit_errors: errors(2),
        crc_data_errors: errors(3),
        ecc_errors: errors(4),
    };
    NvLink {
        id,
        version: gpu.number_of(c"nvmlDeviceGetNvLinkVersion", id),
        remote: gpu
            .number_of(c"nvmlDeviceGetNvLinkRemoteDeviceType", id)
            .map(Into::into),
        remote_function: remote.as_ref().and_then(address),
        now,
    }
}

/// What lies between it and each of `all` others.
pub(super) fn peers(
    gpu: &mut Gpu<'_, '_>,
    function: &str,
    all: &[(Handle, String)],
    links: &[NvLink],
) -> Vec<NvmlPeer> {
    let own = gpu.handle;
    let others = all.iter().filter(|(_, other)| other != function);
    let peer = |(handle, other): &(Handle, String)| {
        let level = gpu
            .asked
            .may("nvmlDeviceGetTopologyCommonAncestor", |library| {
                let mut level = 0;
                let name = c"nvmlDeviceGetTopologyCommonAncestor";
                library
                    .between(name, own, *handle, &mut level)
                    .map(|()| level)
            })?;
        let leads_there = |link: &&NvLink| link.remote_function.as_ref() == Some(other);
        let nvlinks = links.iter().filter(leads_there).count();
        Some(NvmlPeer {
            id: other.clone(),
            path: level.into(),
            nvlinks: u32::try_from(nvlinks).unwrap_or(u32::MAX),
        })
    };
    others.filter_map(peer).collect()
}
