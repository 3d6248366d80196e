//! The kernel as an ELF file, out of the compressed image around it.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::LabError;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const ELF: [u8; 4] = [0x7f, b'E', b'L', b'F'];

/// Writes the kernel that is packed in the image `vmlinuz` to `vmlinux`.
///
/// # Errors
/// No kernel is found in it.
pub(super) fn extract(vmlinuz: &Path, vmlinux: &Path) -> Result<(), LabError> {
    let image = fs::read(vmlinuz).map_err(LabError::host(format!("read {}", vmlinuz.display())))?;
    let kernel = unpacked(&image).ok_or_else(|| {
        LabError::Unavailable(format!(
            "{} holds no kernel packed by zstd or xz",
            vmlinuz.display()
        ))
    })?;
    fs::write(vmlinux, kernel).map_err(LabError::host(format!("write {}", vmlinux.display())))
}

/// The image is a program that unpacks what follows it: the packed kernel starts at one of the magic numbers in it.
fn unpacked(image: &[u8]) -> Option<Vec<u8>> {
    let starts = |magic: &'static [u8]| {
        let windows = image.windows(magic.len()).enumerate();
        windows
            .filter(move |(_, window)| *window == magic)
            .map(|(start, _)| start)
    };
    let zstd =
        starts(&ZSTD).find_map(|start| kernel_of(StreamingDecoder::new(&image[start..]).ok()?));
    zstd.or_else(|| {
        starts(&XZ).find_map(|start| kernel_of(XzReader::new(Cursor::new(&image[start..]), false)))
    })
}

fn kernel_of(mut packed: impl Read) -> Option<Vec<u8>> {
    let mut kernel = Vec::new();
    // What follows the packed kernel in the image is not packed, and ends the reader with an error.
    let _ = packed.read_to_end(&mut kernel);
    kernel.starts_with(&ELF).then_some(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    #[test]
    fn a_packed_kernel_is_found_behind_a_false_start() {
        let kernel = [&ELF[..], &[7; 5000]].concat();
        let packed = compress_to_vec(&kernel[..], CompressionLevel::Fastest);
        let image = [&b"MZ"[..], &ZSTD, &[0xff; 40], &packed, &[9; 100]].concat();
        assert_eq!(unpacked(&image), Some(kernel));
        assert_eq!(unpacked(b"MZ no kernel here"), None);
    }
}
