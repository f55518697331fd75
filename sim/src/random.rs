// SPDX-License-Identifier: GPL-2.0
//! Chance with a seed: the same numbers on every machine.
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of chance.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The source number `stream` of `seed`: streams of one seed have nothing in common.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Random(rng)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // CAST: the upper half of a product of two 64-bit numbers has 64 bits.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index of a list of `len` items.
    pub fn index(&mut self, len: usize) -> usize {
        // CAST: below `len`, which is a usize.
        self.below(len as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_on_every_machine() {
        let mut random = Random::new(1, 2);
        let first: Vec<u64> = (0..4).map(|_| random.below(1000)).collect();
        assert_eq!(first, [876, 682, 336, 511]);
    }

    #[test]
    fn bounds() {
        let mut random = Random::new(7, 0);
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
    }
}
