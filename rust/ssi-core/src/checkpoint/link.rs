// SPDX-License-Identifier: GPL-2.0
//! Links that lead to other nodes, one by one and as many as a message holds.

use super::Seed;
use crate::codec::{CodecError, Field, Reader, Writer};
use crate::limits::RELAY_MAX;
use crate::node::NodeId;
use crate::record;

record! {
    /// Something that was found and leads to another node.
    pub struct Link {
        /// Where it leads.
        pub node: NodeId,
        /// What to look for there.
        pub seed: Seed,
    }
}

/// At most [`RELAY_MAX`] links, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Links {
    slots: [Option<Link>; RELAY_MAX],
}

impl Links {
    /// None.
    pub const NONE: Links = Links {
        slots: [None; RELAY_MAX],
    };

    /// Just this one.
    pub fn only(link: Link) -> Links {
        let mut links = Links::NONE;
        links.push(link);
        links
    }

    /// Appends a link; `false` where there is no room.
    pub fn push(&mut self, link: Link) -> bool {
        match self.slots.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => {
                *slot = Some(link);
                true
            }
            None => false,
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.iter().fold(0, |len: u32, _| len.saturating_add(1))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether no other has room.
    pub fn is_full(&self) -> bool {
        self.slots.iter().all(Option::is_some)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = Link> + '_ {
        self.slots.iter().flatten().copied()
    }
}

impl Field for Links {
    const SIZE: usize = RELAY_MAX * Link::SIZE;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let mut writer = Writer::new(out);
        for slot in &self.slots {
            match slot {
                Some(link) => writer.field(link)?,
                None => writer.bytes(&[0; Link::SIZE])?,
            }
        }
        writer.done()
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let mut links = Links::NONE;
        let mut ended = false;
        for _ in 0..RELAY_MAX {
            let bytes = reader.bytes(Link::SIZE)?;
            if bytes.iter().all(|byte| *byte == 0) {
                ended = true;
            } else if ended || !links.push(Link::take(bytes)?) {
                return Err(CodecError::Value);
            }
        }
        reader.done()?;
        // One that says nothing is not worth a message.
        if links.is_empty() {
            return Err(CodecError::Value);
        }
        Ok(links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::ClusterPid;

    fn link(raw: u32) -> Link {
        Link {
            node: NodeId::new(raw).unwrap(),
            seed: Seed::Son(ClusterPid::new((raw << 22) | 300).unwrap()),
        }
    }

    #[test]
    fn there_and_back() {
        let mut links = Links::NONE;
        let mut out = [0; Links::SIZE];
        for raw in 1..=RELAY_MAX as u32 {
            assert!(!links.is_full() && links.push(link(raw)));
            assert_eq!(links.len(), raw);
            links.put(&mut out).unwrap();
            assert_eq!(Links::take(&out), Ok(links));
        }
        assert!(links.is_full() && !links.push(link(9)));
        let nodes: Vec<u32> = links.iter().map(|link| link.node.raw()).collect();
        assert_eq!(nodes, (1..=RELAY_MAX as u32).collect::<Vec<_>>());
    }

    #[test]
    fn none_and_gaps_are_refused() {
        let mut out = [0; Links::SIZE];
        assert_eq!(Links::take(&out), Err(CodecError::Value));
        link(1).put(&mut out[..Link::SIZE]).unwrap();
        assert_eq!(Links::take(&out), Ok(Links::only(link(1))));
        link(2)
            .put(&mut out[2 * Link::SIZE..3 * Link::SIZE])
            .unwrap();
        assert_eq!(Links::take(&out), Err(CodecError::Value));
        out[0] = 255;
        assert_eq!(Links::take(&out), Err(CodecError::Value));
    }
}
