//! Compressed bodies are unpacked within a bound, whatever they are.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::io::Write as _;

use bytes::Bytes;
use codec::ContentEncoding::{Deflate, Gzip, Identity, Zstd};
use codec::{ContentEncoding, InflateError, inflate};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

const MIB: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd_level_1(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const CODINGS: [(ContentEncoding, Compress); 5] = [
    (Identity, <[u8]>::to_vec),
    (Gzip, gzip),
    (Deflate, zlib),
    (Deflate, raw_deflate),
    (Zstd, zstd_level_1),
];

fn unpack(encoding: ContentEncoding, body: Vec<u8>, max: usize) -> Result<Bytes, InflateError> {
    inflate(encoding, body.into(), max)
}

#[test]
fn header_values_are_understood_or_named() {
    for (value, encoding) in [
        ("", Identity),
        ("identity", Identity),
        (" GZip ", Gzip),
        ("x-gzip", Gzip),
        ("zstd", Zstd),
        ("deflate", Deflate),
        ("identity, gzip", Gzip),
    ] {
        assert_eq!(ContentEncoding::from_header(value.as_bytes()), Ok(encoding));
    }
    for value in ["br", "gzip, zstd", "gzip,gzip", "gzipp"] {
        let error = ContentEncoding::from_header(value.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "content encoding {value:?} is not supported: use one of gzip, zstd, deflate, identity"
            )
        );
    }
    assert_eq!(
        ContentEncoding::from_header(b"\xff").unwrap_err().value,
        "\u{fffd}"
    );
}

#[test]
fn a_body_just_within_the_limit_is_unpacked_and_one_byte_more_is_refused() {
    let data = vec![7; MIB];
    for (encoding, compress) in CODINGS {
        let body = compress(&data);
        assert_eq!(
            unpack(encoding, body.clone(), MIB).unwrap(),
            data,
            "{encoding:?}"
        );
        assert_eq!(
            unpack(encoding, body, MIB - 1),
            Err(InflateError::TooLarge {
                limit_bytes: MIB - 1
            }),
            "{encoding:?}"
        );
    }
}

#[test]
fn a_body_without_compression_is_not_copied() {
    let body = Bytes::from(vec![1; 100]);
    assert_eq!(
        inflate(Identity, body.clone(), 100).unwrap().as_ptr(),
        body.as_ptr()
    );
}

#[test]
fn gzip_members_and_zstd_frames_may_follow_each_other() {
    for (encoding, compress) in [(Gzip, gzip as Compress), (Zstd, zstd_level_1)] {
        let body = [compress(b"one "), compress(b""), compress(b"two")].concat();
        assert_eq!(unpack(encoding, body, 7).unwrap(), "one two");
    }
}

#[test]
fn a_bomb_is_refused_without_being_unpacked() {
    let zeros = vec![0; 64 * MIB];
    for (encoding, compress) in &CODINGS[1..] {
        let bomb = compress(&zeros);
        assert!(bomb.len() < MIB);
        let refused = unpack(*encoding, bomb, MIB);
        assert_eq!(refused, Err(InflateError::TooLarge { limit_bytes: MIB }));
    }
}

#[test]
fn a_zstd_frame_may_not_ask_for_a_large_window() {
    // Magic, a header without content size, a window of 2^30 bytes, and one raw block of one byte.
    let frame = [
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0x00,
        20 << 3,
        0x09,
        0x00,
        0x00,
        0x61,
    ];
    let error = unpack(Zstd, frame.to_vec(), MIB).unwrap_err();
    let message = "body is not valid Zstd: Frame requires too much memory for decoding";
    assert_eq!(error.to_string(), message);

    let mut small = frame;
    small[5] = 13 << 3;
    assert_eq!(
        unpack(Zstd, small.to_vec(), MIB).unwrap(),
        "a",
        "8 MiB are allowed"
    );
}

#[test]
fn a_body_that_is_cut_or_has_a_tail_is_corrupt() {
    let data: Vec<u8> = (0..2000u32).flat_map(u32::to_le_bytes).collect();
    for (encoding, compress) in &CODINGS[1..] {
        let body = compress(&data);
        for len in 1..body.len() {
            let cut = unpack(*encoding, body[..len].to_vec(), MIB);
            assert!(
                matches!(cut, Err(InflateError::Corrupt { .. })),
                "{encoding:?} cut at {len}: {cut:?}"
            );
        }
        let tail = unpack(*encoding, [&body[..], b"tail"].concat(), MIB);
        assert!(
            matches!(tail, Err(InflateError::Corrupt { .. })),
            "{encoding:?}"
        );
    }
    let not_gzip = unpack(Gzip, b"{}".to_vec(), MIB).unwrap_err();
    assert!(
        not_gzip.to_string().starts_with("body is not valid Gzip: "),
        "{not_gzip}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_an_answer_within_the_bound(
        encoding in select(vec![Identity, Gzip, Deflate, Zstd]),
        body in vec(any::<u8>(), 0..300),
        max in 0usize..1000,
    ) {
        if let Ok(inflated) = unpack(encoding, body, max) {
            prop_assert!(inflated.len() <= max);
        }
    }

    #[test]
    fn what_was_packed_and_damaged_gives_an_answer_within_the_bound(
        coding in select(CODINGS.to_vec()),
        data in vec(0u8..4, 0..2000),
        damage in vec((any::<u16>(), any::<u8>()), 0..4),
    ) {
        let (encoding, compress) = coding;
        let mut body = compress(&data);
        prop_assert_eq!(&unpack(encoding, body.clone(), 2000).unwrap(), &data);
        for (at, value) in damage {
            let at = usize::from(at) % body.len().max(1);
            if let Some(byte) = body.get_mut(at) {
                *byte = value;
            }
        }
        if let Ok(inflated) = unpack(encoding, body, 2000) {
            prop_assert!(inflated.len() <= 2000);
        }
    }
}
