//! Reserves a port of this machine on which no process listens.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

/// A port that is held. Nobody else is given it, and who asks for it by its number, as servers do with `SO_REUSEADDR`,
/// may listen there.
pub struct Port {
    _held: OwnedFd,
    /// Its number.
    pub number: u16,
}

impl Port {
    /// One that was free.
    pub fn hold() -> Port {
        let held = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        set_socket_reuseaddr(&held, true).expect("a shared address");
        bind(&held, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = getsockname(&held).expect("its address");
        let address = SocketAddrV4::try_from(address).expect("an address of this machine");
        Port {
            _held: held,
            number: address.port(),
        }
    }
}
