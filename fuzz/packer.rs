//! A tar in one of the packings, well formed, in every way that a packing may be cut: several streams one after
//! another, empty ones, names and comments in a header, data that is stored instead of packed.

use std::io::Write;

use arbitrary::{Result, Unstructured};
use bzip2::write::BzEncoder;
use flate2::{Compression, GzBuilder};
use lzma_rust2::{CheckType, XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::mutant::{rarely, some};

/// No mutant has more streams.
const STREAMS_MAX: usize = 4;

/// Makes one stream.
type Pack = fn(&[u8], &mut Unstructured<'_>) -> Result<Vec<u8>>;

/// The packings, which are never mixed: no reader goes on with another.
const PACKINGS: [Pack; 4] = [gzip, bzip2, xz, zstd];

/// Packs `tar`.
///
/// # Errors
/// When the bytes are too few.
pub fn packed(tar: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let pack = *bytes.choose(&PACKINGS)?;
    let (mut rest, mut all) = (tar, Vec::new());
    for _ in 1..bytes.int_in_range(1..=STREAMS_MAX)? {
        let (stream, after) = rest.split_at(bytes.choose_index(rest.len() + 1)?);
        all.extend(pack(stream, bytes)?);
        rest = after;
    }
    all.extend(pack(rest, bytes)?);
    Ok(all)
}

/// RFC 1952: a name, a comment and an extra field end up in the header.
fn gzip(data: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut header = GzBuilder::new().mtime(bytes.arbitrary()?);
    let text = |bytes: &mut Unstructured<'_>| -> Result<Vec<u8>> {
        Ok(some(bytes)?.into_iter().filter(|byte| *byte != 0).collect())
    };
    if bytes.arbitrary()? {
        header = header.filename(text(bytes)?);
    }
    if bytes.arbitrary()? {
        header = header.comment(text(bytes)?);
    }
    if bytes.arbitrary()? {
        header = header.extra(some(bytes)?);
    }
    let level = Compression::new(bytes.int_in_range(0..=9)?);
    let mut writer = header.write(Vec::new(), level);
    writer.write_all(data).expect("room in memory");
    Ok(writer.finish().expect("room in memory"))
}

fn bzip2(data: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let level = bzip2::Compression::new(bytes.int_in_range(1..=9)?);
    let mut writer = BzEncoder::new(Vec::new(), level);
    writer.write_all(data).expect("room in memory");
    Ok(writer.finish().expect("room in memory"))
}

/// With padding, which is allowed after every stream in fours (xz file format 1.2.1, 2.2).
fn xz(data: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const CHECKS: &[CheckType] = &[CheckType::None, CheckType::Crc32, CheckType::Crc64];
    let mut options = XzOptions::with_preset(0);
    options.set_check_sum_type(*bytes.choose(CHECKS)?);
    let mut writer = XzWriter::new(Vec::new(), options).expect("room in memory");
    writer.write_all(data).expect("room in memory");
    let mut packed = writer.finish().expect("room in memory");
    if rarely(bytes, 4) {
        packed.extend([0; 8]);
    }
    Ok(packed)
}

/// With frames that are to be skipped (RFC 8878 3.1.2).
fn zstd(data: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const LEVELS: [fn() -> CompressionLevel; 2] = [
        || CompressionLevel::Uncompressed,
        || CompressionLevel::Fastest,
    ];
    let mut packed = Vec::new();
    if rarely(bytes, 4) {
        let skipped = some(bytes)?;
        packed.push(bytes.int_in_range(0x50..=0x5f)?);
        packed.extend([0x2a, 0x4d, 0x18]);
        packed.extend(u32::try_from(skipped.len()).unwrap_or(0).to_le_bytes());
        packed.extend(skipped);
    }
    let level = bytes.choose(&LEVELS)?();
    packed.extend(compress_to_vec(data, level));
    Ok(packed)
}
