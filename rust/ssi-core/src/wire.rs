// SPDX-License-Identifier: GPL-2.0
//! What nodes say to each other: the header before every message, and one enum per protocol.
//!
//! A connection carries messages back to back. A reader takes [`HEADER_BYTES`], parses the
//! [`Header`], takes [`Header::body_bytes`] more, and parses the whole with [`Message::parse`].

use crate::codec::{CodecError, Field, Reader, Writer};
use crate::limits::MESSAGE_BYTES_MAX;
use crate::node::{Epoch, NodeId, OpId};
use crate::record;

/// Declares the messages of a protocol: variants named as their structs, each with a number.
macro_rules! protocol {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$vmeta:meta])* $variant:ident = $number:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$vmeta])* $variant($variant)),* }

        impl $name {
            /// Longest body of this protocol, in bytes.
            pub const LONGEST: usize = {
                let mut longest = 0;
                $(if <$variant as $crate::codec::Field>::SIZE > longest {
                    longest = <$variant as $crate::codec::Field>::SIZE;
                })*
                longest
            };

            /// Number of the message; no two protocols share one.
            pub const fn kind(&self) -> u16 {
                match self { $($name::$variant(_) => $number),* }
            }

            /// Name of the message.
            pub const fn name(&self) -> &'static str {
                match self { $($name::$variant(_) => stringify!($variant)),* }
            }

            pub(crate) fn put(
                &self,
                writer: &mut $crate::codec::Writer<'_>,
            ) -> Result<(), $crate::codec::CodecError> {
                match self { $($name::$variant(body) => writer.field(body)),* }
            }

            pub(crate) const fn size(&self) -> usize {
                match self { $($name::$variant(_) => <$variant as $crate::codec::Field>::SIZE),* }
            }

            pub(crate) fn take(
                kind: u16,
                bytes: &[u8],
            ) -> Result<Option<$name>, $crate::codec::CodecError> {
                match kind {
                    $($number => {
                        Ok(Some($name::$variant(<$variant as $crate::codec::Field>::take(bytes)?)))
                    })*
                    _ => Ok(None),
                }
            }
        }
    };
}

/// Declares messages that have no body.
macro_rules! signals {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name;

        impl $crate::codec::Field for $name {
            const SIZE: usize = 0;
            fn put(&self, out: &mut [u8]) -> Result<(), $crate::codec::CodecError> {
                $crate::codec::Writer::new(out).done()
            }
            fn take(bytes: &[u8]) -> Result<Self, $crate::codec::CodecError> {
                $crate::codec::Reader::new(bytes).done()?;
                Ok($name)
            }
        }
    )*};
}

pub mod bulk;
pub mod checkpoint;
pub mod copy;
pub mod flush;
pub mod member;
pub mod process;
pub mod relay;
pub mod restart;
pub mod stream;
#[cfg(test)]
mod tests;

/// Starts every message: `SSIm` in little-endian.
pub const MAGIC: u32 = 0x6d49_5353;

/// Version of everything in this module. Nodes of different versions refuse each other.
pub const VERSION: u16 = 7;

record! {
    /// The bytes before every body.
    pub struct Header {
        /// [`MAGIC`].
        pub magic: u32,
        /// [`VERSION`].
        pub version: u16,
        /// Number of the message.
        pub kind: u16,
        /// Bytes of the body.
        pub len: u32,
        /// Who sends.
        pub sender: NodeId,
        /// The sender's epoch.
        pub epoch: Epoch,
        /// Number of the operation, 0 in messages of no operation.
        pub op_number: u32,
        /// Raw id of the operation's root, or 0.
        pub op_root: u32,
        /// The root's epoch, or 0.
        pub op_epoch: u64,
    }
}

/// Bytes of a [`Header`].
pub const HEADER_BYTES: usize = Header::SIZE;

/// Longest message, in bytes.
pub const LONGEST: usize = HEADER_BYTES
    + longest(&[
        member::Message::LONGEST,
        process::Message::LONGEST,
        checkpoint::Message::LONGEST,
        copy::Message::LONGEST,
        flush::Message::LONGEST,
        restart::Message::LONGEST,
        stream::Message::LONGEST,
    ]);

/// One message with who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// Who sends.
    pub sender: NodeId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// What is said.
    pub body: Body,
}

/// The protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// Membership: docs/protocol/membership.md.
    Member(member::Message),
    /// Where processes are.
    Process(process::Message),
    /// A checkpoint: docs/protocol/checkpoint.md.
    Checkpoint(OpId, checkpoint::Message),
    /// Second copies, and who holds what: docs/protocol/copies.md.
    Copy(OpId, copy::Message),
    /// A version to another store: docs/protocol/flush.md.
    Flush(OpId, flush::Message),
    /// A restart: docs/protocol/restart.md.
    Restart(OpId, restart::Message),
    /// The streams of a restart: docs/protocol/streams.md.
    Stream(OpId, stream::Message),
}

impl Header {
    /// The header of a body of `len` bytes in an operation: who sends, its epoch, which operation.
    fn of(kind: u16, len: usize, from: (NodeId, Epoch, OpId)) -> Result<Header, CodecError> {
        let (sender, epoch, op) = from;
        Ok(Header {
            magic: MAGIC,
            version: VERSION,
            kind,
            len: u32::try_from(len).map_err(|_| CodecError::Length)?,
            sender,
            epoch,
            op_number: op.number,
            op_root: op.root.raw(),
            op_epoch: op.epoch.0,
        })
    }

    /// The header at the start of `bytes`, which are [`HEADER_BYTES`] long.
    ///
    /// # Errors
    /// [`CodecError::Length`] for another length of `bytes`; [`CodecError::Value`] for a wrong
    /// magic or version, no node, or a body that is longer than any of
    /// its kind.
    pub fn parse(bytes: &[u8]) -> Result<Header, CodecError> {
        let header = Header::take(bytes)?;
        let most = match header.kind {
            bulk::KIND => bulk::BODY_BYTES_MAX,
            relay::KIND => relay::BODY_BYTES_MAX,
            _ => MESSAGE_BYTES_MAX.saturating_sub(HEADER_BYTES),
        };
        // CAST: 32 bits fit in a usize on every supported machine.
        let fits = header.len as usize <= most;
        if header.magic == MAGIC && header.version == VERSION && fits {
            Ok(header)
        } else {
            Err(CodecError::Value)
        }
    }

    /// The header of a whole message, and its body: nothing is missing, and nothing comes after it.
    fn split(bytes: &[u8]) -> Result<(Header, &[u8]), CodecError> {
        let mut reader = Reader::new(bytes);
        let header = Header::parse(reader.bytes(HEADER_BYTES)?)?;
        let body = reader.bytes(header.body_bytes())?;
        reader.done()?;
        Ok((header, body))
    }

    /// The same for a message of this kind only.
    fn split_of(bytes: &[u8], kind: u16) -> Result<(Header, Reader<'_>), CodecError> {
        let (header, body) = Header::split(bytes)?;
        if header.kind != kind {
            return Err(CodecError::Value);
        }
        Ok((header, Reader::new(body)))
    }

    /// Whether `bytes` start as a message of this kind does.
    fn begins(bytes: &[u8], kind: u16) -> bool {
        let head = bytes.get(..HEADER_BYTES);
        head.is_some_and(|head| Header::parse(head).is_ok_and(|header| header.kind == kind))
    }

    /// Bytes that follow.
    pub const fn body_bytes(&self) -> usize {
        // CAST: 32 bits fit in a usize on every supported machine.
        self.len as usize
    }

    fn op(&self) -> Result<OpId, CodecError> {
        let root = NodeId::new(self.op_root).ok_or(CodecError::Value)?;
        if self.op_number == 0 {
            return Err(CodecError::Value);
        }
        Ok(OpId {
            root,
            epoch: Epoch(self.op_epoch),
            number: self.op_number,
        })
    }

    fn no_op(&self) -> Result<(), CodecError> {
        if self.op_root == 0 && self.op_number == 0 && self.op_epoch == 0 {
            Ok(())
        } else {
            Err(CodecError::Value)
        }
    }
}

impl Message {
    /// Writes the message at the start of `out`; gives the bytes used.
    ///
    /// # Errors
    /// [`CodecError::Length`] where `out` is too short; [`MESSAGE_BYTES_MAX`] always suffice.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        let body = self.body.size();
        let total = HEADER_BYTES.checked_add(body).ok_or(CodecError::Length)?;
        let op = self.body.op();
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            kind: self.body.kind(),
            len: u32::try_from(body).map_err(|_| CodecError::Length)?,
            sender: self.sender,
            epoch: self.epoch,
            op_number: op.map_or(0, |op| op.number),
            op_root: op.map_or(0, |op| op.root.raw()),
            op_epoch: op.map_or(0, |op| op.epoch.0),
        };
        let mut writer = Writer::new(out.get_mut(..total).ok_or(CodecError::Length)?);
        writer.field(&header)?;
        match &self.body {
            Body::Member(message) => message.put(&mut writer)?,
            Body::Process(message) => message.put(&mut writer)?,
            Body::Checkpoint(_, message) => message.put(&mut writer)?,
            Body::Copy(_, message) => message.put(&mut writer)?,
            Body::Flush(_, message) => message.put(&mut writer)?,
            Body::Restart(_, message) => message.put(&mut writer)?,
            Body::Stream(_, message) => message.put(&mut writer)?,
        }
        writer.done()?;
        Ok(total)
    }

    /// The message that `bytes` hold, header included, and nothing after it.
    ///
    /// # Errors
    /// What [`Header::parse`] refuses; a kind that this build does not know; a body that is not
    /// one of its kind; an operation where none belongs, or none where one does.
    pub fn parse(bytes: &[u8]) -> Result<Message, CodecError> {
        let (header, body) = Header::split(bytes)?;
        Ok(Message {
            sender: header.sender,
            epoch: header.epoch,
            body: Body::take(&header, body)?,
        })
    }
}

impl Body {
    /// The operation that the message belongs to.
    pub const fn op(&self) -> Option<OpId> {
        match self {
            Body::Member(_) | Body::Process(_) => None,
            Body::Checkpoint(op, _)
            | Body::Copy(op, _)
            | Body::Flush(op, _)
            | Body::Restart(op, _)
            | Body::Stream(op, _) => Some(*op),
        }
    }

    /// Number of the message.
    pub const fn kind(&self) -> u16 {
        match self {
            Body::Member(message) => message.kind(),
            Body::Process(message) => message.kind(),
            Body::Checkpoint(_, message) => message.kind(),
            Body::Copy(_, message) => message.kind(),
            Body::Flush(_, message) => message.kind(),
            Body::Restart(_, message) => message.kind(),
            Body::Stream(_, message) => message.kind(),
        }
    }

    const fn size(&self) -> usize {
        match self {
            Body::Member(message) => message.size(),
            Body::Process(message) => message.size(),
            Body::Checkpoint(_, message) => message.size(),
            Body::Copy(_, message) => message.size(),
            Body::Flush(_, message) => message.size(),
            Body::Restart(_, message) => message.size(),
            Body::Stream(_, message) => message.size(),
        }
    }

    fn take(header: &Header, bytes: &[u8]) -> Result<Body, CodecError> {
        let kind = header.kind;
        if let Some(message) = member::Message::take(kind, bytes)? {
            header.no_op()?;
            return Ok(Body::Member(message));
        }
        if let Some(message) = process::Message::take(kind, bytes)? {
            header.no_op()?;
            return Ok(Body::Process(message));
        }
        if let Some(message) = checkpoint::Message::take(kind, bytes)? {
            return Ok(Body::Checkpoint(header.op()?, message));
        }
        if let Some(message) = copy::Message::take(kind, bytes)? {
            return Ok(Body::Copy(header.op()?, message));
        }
        if let Some(message) = flush::Message::take(kind, bytes)? {
            return Ok(Body::Flush(header.op()?, message));
        }
        if let Some(message) = restart::Message::take(kind, bytes)? {
            return Ok(Body::Restart(header.op()?, message));
        }
        match stream::Message::take(kind, bytes)? {
            Some(message) => Ok(Body::Stream(header.op()?, message)),
            None => Err(CodecError::Value),
        }
    }
}

const fn longest(sizes: &[usize]) -> usize {
    let mut longest = 0;
    let mut rest = sizes;
    while let [size, others @ ..] = rest {
        if *size > longest {
            longest = *size;
        }
        rest = others;
    }
    longest
}
