//! Lists and bitmaps of CPUs and nodes: what is read is what was meant, and reads the same when written again.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::one_of;
use libhw::idset::IdSet;
use libhw::parse;

const TEXTS: &[&[u8]] = &[
    b"0-3,8,12-15\n",
    b"00000000,0000ffff\n",
    b"(null)\n",
    b"10\n",
    b"65535\n",
    b"0-65535",
];

fn list(bytes: &[u8]) -> bool {
    let bytes = one_of(TEXTS, bytes);
    let text = String::from_utf8_lossy(&bytes);
    let sets: Vec<IdSet> = [parse::list(&text), parse::bitmap(&text)]
        .into_iter()
        .flatten()
        .collect();
    for set in &sets {
        let emitted = set.to_string();
        assert_eq!(parse::list(&emitted).as_ref(), Ok(set), "{emitted}");
        assert_eq!(set.iter().count(), set.len());
        assert_eq!(set.iter().collect::<IdSet>(), *set);
        assert!(set.is_empty() || bitmap(set).as_ref() == Some(set));
    }
    if let [first, second] = sets.as_slice() {
        let (both, either) = (first.intersection(second), first.union(second));
        assert_eq!(first.len() + second.len(), both.len() + either.len());
        assert_eq!(first.difference(second).union(&both), *first);
        assert_eq!(first.intersects(second), !both.is_empty());
    }
    !sets.is_empty()
}

/// The set as the kernel writes it in a cpumap, read again.
fn bitmap(set: &IdSet) -> Option<IdSet> {
    let mut groups = vec![0_u32; 1 + usize::try_from(set.iter().last()? / 32).ok()?];
    for id in set.iter() {
        groups[usize::try_from(id / 32).ok()?] |= 1 << (id % 32);
    }
    let words: Vec<String> = groups
        .iter()
        .rev()
        .map(|word| format!("{word:08x}"))
        .collect();
    parse::bitmap(&words.join(",")).ok()
}

gnomon_fuzz::target!(list);
