//! Seeds that follow from others, the same on every machine.

/// What the SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014) adds to its state for each output.
pub const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The output of SplitMix64 in this state: a bijection that spreads neighbours.
#[must_use]
pub const fn split_mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{GAMMA, split_mix};

    /// The first outputs of the authors' own code for the seed 1234567.
    #[test]
    fn the_outputs_are_those_of_the_paper() {
        let outputs =
            [1, 2, 3].map(|step| split_mix(GAMMA.wrapping_mul(step).wrapping_add(1_234_567)));
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
