// SPDX-License-Identifier: GPL-2.0
//! TCP sockets without a connection: not connected, not yet, or dead with nothing left to read.

use super::options::{from_image, to_image};
use super::{check, ends};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::object::payload::{bounded, emit_only, only, Sink};
use crate::object::OpenFile;
use crate::sys::file::FileRef;
use crate::sys::tcp::{state, Pair, SockRef};
use crate::sys::tcpmake::{begin_connect, Socket};
use ssi_core::image::frame::Kind;
use ssi_core::image::socket::TcpIdle;
use ssi_core::stream::End;

const NONE: End = End {
    address: 0,
    port: 0,
};

/// A saved socket.
pub(in crate::object) struct Idle {
    record: TcpIdle,
}

impl Idle {
    pub(in crate::object) fn save(open: &OpenFile, sock: &SockRef) -> Outcome<Idle> {
        let info = sock.info();
        check(open, &info)?;
        let record = TcpIdle {
            flags: open.info.flags,
            shutdown: info.shutdown,
            error: info.error,
            reserved: 0,
            near: ends(&info.name.pair).near,
            far: if info.state == state::SYN_SENT {
                ends(&info.real).far
            } else {
                NONE
            },
            options: to_image(&sock.options()),
        };
        Ok(Idle { record })
    }

    pub(in crate::object) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::TcpIdle, id, &self.record, sink)
    }
}

/// A socket to make again.
pub(in crate::object) struct Rebuilt {
    record: TcpIdle,
}

impl Rebuilt {
    pub(in crate::object) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: TcpIdle = only(payload)?;
        bounded(record.near.port as usize, 65535, "port of a socket")?;
        bounded(record.far.port as usize, 65535, "port of a socket")?;
        bounded(record.error as usize, 4095, "error of a socket")?;
        Ok(Rebuilt { record })
    }

    /// Goes on connecting, when every listener is there again.
    pub(in crate::object) fn go_on(&self, file: &FileRef) -> Outcome {
        let far = &self.record.far;
        if far.port != 0 {
            begin_connect(file, far.address, far.port)?;
        }
        Ok(())
    }

    pub(in crate::object) fn create(&self) -> Outcome<FileRef> {
        let record = &self.record;
        let near = Pair {
            near_address: record.near.address,
            near_port: record.near.port,
            ..Pair::default()
        };
        // A dead connection had its port from a connection, and needs none any more.
        let locks = if record.shutdown == 0 {
            record.options.locks
        } else {
            0
        };
        let socket = Socket::idle(&near, locks).map_err(|error| {
            let failure = Failure::new(FailureCode::Incompatible).errno(error);
            failure.text(format_args!("TCP port {}", record.near.port))
        })?;
        socket.apply(&from_image(&record.options))?;
        socket.shut(record.shutdown, record.error)?;
        Ok(socket.into_file(record.flags)?)
    }
}
