// SPDX-License-Identifier: GPL-2.0
//! Why an operation failed: whose fault, which process, which object; as the tools get it.

use core::fmt::{self, Write};
use kernel::alloc::AllocError;
use kernel::prelude::*;
pub use ssi_core::abi::FailureCode;
use ssi_core::abi::{self, FAILURE_TEXT};

/// A failure on its way to the caller. The node is filled in where it leaves the node.
#[derive(Clone, Copy)]
pub struct Failure(abi::Failure);

/// What most functions of the host return.
pub type Outcome<T = ()> = core::result::Result<T, Failure>;

impl Failure {
    /// A failure that concerns no particular process.
    pub fn new(code: FailureCode) -> Self {
        Failure(abi::Failure {
            code: code as u32,
            node: 0,
            pid: 0,
            fd: -1,
            errno: 0,
            text_len: 0,
            text: [0; FAILURE_TEXT],
        })
    }

    /// The process concerned.
    pub fn pid(mut self, pid: u32) -> Self {
        self.0.pid = pid;
        self
    }

    /// The node concerned.
    pub fn node(mut self, node: u32) -> Self {
        self.0.node = node;
        self
    }

    /// The descriptor concerned.
    pub fn fd(mut self, fd: i32) -> Self {
        self.0.fd = fd;
        self
    }

    /// The errno beneath.
    pub fn errno(mut self, error: Error) -> Self {
        self.0.errno = error.to_errno().unsigned_abs();
        self
    }

    /// What exactly stood in the way; cut off where it is longer than the field.
    pub fn text(mut self, text: fmt::Arguments<'_>) -> Self {
        self.0.text_len = 0;
        // A text that was cut still says the most of it.
        let _ = Cursor(&mut self.0).write_fmt(text);
        self
    }

    /// Raw bytes (a path, a comm) as the text.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        let len = bytes.len().min(FAILURE_TEXT);
        self.0.text[..len].copy_from_slice(&bytes[..len]);
        self.0.text_len = len as u32;
        self
    }

    /// The code.
    pub fn code(&self) -> FailureCode {
        FailureCode::new(self.0.code).unwrap_or(FailureCode::Internal)
    }

    /// As the tools get it.
    pub fn to_abi(self) -> abi::Failure {
        self.0
    }

    /// As the core takes it.
    pub fn to_core(self) -> ssi_core::failure::Failure {
        let unknown = ssi_core::failure::Failure::new(FailureCode::Internal);
        ssi_core::failure::Failure::try_from(&self.0).unwrap_or(unknown)
    }

    /// As the core says it.
    pub fn from_core(failure: &ssi_core::failure::Failure) -> Self {
        Failure(failure.into())
    }
}

impl From<AllocError> for Failure {
    fn from(_: AllocError) -> Self {
        Failure::new(FailureCode::NoMemory).errno(ENOMEM)
    }
}

/// An errno that no caller gave a meaning: out of memory, or a fault of ours.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = if error == ENOMEM {
            FailureCode::NoMemory
        } else {
            FailureCode::Internal
        };
        Failure::new(code).errno(error)
    }
}

struct Cursor<'a>(&'a mut abi::Failure);

impl Write for Cursor<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = self.0.text_len as usize;
        let len = text.len().min(FAILURE_TEXT - start);
        self.0.text[start..start + len].copy_from_slice(&text.as_bytes()[..len]);
        self.0.text_len += len as u32;
        if len < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
