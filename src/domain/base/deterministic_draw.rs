//! Deterministic pseudo-random draw: a hash of the session id (P3, I8).

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash H of P3, built incrementally.
#[derive(Clone, Copy, Debug)]
pub struct DeterministicDraw(u64);

impl DeterministicDraw {
    /// The hash of no bytes.
    pub const EMPTY: DeterministicDraw = DeterministicDraw(FNV_OFFSET);

    /// Adds bytes to the hash (FNV-1a 64).
    pub fn with(self, bytes: &[u8]) -> DeterministicDraw {
        DeterministicDraw(bytes.iter().fold(self.0, |h, &byte| {
            (h ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
        }))
    }

    /// The final number. It mixes the bits so that the low ones are well distributed.
    pub fn number(self) -> u64 {
        let mut h = self.0;
        h ^= h >> 30;
        h = h.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h ^= h >> 27;
        h = h.wrapping_mul(0x94d0_49bb_1331_11eb);
        h ^ (h >> 31)
    }
}

/// H of P3 over the concatenated UTF-8 bytes of `parts`.
pub fn draw(parts: &[&str]) -> u64 {
    let fed = |draw: DeterministicDraw, part: &&str| draw.with(part.as_bytes());
    parts.iter().fold(DeterministicDraw::EMPTY, fed).number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_gives_the_published_numbers() {
        assert_eq!(draw(&[""]), 0xf52a_15e9_a9b5_e89b);
        assert_eq!(draw(&["a"]), 0x02c0_bdbf_4814_20f8);
        assert_eq!(draw(&["会话-1"]), 0xe69b_b63d_486f_c21d);
        assert_eq!(draw(&["invite:", "s1"]) % 10_000, 2643);
        assert_eq!(draw(&["invite:", "s2"]) % 10_000, 6989);
    }
}
