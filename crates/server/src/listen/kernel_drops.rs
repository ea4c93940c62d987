//! Datagrams that the kernel dropped because a socket's buffer was full, as Linux counts them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use host::Files;

/// A line has about 130 bytes: room for many thousands of sockets.
const MAX_TABLE_BYTES: usize = 4 << 20;
const CHUNK_BYTES: usize = 16 << 10;

/// How many datagrams the kernel dropped that were sent to these addresses, each the address of a socket of ours; `None` where there
/// is no `/proc` that knows.
pub(crate) fn kernel_drops(files: &dyn Files, addresses: &[SocketAddr]) -> Option<Vec<u64>> {
    let mut tables = String::new();
    for (path, is_needed) in [
        ("/proc/net/udp", addresses.iter().any(SocketAddr::is_ipv4)),
        ("/proc/net/udp6", addresses.iter().any(SocketAddr::is_ipv6)),
    ] {
        if is_needed {
            tables.push_str(&read(files, Path::new(path)).ok()?);
        }
    }
    addresses
        .iter()
        .map(|address| drops_of(&tables, *address))
        .collect()
}

/// The kernel tells no length of such a file.
fn read(files: &dyn Files, path: &Path) -> io::Result<String> {
    let file = files.open(path)?;
    let mut bytes = Vec::new();
    while bytes.len() < MAX_TABLE_BYTES {
        let start = bytes.len();
        bytes.resize(start + CHUNK_BYTES, 0);
        let len = file.read_at(&mut bytes[start..], start as u64)?;
        bytes.truncate(start + len);
        if len == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last column of the line whose second one is the address.
fn drops_of(tables: &str, address: SocketAddr) -> Option<u64> {
    let line = tables.lines().find(|line| {
        let local = line.split_ascii_whitespace().nth(1);
        local.and_then(parse_address) == Some(address)
    })?;
    line.split_ascii_whitespace().last()?.parse().ok()
}

/// `0100007F:1AAF`: words of an address as this machine's numbers, and a port.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| {
        let digits = ip.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let octets: [u8; 16] = words.as_flattened().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_line_of_an_address_is_found_in_either_family() {
        let tables = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  375: 0100007F:1AAE 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 70001 2 0000000000000000 0
  376: 0100007F:1AAF 00000000:0000 07 00000000:00000300 00:00000000 00000000  1000        0 70002 2 0000000000000000 4711
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  376: 00000000000000000000000001000000:1AAF 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 70003 2 0000000000000000 8
";
        for (address, drops) in [
            ("127.0.0.1:6830", Some(0)),
            ("127.0.0.1:6831", Some(4711)),
            ("[::1]:6831", Some(8)),
            ("127.0.0.2:6831", None),
            ("[::1]:6832", None),
        ] {
            assert_eq!(
                drops_of(tables, address.parse().unwrap()),
                drops,
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_passed_over() {
        for text in [
            "",
            ":",
            "local_address",
            "0100007F",
            "0100007F:x",
            "é100007F:1AAF",
            "01:02",
        ] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_counts_none_for_a_new_socket() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let drops = kernel_drops(&host::RealFiles, &[socket.local_addr().unwrap()]);
        assert_eq!(drops, Some(vec![0]));
    }
}
