//! LEB128 numbers of 32 bits, and zigzag for those with a sign.

pub(super) fn write(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the number at `*at`, which is then behind it. `None` where the bytes end, or the number has more than 32 bits.
#[inline]
pub(super) fn read(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let first = *bytes.get(*at)?;
    *at += 1;
    if first < 0x80 {
        return Some(u32::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for shift in [7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).ok();
        }
    }
    None
}

/// The difference between two numbers as one that is small when they are near each other, whichever is larger.
pub(super) fn difference(from: u32, to: u32) -> u32 {
    let difference = to.wrapping_sub(from) as i32;
    ((difference << 1) ^ (difference >> 31)) as u32
}

/// `to`, from `from` and their [`difference`].
#[inline]
pub(super) fn apply(from: u32, difference: u32) -> u32 {
    from.wrapping_add((difference >> 1) ^ (difference & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u32, from: u32) {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            write(difference(from, value), &mut bytes);
            let mut at = 0;
            prop_assert_eq!(read(&bytes, &mut at), Some(value));
            let stored = read(&bytes, &mut at).unwrap();
            prop_assert_eq!(apply(from, stored), value);
            prop_assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn a_number_that_is_too_long_or_cut_is_none() {
        for bytes in [
            &[0x80_u8][..],
            &[],
            &[0xff; 5],
            &[0xff, 0xff, 0xff, 0xff, 0x1f],
        ] {
            assert_eq!(read(bytes, &mut 0), None, "{bytes:?}");
        }
        assert_eq!(
            read(&[0xff, 0xff, 0xff, 0xff, 0x0f], &mut 0),
            Some(u32::MAX)
        );
    }
}
