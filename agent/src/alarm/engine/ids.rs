//! Random ids from a seed that is given: the engine reads no random number itself.

use uuid::{Builder, Uuid};

/// UUIDs of version 4. The seed has to be another one at each start: the kernel's random bytes.
#[derive(Clone, Debug)]
pub(super) struct Ids([u64; 2]);

impl Ids {
    pub(super) const fn new(seed: [u64; 2]) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> Uuid {
        let [high, low] = &mut self.0;
        let bits = (u128::from(split_mix(high)) << 64) | u128::from(split_mix(low));
        Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): every state is met once before any is met again.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_4_and_differ() {
        let mut ids = Ids::new([7, 9]);
        let all: std::collections::BTreeSet<Uuid> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| id.get_version_num() == 4));
        // The first number of SplitMix64 from seed 0, as its authors' program prints it.
        assert_eq!(split_mix(&mut 0), 0xe220_a839_7b1d_cdaf);
    }
}
