//! Endpoints: who recorded a span, and who was on the other side.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::span::{CLIENT, PRODUCER};
use crate::otlp::AnyValue;

/// One side of a call. What is empty or zero is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Endpoint<'a> {
    pub service_name: Cow<'a, str>,
    pub ipv4: Option<Ipv4Addr>,
    pub ipv6: Option<Ipv6Addr>,
    pub port: u16,
}

impl Endpoint<'_> {
    /// Notes an address by what it is, whatever field it stands in. As in Zipkin, what is no address is not there.
    pub(super) fn set_address(&mut self, text: &str) {
        if let Ok(address) = text.parse() {
            self.set_ip(address);
        }
    }

    pub(super) fn set_ip(&mut self, address: IpAddr) {
        match address.to_canonical() {
            IpAddr::V4(address) => self.ipv4 = Some(address),
            IpAddr::V6(address) => self.ipv6 = Some(address),
        }
    }

    /// The address that is told where there is room for one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.ipv4.map(IpAddr::V4).or(self.ipv6.map(IpAddr::V6))
    }
}

/// The attributes that tell an endpoint of a span, and the one that tells it where they can't.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndpointKeys {
    /// A string. The local endpoint's service is the resource's.
    pub service_name: Option<&'static str>,
    /// A string.
    pub address: &'static str,
    /// An integer.
    pub port: &'static str,
    /// A map.
    pub explicit: &'static str,
}

pub(super) const LOCAL: EndpointKeys = EndpointKeys {
    service_name: None,
    address: "network.local.address",
    port: "network.local.port",
    explicit: "zipkin.local_endpoint",
};

pub(super) const REMOTE: EndpointKeys = EndpointKeys {
    service_name: Some("peer.service"),
    address: "network.peer.address",
    port: "network.peer.port",
    explicit: "zipkin.remote_endpoint",
};

impl EndpointKeys {
    /// The keys of the attributes that are written for an endpoint, and are no tags therefore.
    pub(super) fn plain(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.service_name
            .into_iter()
            .chain([self.address, self.port])
    }
}

/// An endpoint that attributes tell, and those of the plain keys that tell it.
#[derive(Debug, Clone, Default)]
pub(super) struct Told<'a> {
    pub endpoint: Endpoint<'a>,
    pub by: [Option<&'static str>; 3],
}

/// What the plain keys tell. `get` gives the first attribute of a name.
pub(super) fn plainly_told<'a>(
    keys: &EndpointKeys,
    get: impl Fn(&str) -> Option<AnyValue<'a>>,
) -> Told<'a> {
    let mut told = Told::default();
    if let Some(key) = keys.service_name
        && let Some(AnyValue::String(name)) = get(key)
        && !name.is_empty()
    {
        told.endpoint.service_name = Cow::Borrowed(name);
        told.by[0] = Some(key);
    }
    if let Some(AnyValue::String(address)) = get(keys.address) {
        told.endpoint.set_address(address);
        told.by[1] = told.endpoint.address().map(|_| keys.address);
    }
    if let Some(AnyValue::Int(port)) = get(keys.port)
        && let Ok(port) = u16::try_from(port)
        && port != 0
    {
        told.endpoint.port = port;
        told.by[2] = Some(keys.port);
    }
    told
}

/// Attributes that name the other side, in the specification's order after `peer.service`, each with that of its port.
const REMOTE_BY_RANK: [(&str, Option<&str>); 10] = [
    ("server.address", Some("server.port")),
    ("net.peer.name", Some("net.peer.port")),
    ("network.peer.address", None),
    ("server.socket.domain", None),
    ("server.socket.address", Some("server.socket.port")),
    ("net.sock.peer.name", None),
    ("net.sock.peer.addr", Some("net.sock.peer.port")),
    ("peer.hostname", None),
    ("peer.address", None),
    ("db.name", None),
];

/// The remote endpoint of a span that the plain keys and, for a caller, the specification's list tell.
pub(super) fn remote_told<'a>(kind: i32, get: impl Fn(&str) -> Option<AnyValue<'a>>) -> Told<'a> {
    let mut told = plainly_told(&REMOTE, &get);
    if !matches!(kind, CLIENT | PRODUCER) || !told.endpoint.service_name.is_empty() {
        return told;
    }
    let found = REMOTE_BY_RANK
        .iter()
        .find_map(|(key, port_key)| match get(key) {
            Some(AnyValue::String(name)) if !name.is_empty() => Some((*key, name, *port_key)),
            _ => None,
        });
    let Some((key, name, port_key)) = found else {
        return told;
    };
    if key == REMOTE.address && told.endpoint.address().is_some() {
        return told;
    }
    if name.parse::<IpAddr>().is_err() {
        told.endpoint.service_name = Cow::Borrowed(name);
    } else if told.endpoint.address().is_none() {
        told.endpoint.set_address(name);
    }
    if told.endpoint.port == 0
        && let Some(AnyValue::Int(port)) = port_key.and_then(get)
    {
        told.endpoint.port = u16::try_from(port).unwrap_or_default();
    }
    told
}
