//! Chance that repeats: numbers drawn from a seed and from what the draw is for.
//!
//! A stream of random numbers would give each call what happens to be next, so that two calls that change places would
//! change fates too. Here the fate of the n-th `CreateRole` depends on the seed, on `CreateRole` and on n, whatever else
//! goes on at the same time.

/// A number for one purpose.
pub(super) fn of(seed: u64, purpose: &[&str]) -> u64 {
    // FNV-1a, 64 bits, over the parts with a separator that no part has.
    let bytes = purpose.iter().flat_map(|part| part.bytes().chain([0xff]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // SplitMix64: FNV alone leaves the high bits of similar texts similar.
    let mut mixed = (hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The number as a fraction, at least 0 and less than 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub(super) fn fraction(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_purpose_gives_the_same_number_and_another_another() {
        assert_eq!(of(1, &["a", "b"]), of(1, &["a", "b"]));
        assert_ne!(of(1, &["a", "b"]), of(2, &["a", "b"]));
        assert_ne!(of(1, &["a", "b"]), of(1, &["ab"]));
    }

    #[test]
    fn fractions_are_spread_evenly() {
        for seed in 0..5 {
            let below = (0..10_000).filter(|n| fraction(of(seed, &["CreateRole", &n.to_string()])) < 0.05).count();
            assert!((400..600).contains(&below), "{below} of 10000 at 5 % with seed {seed}");
        }
    }
}
