//! Which addresses our own requests may go to.
//!
//! Adding a peer makes the server fetch an address somebody typed. Peers on the school's own network
//! and on the machine itself are usual, so private and loopback addresses stay allowed; what no
//! peer can live at, and what gives out a cloud machine's secrets, does not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why nothing is sent to an address; in words that fit "… is {reason}".
#[must_use]
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => embedded_v4(address)
            .into_iter()
            .find_map(refusal_v4)
            .or_else(|| refusal_v6(address)),
    }
}

/// The metadata services that live outside the link-local range: Alibaba Cloud, Azure's wire server,
/// Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The services over IPv6: Amazon's metadata, Amazon's identities of pods (EKS), Google's metadata.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    if address.octets()[0] == 0 {
        Some("an unspecified address")
    } else if address.is_link_local() {
        Some("a link-local address, where cloud machines keep their metadata")
    } else if METADATA_V4.contains(&address) {
        Some("a cloud provider's metadata service")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.is_broadcast() {
        Some("the broadcast address")
    } else {
        None
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        Some("an unspecified address")
    } else if address.is_unicast_link_local() {
        Some("a link-local address")
    } else if METADATA_V6.contains(&address) {
        Some("a cloud provider's metadata service")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else {
        None
    }
}

/// The IPv4 addresses a packet to `address` may end at: mapped and compatible (RFC 4291), translated
/// (RFC 2765), NAT64 (RFC 6052, and RFC 8215 for local use), 6to4 (RFC 3056), and Teredo, which names
/// its server and its client (RFC 4380).
fn embedded_v4(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let octets = address.octets();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let last = at([12, 13, 14, 15]);
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => vec![last],
        [0, 0, 0, 0, 0, 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => vec![last],
        [0x64, 0xff9b, 1, ..] => {
            // How long its translator's prefix is cannot be seen: /48, /56 and /64 pass over octet 8.
            // Read with the wrong length, an address may begin with zeros, which tells nothing.
            [
                [6, 7, 9, 10],
                [7, 9, 10, 11],
                [9, 10, 11, 12],
                [12, 13, 14, 15],
            ]
            .map(at)
            .into_iter()
            .filter(|inner| inner.octets()[0] != 0)
            .collect()
        }
        [0x2002, ..] => vec![at([2, 3, 4, 5])],
        [0x2001, 0, ..] => vec![at([4, 5, 6, 7]), Ipv4Addr::from_bits(!last.to_bits())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_network_is_reachable() {
        for address in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "192.168.0.10",
            "172.16.9.1",
            "203.0.113.7",
            "fd12:3456::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::192.0.2.1",
            "64:ff9b:1::10.0.0.1",
            "64:ff9b:1:c000:2:100::",
            "2002:a00:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ] {
            assert_eq!(refusal(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn metadata_multicast_and_link_local_are_not() {
        for address in [
            "169.254.169.254",
            "169.254.1.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::ffff:0.0.0.0",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::100.100.100.200",
            // Of a translator whose prefix has 96, 48, 56 or 64 bits.
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:cafe::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:00a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "2002:a9fe:a9fe::1",
            // Teredo: the server's address, then the client's, its bits turned over.
            "2001:0:a9fe:a9fe:8000:63bf:3fff:fdd2",
            "2001:0:4136:e378:8000:63bf:5601:5601",
        ] {
            assert!(refusal(address.parse().unwrap()).is_some(), "{address}");
        }
    }
}
