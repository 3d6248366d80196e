//! A kernel's modules: by name, unpacked, with the modules that they need.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use lzma_rust2::XzReader;

use crate::LabError;
use crate::protocol::module_name;

/// The modules of one kernel.
#[derive(Debug)]
pub struct Modules {
    folder: PathBuf,
    release: String,
    /// By name, the path below `modules/`; none where it is part of the kernel's image.
    index: BTreeMap<String, Option<String>>,
}

impl Modules {
    pub(super) fn open(folder: &Path, release: &str) -> Result<Self, LabError> {
        let path = folder.join("index");
        let text = fs::read_to_string(&path)
            .map_err(LabError::host(format!("read {}", path.display())))?;
        let entries = text.lines().filter_map(|line| line.split_once(' '));
        let index = entries
            .map(|(name, path)| (name.to_owned(), (path != BUILTIN).then(|| path.to_owned())));
        Ok(Self {
            folder: folder.to_owned(),
            release: release.to_owned(),
            index: index.collect(),
        })
    }

    /// Adds `module` to `found` with its file, unpacked, and with what it needs; nothing where it is part of the
    /// kernel's image.
    ///
    /// # Errors
    /// [`LabError::NoModule`] where the kernel has none of that name.
    pub fn find(&self, module: &str, found: &mut BTreeMap<String, Module>) -> Result<(), LabError> {
        let name = module_name(module);
        if found.contains_key(&name) {
            return Ok(());
        }
        let place = self.index.get(&name).ok_or_else(|| LabError::NoModule {
            module: module.to_owned(),
            kernel: self.release.clone(),
        })?;
        let Some(place) = place else {
            return Ok(());
        };
        let file = self.unpacked(&name, place)?;
        let all = self.needs(&file);
        found.insert(
            name,
            Module {
                needs: all.clone(),
                file,
            },
        );
        all.iter().try_for_each(|need| self.find(need, found))
    }

    /// Adds a module that is no part of the kernel's package, such as one built by the lab.
    ///
    /// # Errors
    /// The file can't be read, or the kernel lacks a module that it needs.
    pub fn add(
        &self,
        file: &Path,
        found: &mut BTreeMap<String, Module>,
    ) -> Result<String, LabError> {
        let name = module_name(&file.file_stem().unwrap_or_default().to_string_lossy());
        let bytes = fs::read(file).map_err(LabError::host(format!("read {}", file.display())))?;
        let needs = self.needs(&bytes);
        found.insert(
            name.clone(),
            Module {
                file: bytes,
                needs: needs.clone(),
            },
        );
        // Those that the caller adds as well need not be the kernel's.
        let others = needs.iter().filter(|need| self.index.contains_key(*need));
        others.clone().try_for_each(|need| self.find(need, found))?;
        Ok(name)
    }

    /// What `depends=` names, and of `softdep=pre:` what this kernel has.
    fn needs(&self, file: &[u8]) -> Vec<String> {
        let mut needs = Vec::new();
        for word in modinfo(file) {
            if let Some(hard) = word.strip_prefix("depends=") {
                needs.extend(
                    hard.split(',')
                        .filter(|need| !need.is_empty())
                        .map(module_name),
                );
            } else if let Some(soft) = word.strip_prefix("softdep=pre:") {
                let soft = soft.split("post:").next().unwrap_or_default();
                let known = soft.split_whitespace().map(module_name);
                needs.extend(known.filter(|need| self.index.contains_key(need)));
            }
        }
        needs
    }

    fn unpacked(&self, name: &str, place: &str) -> Result<Vec<u8>, LabError> {
        let packed = self.folder.join("modules").join(place);
        let reading = || format!("read {}", packed.display());
        if !place.ends_with(".xz") {
            return fs::read(&packed).map_err(LabError::host(reading()));
        }
        let kept = self.folder.join("ko").join(format!("{name}.ko"));
        if let Ok(bytes) = fs::read(&kept) {
            return Ok(bytes);
        }
        let file = fs::File::open(&packed).map_err(LabError::host(reading()))?;
        let mut bytes = Vec::new();
        XzReader::new(file, true)
            .read_to_end(&mut bytes)
            .map_err(LabError::host(reading()))?;
        // Another test may write the same: it is there whole or not at all.
        let keep = || -> std::io::Result<()> {
            let folder = self.folder.join("ko");
            fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut file, &bytes)?;
            file.persist(&kept)?;
            Ok(())
        };
        keep().map_err(LabError::host(format!("write {}", kept.display())))?;
        Ok(bytes)
    }
}

/// A module's file, and the modules that it needs.
#[derive(Clone, Debug)]
pub struct Module {
    /// The ELF file.
    pub file: Vec<u8>,
    /// The modules that are loaded before it, by name.
    pub needs: Vec<String>,
}

const BUILTIN: &str = "builtin";

/// Writes the index of the kernel unpacked in `folder`.
pub(super) fn index(folder: &Path) -> Result<(), LabError> {
    let modules = folder.join("modules");
    let builtin = modules.join("modules.builtin");
    let text = fs::read_to_string(&builtin)
        .map_err(LabError::host(format!("read {}", builtin.display())))?;
    let mut lines: Vec<String> = Vec::new();
    lines.extend(
        text.lines()
            .filter_map(name_of)
            .map(|name| format!("{name} {BUILTIN}\n")),
    );
    let mut folders = vec![modules.clone()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(LabError::host(format!("read {}", folder.display())))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if let Some(place) = path.strip_prefix(&modules).ok().and_then(Path::to_str) {
                lines.extend(name_of(place).map(|name| format!("{name} {place}\n")));
            }
        }
    }
    let index = folder.join("index");
    fs::write(&index, lines.concat()).map_err(LabError::host(format!("write {}", index.display())))
}

/// `kernel/drivers/net/ethernet/intel/igb/igb.ko.xz` -> `igb`.
fn name_of(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let name = file
        .strip_suffix(".ko")
        .or_else(|| file.strip_suffix(".ko.xz"))?;
    Some(module_name(name))
}

/// The words of a module's section `.modinfo`; none where it is no 64-bit ELF file with one.
fn modinfo(file: &[u8]) -> Vec<&str> {
    section(file, ".modinfo").map_or_else(Vec::new, |section| {
        let words = section.split(|byte| *byte == 0);
        words
            .filter_map(|word| std::str::from_utf8(word).ok())
            .collect()
    })
}

/// A section by name; offsets as in `elf(5)`, `Elf64_Ehdr` and `Elf64_Shdr`.
fn section<'a>(file: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let u16_at = |at: usize| {
        Some(usize::from(u16::from_le_bytes(
            *file.get(at..)?.first_chunk()?,
        )))
    };
    let u32_at =
        |at: usize| usize::try_from(u32::from_le_bytes(*file.get(at..)?.first_chunk()?)).ok();
    let u64_at =
        |at: usize| usize::try_from(u64::from_le_bytes(*file.get(at..)?.first_chunk()?)).ok();
    let (headers, size, count, names) =
        (u64_at(0x28)?, u16_at(0x3a)?, u16_at(0x3c)?, u16_at(0x3e)?);
    let header = |index: usize| headers.checked_add(index * size);
    let bytes = |header: usize| {
        let start = u64_at(header.saturating_add(0x18))?;
        file.get(start..start.checked_add(u64_at(header.saturating_add(0x20))?)?)
    };
    let names = bytes(header(names)?)?;
    let mut headers = (0..count).filter_map(header);
    let found = headers.find(|header| {
        let title = u32_at(*header).and_then(|start| names.get(start..));
        title.is_some_and(|title| {
            title.starts_with(name.as_bytes()) && title.get(name.len()) == Some(&0)
        })
    })?;
    bytes(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_as_the_kernel_names_it() {
        let cases = [
            ("kernel/drivers/i2c/i2c-stub.ko.xz", Some("i2c_stub")),
            ("kernel/drivers/net/igb.ko", Some("igb")),
            ("modules.order", None),
        ];
        for (path, name) in cases {
            assert_eq!(name_of(path).as_deref(), name);
        }
    }

    #[test]
    fn no_elf_file_has_no_words() {
        for file in [&b""[..], b"\x7fELF", &[0xff; 64], &[0; 200]] {
            assert_eq!(modinfo(file), [""; 0]);
        }
    }
}
