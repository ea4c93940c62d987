//! Where a listener binds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A listener's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// No listener.
    Off,
    /// 127.0.0.1 and ::1 on one port; 0 picks a port that is free on both.
    Loopback(u16),
    /// Exactly this address.
    Address(SocketAddr),
}

impl Endpoint {
    /// Whether other machines may reach it.
    pub(crate) fn is_public(self) -> bool {
        matches!(self, Self::Address(address) if !is_loopback(address.ip()))
    }

    /// Whether both would want the same port of the same address.
    pub(crate) fn collides_with(self, other: Self) -> bool {
        self.sockets().iter().any(|a| {
            other.sockets().iter().any(|b| {
                a.port() == b.port() && a.port() != 0 && {
                    let (a, b) = (a.ip(), b.ip());
                    a == b || covers(a, b) || covers(b, a)
                }
            })
        })
    }

    /// The sockets that it asks for.
    pub(crate) fn sockets(self) -> Vec<SocketAddr> {
        match self {
            Self::Off => Vec::new(),
            Self::Loopback(port) => vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ],
            Self::Address(address) => vec![address],
        }
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

/// `[::]` is bound for both families, `0.0.0.0` for its own.
fn covers(wide: IpAddr, narrow: IpAddr) -> bool {
    match wide {
        IpAddr::V4(ip) => ip.is_unspecified() && narrow.is_ipv4(),
        IpAddr::V6(ip) => ip.is_unspecified(),
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self::Off);
        }
        if let Ok(port) = text.strip_prefix("localhost:").unwrap_or(text).parse() {
            return Ok(Self::Loopback(port));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let hint = match (text.strip_prefix(':'), text.parse::<IpAddr>()) {
            (Some(port), _) => format!(
                "; for this machine alone write \"{port}\", for all networks \"0.0.0.0:{port}\""
            ),
            (_, Ok(_)) => "; the port is missing".to_owned(),
            _ => String::new(),
        };
        Err(format!(
            "{text:?} is not a port (\"4318\"), an address with a port (\"192.0.2.1:4318\", \"[::1]:4318\") or \"off\"{hint}"
        ))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Loopback(port) => write!(f, "{port}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_port_is_loopback_and_an_address_is_itself() {
        assert_eq!("4318".parse(), Ok(Endpoint::Loopback(4318)));
        assert_eq!("localhost:0".parse(), Ok(Endpoint::Loopback(0)));
        assert_eq!("off".parse(), Ok(Endpoint::Off));
        for (text, public) in [
            ("127.0.0.1:1", false),
            ("127.8.8.8:1", false),
            ("[::1]:1", false),
            ("[::ffff:127.0.0.1]:1", false),
            ("0.0.0.0:1", true),
            ("[::]:1", true),
            ("192.0.2.1:1", true),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
            assert_eq!(endpoint.is_public(), public, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_explained() {
        let message = |text: &str| text.parse::<Endpoint>().unwrap_err();
        assert!(message(":4318").ends_with(
            "; for this machine alone write \"4318\", for all networks \"0.0.0.0:4318\""
        ));
        assert!(message("127.0.0.1").ends_with("; the port is missing"));
        assert!(message("70000").starts_with("\"70000\" is not a port"));
        assert!(message("example.org:1").starts_with("\"example.org:1\" is not a port"));
    }

    #[test]
    fn two_listeners_on_one_port_are_seen() {
        let at = |text: &str| text.parse::<Endpoint>().unwrap();
        assert!(at("1").collides_with(at("1")));
        assert!(at("1").collides_with(at("0.0.0.0:1")));
        assert!(at("[::]:1").collides_with(at("127.0.0.1:1")));
        assert!(!at("0").collides_with(at("0")));
        assert!(!at("1").collides_with(at("2")));
        assert!(!at("off").collides_with(at("off")));
        assert!(!at("192.0.2.1:1").collides_with(at("192.0.2.2:1")));
    }
}
