//! From an [`Endpoint`] to listening sockets.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use crate::config::{Endpoint, Setting};

/// Connections that the kernel keeps while we are busy.
const BACKLOG: i32 = 1024;
/// How often we ask for another free port when the one that 127.0.0.1 gave is taken on ::1.
const PORT_ATTEMPTS: usize = 32;

/// An endpoint that listens.
#[derive(Debug)]
pub(crate) struct Bound<S> {
    /// What clients should connect to.
    pub(crate) address: SocketAddr,
    /// One socket, or one for each loopback address.
    pub(crate) sockets: Vec<S>,
    /// Set when ::1 was wanted and the machine has none.
    pub(crate) without_ipv6: bool,
}

/// Why an endpoint does not listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Somebody else listens there.
    #[error("port {} is in use ({address}); move this listener with {ways}, or turn it off with \"off\"", address.port())]
    InUse {
        /// The address that is taken.
        address: SocketAddr,
        /// How to move it.
        ways: String,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {source}; move this listener with {ways}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// How to move it.
        ways: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Binds what the setting `key` asks for, to accept connections; `None` when it is off.
pub(crate) fn bind(key: &str, endpoint: Endpoint) -> Result<Option<Bound<TcpListener>>, BindError> {
    bind_each(key, endpoint, accept_on, TcpListener::local_addr)
}

/// Binds what the setting `key` asks for, to receive datagrams; `None` when it is off. The kernel is asked for a buffer of
/// `buffer_bytes` and may give less.
pub(crate) fn bind_udp(
    key: &str,
    endpoint: Endpoint,
    buffer_bytes: usize,
) -> Result<Option<Bound<UdpSocket>>, BindError> {
    let receive = |address| receive_on(address, buffer_bytes);
    bind_each(key, endpoint, receive, UdpSocket::local_addr)
}

fn bind_each<S>(
    key: &str,
    endpoint: Endpoint,
    open: impl Fn(SocketAddr) -> io::Result<S>,
    address_of: impl Fn(&S) -> io::Result<SocketAddr>,
) -> Result<Option<Bound<S>>, BindError> {
    let fail = |address: SocketAddr, source: io::Error| {
        let ways = Setting::find(key).map_or_else(|| key.to_owned(), Setting::ways);
        if source.kind() == ErrorKind::AddrInUse {
            BindError::InUse { address, ways }
        } else {
            BindError::Other {
                address,
                ways,
                source,
            }
        }
    };
    let listen = |address| {
        let socket = open(address)?;
        Ok((address_of(&socket)?, socket))
    };
    match endpoint {
        Endpoint::Off => Ok(None),
        Endpoint::Address(address) => {
            let (address, socket) = listen(address).map_err(|error| fail(address, error))?;
            Ok(Some(Bound {
                address,
                sockets: vec![socket],
                without_ipv6: false,
            }))
        }
        Endpoint::Loopback(port) => bind_loopback(port, listen)
            .map(Some)
            .map_err(|(address, error)| fail(address, error)),
    }
}

fn bind_loopback<S>(
    port: u16,
    listen: impl Fn(SocketAddr) -> io::Result<(SocketAddr, S)>,
) -> Result<Bound<S>, (SocketAddr, io::Error)> {
    let mut attempts_left = PORT_ATTEMPTS;
    loop {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (address, v4) = listen(wanted).map_err(|error| (wanted, error))?;

        let beside = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
        match listen(beside) {
            Ok((_, v6)) => {
                return Ok(Bound {
                    address,
                    sockets: vec![v4, v6],
                    without_ipv6: false,
                });
            }
            Err(error) if is_missing_family(&error) => {
                return Ok(Bound {
                    address,
                    sockets: vec![v4],
                    without_ipv6: true,
                });
            }
            Err(error)
                if error.kind() == ErrorKind::AddrInUse && port == 0 && attempts_left > 0 =>
            {
                attempts_left -= 1;
            }
            Err(error) => return Err((beside, error)),
        }
    }
}

/// Whether the machine has no ::1: no such address, or IPv6 turned off altogether.
fn is_missing_family(error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn accept_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM, Protocol::TCP)?;
    // A restart must not wait for connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn receive_on(address: SocketAddr, buffer_bytes: usize) -> io::Result<UdpSocket> {
    // Without reuse of the address: two servers would share one port, and each would get part of the datagrams.
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_recv_buffer_size(buffer_bytes)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if let SocketAddr::V6(v6) = address {
        // `[::]` takes both families, whatever the machine's default is; ::1 only its own.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn port_0_is_one_port_on_both_loopback_addresses() {
        let bound = bind("web", Endpoint::Loopback(0)).unwrap().unwrap();
        assert_ne!(bound.address.port(), 0);
        for socket in &bound.sockets {
            assert_eq!(socket.local_addr().unwrap().port(), bound.address.port());
        }
        assert_eq!(bound.sockets.len(), if bound.without_ipv6 { 1 } else { 2 });
    }

    #[tokio::test]
    async fn datagrams_have_one_port_on_both_loopback_addresses_too() {
        let bound = bind_udp("jaeger_agent_compact", Endpoint::Loopback(0), 1 << 16)
            .unwrap()
            .unwrap();
        let port = bound.address.port();
        assert_ne!(port, 0);
        for socket in &bound.sockets {
            assert_eq!(socket.local_addr().unwrap().port(), port);
        }
        let error = bind_udp("jaeger_agent_binary", Endpoint::Loopback(port), 1 << 16).unwrap_err();
        assert!(error.to_string().contains("is in use"), "{error}");
        assert!(
            error.to_string().contains("--jaeger-agent-binary"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_the_setting_that_moves_it() {
        let bound = bind("web", Endpoint::Loopback(0)).unwrap().unwrap();
        let port = bound.address.port();
        let error = bind("otlp_http", Endpoint::Loopback(port)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "port {port} is in use (127.0.0.1:{port}); move this listener with --otlp-http, \
                 BACKTRAIL_OTLP_HTTP or otlp_http in the file, or turn it off with \"off\""
            )
        );
    }
}
