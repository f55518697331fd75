// SPDX-License-Identifier: GPL-2.0
//! Why an operation failed: whose fault, which process, which object; as the tools get it.

use core::fmt::{self, Write};
use kernel::alloc::AllocError;
use kernel::prelude::*;
pub use ssi_core::abi::FailureCode;
use ssi_core::abi::{self, FAILURE_TEXT};
use ssi_core::text::Text;

/// A failure on its way to the caller. The node is filled in where it leaves the node.
///
/// Small, because every function that can fail has room for one on the kernel's stack.
pub struct Failure {
    code: FailureCode,
    node: u32,
    pid: u32,
    fd: i32,
    errno: u32,
    text: Option<KBox<Line>>,
}

/// With the text, where there is memory for another.
impl Clone for Failure {
    fn clone(&self) -> Self {
        let text = self.text.as_ref().and_then(|line| {
            let mut copy = Line::empty()?;
            copy.add(line.used());
            Some(copy)
        });
        Failure { text, ..*self }
    }
}

/// What most functions of the host return.
pub type Outcome<T = ()> = core::result::Result<T, Failure>;

impl Failure {
    /// A failure that concerns no particular process.
    pub fn new(code: FailureCode) -> Self {
        Failure {
            code,
            node: 0,
            pid: 0,
            fd: -1,
            errno: 0,
            text: None,
        }
    }

    /// The process concerned.
    pub fn pid(mut self, pid: u32) -> Self {
        self.pid = pid;
        self
    }

    /// The node concerned.
    pub fn node(mut self, node: u32) -> Self {
        self.node = node;
        self
    }

    /// The descriptor concerned.
    pub fn fd(mut self, fd: i32) -> Self {
        self.fd = fd;
        self
    }

    /// The errno beneath.
    pub fn errno(mut self, error: Error) -> Self {
        self.errno = error.to_errno().unsigned_abs();
        self
    }

    /// What exactly stood in the way; cut off where it is longer than the field, and missing
    /// where there is no memory for it.
    pub fn text(mut self, text: fmt::Arguments<'_>) -> Self {
        self.text = Line::empty();
        if let Some(line) = self.text.as_mut() {
            // A text that was cut still says the most of it.
            let _ = line.write_fmt(text);
        }
        self
    }

    /// Raw bytes (a path, a comm) as the text.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.text = Line::empty();
        if let Some(line) = self.text.as_mut() {
            line.add(bytes);
        }
        self
    }

    /// The code.
    pub fn code(&self) -> FailureCode {
        self.code
    }

    /// As the tools get it.
    pub fn to_abi(&self) -> abi::Failure {
        let (text, text_len) = match self.text.as_ref() {
            Some(line) => (line.bytes, line.len as u32),
            None => ([0; FAILURE_TEXT], 0),
        };
        abi::Failure {
            code: self.code as u32,
            node: self.node,
            pid: self.pid,
            fd: self.fd,
            errno: self.errno,
            text_len,
            text,
        }
    }

    /// As the core takes it.
    pub fn to_core(&self) -> ssi_core::failure::Failure {
        let text = match self.text.as_ref() {
            Some(line) => Text::cut(line.used()),
            None => Text::EMPTY,
        };
        ssi_core::failure::Failure {
            code: self.code,
            node: self.node,
            pid: self.pid,
            fd: self.fd,
            errno: self.errno,
            text,
        }
    }

    /// As the core says it.
    pub fn from_core(failure: &ssi_core::failure::Failure) -> Self {
        let host = Failure {
            code: failure.code,
            node: failure.node,
            pid: failure.pid,
            fd: failure.fd,
            errno: failure.errno,
            text: None,
        };
        match failure.text.as_bytes() {
            [] => host,
            text => host.bytes(text),
        }
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

/// A line of text that is cut off where it is full.
struct Line {
    len: usize,
    bytes: [u8; FAILURE_TEXT],
}

impl Line {
    fn empty() -> Option<KBox<Line>> {
        let line = Line {
            len: 0,
            bytes: [0; FAILURE_TEXT],
        };
        KBox::new(line, GFP_KERNEL).ok()
    }

    fn used(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Appends as much as fits, and says whether that was all.
    fn add(&mut self, more: &[u8]) -> bool {
        let len = more.len().min(FAILURE_TEXT - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&more[..len]);
        self.len += len;
        len == more.len()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.add(text.as_bytes()) {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}
