// SPDX-License-Identifier: GPL-2.0
//! Why an operation failed: what stood in the way, where, and whose fault it is.

use crate::abi::{self, FailureCode};
use crate::codec::{CodecError, Field};
use crate::limits::FAILURE_TEXT_MAX;
use crate::node::NodeId;
use crate::record;
use crate::text::Text;

record! {
    /// A failure as it travels between nodes and through the state machines.
    pub struct Failure {
        /// What kind of failure.
        pub code: FailureCode,
        /// Raw id of the node that refused or failed, 0 where none is concerned.
        pub node: u32,
        /// The process concerned, or 0.
        pub pid: u32,
        /// The descriptor concerned, or -1.
        pub fd: i32,
        /// The errno beneath, positive, or 0.
        pub errno: u32,
        /// The kind of object, the path or the name concerned.
        pub text: Text<FAILURE_TEXT_MAX>,
    }
}

impl Failure {
    /// A failure of which only the code is known.
    pub const fn new(code: FailureCode) -> Failure {
        Failure {
            code,
            node: 0,
            pid: 0,
            fd: -1,
            errno: 0,
            text: Text::EMPTY,
        }
    }

    /// The same, on `node`.
    #[must_use]
    pub const fn on(mut self, node: NodeId) -> Failure {
        self.node = node.raw();
        self
    }

    /// The same, about process `pid`.
    #[must_use]
    pub const fn of(mut self, pid: u32) -> Failure {
        self.pid = pid;
        self
    }

    /// The same, with the first bytes of `text`.
    #[must_use]
    pub fn named(mut self, text: &[u8]) -> Failure {
        self.text = Text::cut(text);
        self
    }

    /// The same, caused by `errno` (positive).
    #[must_use]
    pub const fn because(mut self, errno: u32) -> Failure {
        self.errno = errno;
        self
    }
}

impl From<&Failure> for abi::Failure {
    fn from(failure: &Failure) -> abi::Failure {
        let mut text = [0; abi::FAILURE_TEXT];
        let mut text_len = 0u32;
        for (to, from) in text.iter_mut().zip(failure.text.as_bytes()) {
            *to = *from;
            text_len = text_len.saturating_add(1);
        }
        abi::Failure {
            // CAST: a `repr(u32)` enum.
            code: failure.code as u32,
            node: failure.node,
            pid: failure.pid,
            fd: failure.fd,
            errno: failure.errno,
            text_len,
            text,
        }
    }
}

impl TryFrom<&abi::Failure> for Failure {
    type Error = CodecError;

    fn try_from(failure: &abi::Failure) -> Result<Failure, CodecError> {
        let len = usize::try_from(failure.text_len).map_err(|_| CodecError::Length)?;
        let text = failure.text.get(..len).ok_or(CodecError::Length)?;
        Ok(Failure {
            code: FailureCode::new(failure.code).ok_or(CodecError::Value)?,
            node: failure.node,
            pid: failure.pid,
            fd: failure.fd,
            errno: failure.errno,
            text: Text::cut(text),
        })
    }
}

impl Field for FailureCode {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        // CAST: a `repr(u32)` enum.
        (*self as u32).put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        FailureCode::new(Field::take(bytes)?).ok_or(CodecError::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_the_caller_and_back() {
        let node = NodeId::new(7).unwrap();
        let failure = Failure::new(FailureCode::Unsupported)
            .on(node)
            .of(9)
            .named(b"memfd");
        let told = abi::Failure::from(&failure);
        assert_eq!(
            (told.code, told.node, told.fd, told.text_len),
            (5, 7, -1, 5)
        );
        assert_eq!(Failure::try_from(&told), Ok(failure));
        assert_eq!(
            Failure::try_from(&abi::Failure {
                text_len: 201,
                ..told
            }),
            Err(CodecError::Length)
        );
        assert_eq!(
            Failure::try_from(&abi::Failure { code: 0, ..told }),
            Err(CodecError::Value)
        );
    }
}
