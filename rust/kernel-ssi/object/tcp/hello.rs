// SPDX-License-Identifier: GPL-2.0
//! The first bytes on a restored connection: which end this is, with a proof that a node says so.

use super::transfer::{StreamBinder, PEER_MS};
use crate::sys::tcpmake::Socket;
use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::socket::{TcpHello, HELLO_MAGIC};
use ssi_core::member::same_mac;
use ssi_core::wire::member::Mac;

/// Sends `hello` and its MAC.
pub(super) fn send(socket: &Socket, hello: &TcpHello, binder: &dyn StreamBinder) -> Result {
    let mut bytes = [0; TcpHello::SIZE];
    hello.put(&mut bytes).map_err(|_| EINVAL)?;
    socket.send(&bytes, PEER_MS)?;
    socket.send(&binder.sign(&bytes)?, PEER_MS)
}

/// Reads a hello. EACCES where no node of this restart has made it.
pub(super) fn read(socket: &Socket, binder: &dyn StreamBinder) -> Result<TcpHello> {
    let mut bytes = [0; TcpHello::SIZE];
    let mut mac: Mac = Default::default();
    socket.recv(&mut bytes, PEER_MS)?;
    socket.recv(&mut mac, PEER_MS)?;
    if !same_mac(&binder.sign(&bytes)?, &mac) {
        return Err(EACCES);
    }
    let hello = TcpHello::take(&bytes).map_err(|_| EINVAL)?;
    if hello.magic != HELLO_MAGIC || hello.operation != binder.operation() {
        return Err(EINVAL);
    }
    Ok(hello)
}
