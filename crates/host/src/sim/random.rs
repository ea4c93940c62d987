//! Randomness that a seed decides.

use std::sync::{Arc, Mutex};

use super::lock;
use crate::Random;

/// A seeded generator (SplitMix64); clones draw from one sequence.
#[derive(Debug, Clone)]
pub struct SimRandom {
    state: Arc<Mutex<u64>>,
}

impl SimRandom {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            state: Arc::new(Mutex::new(seed)),
        }
    }

    /// An independent generator whose seed is drawn from this one: more draws there do not
    /// shift what is drawn here.
    pub fn fork(&self) -> Self {
        Self::new(self.next_u64())
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// True once in `n` times.
    pub fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    fn next_u64(&self) -> u64 {
        let mut state = lock(&self.state);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
