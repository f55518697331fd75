// SPDX-License-Identifier: GPL-2.0
//! Listening TCP sockets, at their old addresses.

use super::options::{from_image, to_image};
use super::{check, ends};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::object::payload::{bounded, emit_only, only, Sink};
use crate::object::OpenFile;
use crate::sys::file::FileRef;
use crate::sys::tcp::{Pair, SockRef};
use crate::sys::tcpmake::Socket;
use ssi_core::image::frame::Kind;
use ssi_core::image::socket::{TcpListener, BACKLOG_MAX};

/// A saved listener.
pub(in crate::object) struct Listener {
    record: TcpListener,
}

impl Listener {
    pub(in crate::object) fn save(open: &OpenFile, sock: &SockRef) -> Outcome<Listener> {
        let info = sock.info();
        check(open, &info)?;
        let record = TcpListener {
            flags: open.info.flags,
            backlog: info.backlog,
            near: ends(&info.name.pair).near,
            options: to_image(&sock.options()),
        };
        Ok(Listener { record })
    }

    pub(in crate::object) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::TcpListener, id, &self.record, sink)
    }
}

/// A listener to make again.
pub(in crate::object) struct Rebuilt {
    record: TcpListener,
    socket: Option<Socket>,
}

impl Rebuilt {
    pub(in crate::object) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: TcpListener = only(payload)?;
        bounded(
            record.backlog as usize,
            BACKLOG_MAX,
            "backlog of a listener",
        )?;
        bounded(record.near.port as usize, 65535, "port of a listener")?;
        let socket = None;
        Ok(Rebuilt { record, socket })
    }

    /// Listens again; connections of the backlog can be queued in it from now on.
    pub(in crate::object) fn create(&mut self) -> Outcome {
        let near = Pair {
            near_address: self.record.near.address,
            near_port: self.record.near.port,
            ..Pair::default()
        };
        let options = from_image(&self.record.options);
        let socket = Socket::serve(&near, self.record.backlog, &options).map_err(|error| {
            let failure = Failure::new(FailureCode::Incompatible).errno(error);
            failure.text(format_args!("TCP port {}", self.record.near.port))
        })?;
        let name = crate::sys::tcp::Name {
            pair: near,
            ..Default::default()
        };
        // Connections that are queued in it answer their old names to accept(2) by its operations.
        socket.set_name(&name)?;
        self.socket = Some(socket);
        Ok(())
    }

    pub(in crate::object) fn socket(&self) -> Option<&Socket> {
        self.socket.as_ref()
    }

    pub(in crate::object) fn take_file(&mut self) -> Outcome<FileRef> {
        let socket = self
            .socket
            .take()
            .ok_or(Failure::new(FailureCode::Internal))?;
        Ok(socket.into_file(self.record.flags)?)
    }
}
