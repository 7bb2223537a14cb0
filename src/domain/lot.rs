//! Drawing lots without luck (P3, I8): a number that depends on a name and on nothing else.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// H of P3 over the UTF-8 bytes of `parts`, one after the other: FNV-1a 64, then a mix that spreads its low bits.
pub fn lot(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    let mut h = bytes.fold(FNV_OFFSET, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    });
    h ^= h >> 30;
    h = h.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h ^= h >> 27;
    h = h.wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_gives_the_published_numbers() {
        assert_eq!(lot(&[""]), 0xf52a_15e9_a9b5_e89b);
        assert_eq!(lot(&["a"]), 0x02c0_bdbf_4814_20f8);
        assert_eq!(lot(&["会话-1"]), 0xe69b_b63d_486f_c21d);
        assert_eq!(lot(&["invite:", "s1"]) % 10_000, 2643);
        assert_eq!(lot(&["invite:", "s2"]) % 10_000, 6989);
    }
}
