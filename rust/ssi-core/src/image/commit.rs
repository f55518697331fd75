// SPDX-License-Identifier: GPL-2.0
//! The commit record: the one file whose existence makes a version exist.
//!
//! The file is a single frame of kind `Commit`. Kernel and tools read it with [`parse`]; the
//! digest function (XXH64, seed 0) is an argument, because the core computes none.
use crate::codec::{Field, Reader, Writer};
use crate::image::frame::{Frame, Kind, FLAG_REQUIRED};
use crate::image::part::{padding, Header, ImageError};
use crate::node::NodeSet;
use crate::record;

/// Longest description, in bytes.
pub const DESCRIPTION_MAX: usize = 255;

/// Bytes of the largest commit file.
pub const COMMIT_BYTES_MAX: usize = Frame::SIZE + Commit::SIZE + DESCRIPTION_MAX + 8;

record! {
    /// What a version is: its name, its parts and their sums. The description follows.
    pub struct Commit {
        /// Application id.
        pub application: u64,
        /// Version, from 1.
        pub version: u32,
        /// PID that the checkpoint was asked for.
        pub pid: u32,
        /// Seconds since 1970 at the cut.
        pub date: u64,
        /// Nodes that wrote parts.
        pub nodes: NodeSet,
        /// Processes in all parts.
        pub processes: u32,
        /// Threads in all parts.
        pub threads: u32,
        /// Streams; a connection counts once.
        pub streams: u32,
        /// User who took the checkpoint.
        pub uid: u32,
        /// Bytes in flight in streams.
        pub stream_bytes: u64,
        /// Bytes of all parts and page files.
        pub bytes: u64,
        /// Wrapping sum of the parts' digests.
        pub digest: u64,
        /// Bytes of the description.
        pub description_len: u32,
        /// Zero.
        pub reserved: u32,
    }
}

/// Writes the commit file of `commit` and `description` over `out`; returns its length.
pub fn emit(
    commit: &Commit,
    description: &str,
    digest: impl Fn(&[u8]) -> u64,
    out: &mut [u8; COMMIT_BYTES_MAX],
) -> Result<usize, ImageError> {
    if description.len() > DESCRIPTION_MAX {
        return Err(ImageError::Length);
    }
    let commit = Commit {
        // CAST: at most DESCRIPTION_MAX.
        description_len: description.len() as u32,
        ..*commit
    };
    check(&commit)?;
    let mut payload = [0; Commit::SIZE + DESCRIPTION_MAX];
    let len = Commit::SIZE.saturating_add(description.len());
    let payload = payload.get_mut(..len).ok_or(ImageError::Length)?;
    let mut writer = Writer::new(payload);
    writer.field(&commit)?;
    writer.bytes(description.as_bytes())?;
    writer.done()?;
    let header = Header::new(Kind::Commit, commit.application, payload, digest(payload))?;
    let total = Frame::SIZE.saturating_add(len).saturating_add(padding(len));
    let out = out.get_mut(..total).ok_or(ImageError::Length)?;
    out.fill(0);
    let mut writer = Writer::new(out);
    writer.field(&header.frame)?;
    writer.bytes(payload)?;
    Ok(total)
}

/// Reads a commit file; the description borrows from `bytes`.
pub fn parse(bytes: &[u8], digest: impl Fn(&[u8]) -> u64) -> Result<(Commit, &str), ImageError> {
    let mut reader = Reader::new(bytes);
    let header = Header::parse(reader.bytes(Frame::SIZE)?)?;
    if header.kind != Some(Kind::Commit) {
        return Err(ImageError::Order);
    }
    let payload = reader.bytes(header.len())?;
    header.check_digest(digest(payload))?;
    if reader
        .bytes(header.padding())?
        .iter()
        .any(|byte| *byte != 0)
    {
        return Err(ImageError::Value);
    }
    reader.done()?;
    let mut reader = Reader::new(payload);
    let commit: Commit = reader.field()?;
    let description = reader.rest();
    if description.len() != commit.description_len as usize {
        return Err(ImageError::Length);
    }
    check(&commit)?;
    if header.frame.subject != commit.application || header.frame.flags != FLAG_REQUIRED {
        return Err(ImageError::Value);
    }
    match core::str::from_utf8(description) {
        Ok(description) => Ok((commit, description)),
        Err(_) => Err(ImageError::Value),
    }
}

fn check(commit: &Commit) -> Result<(), ImageError> {
    let sane = commit.description_len as usize <= DESCRIPTION_MAX
        && commit.reserved == 0
        && commit.version != 0
        && commit.application != 0
        && commit.processes != 0
        && !commit.nodes.is_empty();
    if sane {
        Ok(())
    } else {
        Err(ImageError::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;

    fn sum(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .fold(17, |sum, byte| sum * 31 % 1_000_003 + u64::from(*byte))
    }

    fn sample() -> Commit {
        let mut nodes = NodeSet::EMPTY;
        nodes.insert(NodeId::new(1).unwrap());
        nodes.insert(NodeId::new(254).unwrap());
        Commit {
            application: 9,
            version: 2,
            pid: 4_194_700,
            date: 1_700_000_000,
            nodes,
            processes: 3,
            threads: 4,
            streams: 2,
            uid: 1000,
            stream_bytes: 77,
            bytes: 4096,
            digest: u64::MAX,
            description_len: 0,
            reserved: 0,
        }
    }

    #[test]
    fn there_and_back() {
        let mut out = [0; COMMIT_BYTES_MAX];
        let len = emit(&sample(), "before the upgrade", sum, &mut out).unwrap();
        assert_eq!(len % 8, 0);
        let (commit, description) = parse(&out[..len], sum).unwrap();
        assert_eq!(description, "before the upgrade");
        assert_eq!(
            commit,
            Commit {
                description_len: 18,
                ..sample()
            }
        );
        let nodes: Vec<u32> = commit.nodes.iter().map(NodeId::raw).collect();
        assert_eq!(nodes, [1, 254]);
        assert_eq!(commit.nodes.len(), 2);
    }

    #[test]
    fn literal_bytes() {
        let mut out = [0; COMMIT_BYTES_MAX];
        let len = emit(&sample(), "x", |_| 0x55, &mut out).unwrap();
        assert_eq!(len, 32 + 104 + 8);
        assert_eq!(&out[..8], b"SSI1\x03\0\x01\0");
        assert_eq!(&out[12..24], [105, 0, 0, 0, 0x55, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            &out[32..48],
            [9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x8c, 1, 0x40, 0]
        );
        assert_eq!(&out[136..144], b"x\0\0\0\0\0\0\0");
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut out = [0; COMMIT_BYTES_MAX];
        let len = emit(&sample(), "d", sum, &mut out).unwrap();
        for at in 0..len {
            for bit in 0..8 {
                let mut bytes = out;
                bytes[at] ^= 1 << bit;
                assert!(parse(&bytes[..len], sum).is_err(), "byte {at} bit {bit}");
            }
        }
        for short in 0..len {
            assert!(parse(&out[..short], sum).is_err());
        }
        assert_eq!(parse(&out[..len + 8], sum), Err(ImageError::Length));
    }

    #[test]
    fn hostile_values() {
        let mut out = [0; COMMIT_BYTES_MAX];
        let mut refuse = |commit: Commit| {
            assert_eq!(emit(&commit, "", sum, &mut out), Err(ImageError::Value));
        };
        refuse(Commit {
            version: 0,
            ..sample()
        });
        refuse(Commit {
            application: 0,
            ..sample()
        });
        refuse(Commit {
            processes: 0,
            ..sample()
        });
        refuse(Commit {
            reserved: 1,
            ..sample()
        });
        refuse(Commit {
            nodes: NodeSet::EMPTY,
            ..sample()
        });
        let long = "x".repeat(DESCRIPTION_MAX + 1);
        assert_eq!(
            emit(&sample(), &long, sum, &mut out),
            Err(ImageError::Length)
        );
    }
}
