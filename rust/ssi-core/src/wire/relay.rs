// SPDX-License-Identifier: GPL-2.0
//! Links for a child, as many as a batch has, on the same connections as messages, and longer.
//!
//! A batch is a [`Header`] and one [`Link`] after the other. Hosts keep links as they come, so that
//! neither a state machine nor a stack has room for more than one.

use super::{Header, HEADER_BYTES};
use crate::checkpoint::Link;
use crate::codec::{CodecError, Field, Reader, Writer};
use crate::limits::RELAY_MAX;
use crate::node::{Epoch, NodeId, OpId};

/// Number of this message; no [`super::Message`] has it.
pub const KIND: u16 = 46;

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = RELAY_MAX.saturating_mul(Link::SIZE);

/// Longest batch, header included.
pub const BYTES_MAX: usize = HEADER_BYTES.saturating_add(BODY_BYTES_MAX);

/// Whose a batch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relay {
    /// Who sends.
    pub sender: NodeId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// The checkpoint that it belongs to.
    pub op: OpId,
}

/// Bytes of a batch of `count` links, header included.
pub const fn bytes(count: u32) -> usize {
    // CAST: 32 bits fit in a usize on every supported machine.
    HEADER_BYTES.saturating_add((count as usize).saturating_mul(Link::SIZE))
}

impl Relay {
    /// Writes a batch over `out`, which has the [`bytes`] of as many links as `links` has.
    ///
    /// # Errors
    /// [`CodecError::Length`] for another length of `out`, and where that is no or too many links.
    pub fn emit(
        &self,
        links: &mut dyn Iterator<Item = Link>,
        out: &mut [u8],
    ) -> Result<(), CodecError> {
        let body = out.len().saturating_sub(HEADER_BYTES);
        if body == 0 || body > BODY_BYTES_MAX {
            return Err(CodecError::Length);
        }
        let mut writer = Writer::new(out);
        writer.field(&Header::of(KIND, body, (self.sender, self.epoch, self.op))?)?;
        for link in links {
            writer.field(&link)?;
        }
        writer.done()
    }

    /// Whether `bytes` start as a batch does, and no other message.
    pub fn is(bytes: &[u8]) -> bool {
        Header::begins(bytes, KIND)
    }

    /// Whose the batch is that `bytes` hold, header included, and nothing after it. What
    /// [`links`] gives of them is then all of it.
    ///
    /// # Errors
    /// What [`Header::parse`] refuses; another kind; another length than the header says; no link,
    /// or something that is none.
    pub fn parse(bytes: &[u8]) -> Result<Relay, CodecError> {
        let (header, mut body) = Header::split_of(bytes, KIND)?;
        // One that says nothing is not worth a message.
        body.field::<Link>()?;
        while body.room() > 0 {
            body.field::<Link>()?;
        }
        Ok(Relay {
            sender: header.sender,
            epoch: header.epoch,
            op: header.op()?,
        })
    }
}

/// The links of a batch that [`Relay::parse`] has found to be one.
pub fn links(bytes: &[u8]) -> impl Iterator<Item = Link> + '_ {
    let mut body = Reader::new(bytes.get(HEADER_BYTES..).unwrap_or(&[]));
    core::iter::from_fn(move || body.field().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Seed;
    use crate::node::ClusterPid;

    fn link(raw: u32) -> Link {
        Link {
            node: NodeId::new(raw % 200 + 1).unwrap(),
            seed: Seed::Son(ClusterPid::new((1 << 22) | (300 + raw)).unwrap()),
        }
    }

    fn relay() -> Relay {
        Relay {
            sender: NodeId::new(2).unwrap(),
            epoch: Epoch(8),
            op: OpId {
                root: NodeId::new(1).unwrap(),
                epoch: Epoch(9),
                number: 5,
            },
        }
    }

    fn emit(count: u32) -> Vec<u8> {
        let mut out = vec![0; bytes(count)];
        relay().emit(&mut (0..count).map(link), &mut out).unwrap();
        out
    }

    #[test]
    fn there_and_back() {
        for count in [1, 2, RELAY_MAX as u32] {
            let out = emit(count);
            assert!(Relay::is(&out) && out.len() <= BYTES_MAX);
            assert_eq!(Relay::parse(&out), Ok(relay()));
            let found: Vec<Link> = links(&out).collect();
            assert_eq!(found, (0..count).map(link).collect::<Vec<_>>());
            assert!(super::super::Message::parse(&out).is_err());
        }
    }

    #[test]
    fn no_links_and_too_many_are_refused() {
        for count in [0, RELAY_MAX as u32 + 1] {
            let mut out = vec![0; bytes(count)];
            let emitted = relay().emit(&mut (0..count).map(link), &mut out);
            assert_eq!(emitted, Err(CodecError::Length));
        }
        let mut out = vec![0; bytes(2)];
        let short = relay().emit(&mut (0..1).map(link), &mut out);
        assert_eq!(short, Err(CodecError::Length));
        let mut none = emit(1)[..HEADER_BYTES].to_vec();
        none[8..12].copy_from_slice(&0u32.to_le_bytes());
        assert!(Relay::is(&none) && Relay::parse(&none).is_err());
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let out = emit(2);
        assert!(Relay::parse(&out[..out.len() - 1]).is_err());
        let mut long = out.clone();
        long.push(0);
        assert!(Relay::parse(&long).is_err());
        // Kind, operation, root, node of the first link, kind of the second link's seed.
        for (at, value) in [
            (6, 47),
            (24, 0),
            (28, 0),
            (HEADER_BYTES, 0),
            (HEADER_BYTES + Link::SIZE + 4, 9),
        ] {
            let mut wrong = out.clone();
            wrong[at] = value;
            assert!(Relay::parse(&wrong).is_err(), "byte {at}");
        }
        let mut huge = out;
        huge[8..12].copy_from_slice(&(BODY_BYTES_MAX as u32 + 1).to_le_bytes());
        assert!(Header::parse(&huge[..HEADER_BYTES]).is_err());
    }
}
