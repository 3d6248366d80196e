//! The packings of a tar file, known by the bytes that they begin with and not by the file's name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How much memory a packing may ask for, in KiB: `xz -9` takes 65 MiB.
const MEMORY_MAX_KIB: u32 = 256 << 10;

/// How far back a zstd frame may refer, in bytes: `zstd --long` takes 128 MiB.
const WINDOW_MAX_BYTES: u64 = 128 << 20;

/// The tar within `file`, or `None` when it is none.
pub(super) fn open(mut file: File) -> io::Result<Option<Box<dyn Read>>> {
    let mut head = Vec::new();
    (&mut file).take(512).read_to_end(&mut head)?;
    file.rewind()?;
    let packed = BufReader::with_capacity(64 << 10, file);
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] => Some(Box::new(MultiGzDecoder::new(packed))),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Box::new(MultiBzDecoder::new(packed))),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Box::new(XzReader::new_mem_limit(
            packed,
            true,
            MEMORY_MAX_KIB,
        ))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Some(Box::new(Zstd::new(packed)))
        }
        head if is_tar(head) => Some(Box::new(packed)),
        _ => None,
    })
}

/// Whether a header's checksum is right, or it is the empty block that ends an archive without members.
///
/// The sum of all bytes, those of the sum itself (148 to 155) taken as spaces, stands there in octal
/// (POSIX.1-2017 pax, ustar interchange format).
fn is_tar(head: &[u8]) -> bool {
    let Some(field) = head.get(148..156).filter(|_| head.len() == 512) else {
        return false;
    };
    if head.iter().all(|byte| *byte == 0) {
        return true;
    }
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let is = (sum(head) + 8 * u32::from(b' ')).checked_sub(sum(field));
    let said = String::from_utf8_lossy(field);
    let said = said.trim_matches(|c| c == ' ' || c == '\0');
    is.is_some() && is == u32::from_str_radix(said, 8).ok()
}

/// The frames of a zstd file one after another, those without data left out (RFC 8878 §3.1).
struct Zstd<R> {
    packed: R,
    frames: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(packed: R) -> Self {
        let mut frames = FrameDecoder::new();
        frames.set_max_window_size(WINDOW_MAX_BYTES);
        Self {
            packed,
            frames,
            in_frame: false,
        }
    }

    /// Goes to the next frame's data; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.frames.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.packed).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn checked(&self) -> io::Result<()> {
        match (
            self.frames.get_checksum_from_data(),
            self.frames.get_calculated_checksum(),
        ) {
            (Some(said), Some(is)) if said != is => {
                Err(io::Error::other("zstd frame with a wrong checksum"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame && !self.begin()? {
                return Ok(0);
            }
            self.in_frame = true;
            while self.frames.can_collect() == 0 && !self.frames.is_finished() {
                self.frames
                    .decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let read = self.frames.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.checked()?;
            self.in_frame = false;
        }
    }
}
