// SPDX-License-Identifier: GPL-2.0
//! First and last record of a part, and the checks that every frame of it has to pass.
use crate::codec::{CodecError, Field};
use crate::image::frame::{Frame, Kind, FLAG_REQUIRED, FRAME_MAGIC, PAYLOAD_BYTES_MAX};
use crate::record;

/// Layout version of every kind that this build writes and reads.
pub const LAYOUT_VERSION: u16 = 1;

/// Bytes that keep the kernel release of the writer, padded with zeros.
pub const RELEASE_BYTES: usize = 64;

/// Most frames of one part: what a reader follows before it gives up.
pub const FRAMES_MAX: u64 = 1 << 24;

/// Frames begin at multiples of this.
pub const FRAME_ALIGN: usize = 8;

record! {
    /// Who wrote a part, and of what.
    pub struct PartHead {
        /// Application id.
        pub application: u64,
        /// Version of the checkpoint.
        pub version: u32,
        /// Node that wrote the part.
        pub node: u32,
        /// Epoch of that node.
        pub epoch: u64,
        /// Seconds since 1970 at the cut.
        pub date: u64,
        /// Kernel release of that node (`uname -r`), padded with zeros.
        pub release: [u8; RELEASE_BYTES],
    }
}

record! {
    /// What a complete part holds.
    pub struct PartTail {
        /// Frames before this one.
        pub frames: u64,
        /// Bytes of those frames, headers and padding included.
        pub bytes: u64,
        /// Bytes in the page files beside the part.
        pub page_bytes: u64,
        /// Processes in the part.
        pub processes: u32,
        /// Threads in the part.
        pub threads: u32,
        /// XXH64 (seed 0) over the headers of all frames before this one: the part's digest.
        pub digest: u64,
    }
}

/// What is wrong with an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// The bytes end too early, or go on too long.
    Length,
    /// There is no frame where one must begin.
    NotAFrame,
    /// A field holds a value that it cannot have.
    Value,
    /// The frame needs a reader that knows this kind.
    UnknownKind(u16),
    /// The frame's layout is of a version that this build does not read.
    UnknownVersion(Kind, u16),
    /// The digest is not that of the bytes.
    Digest,
    /// A record stands where it may not stand.
    Order,
}

impl From<CodecError> for ImageError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Length => ImageError::Length,
            CodecError::Value => ImageError::Value,
        }
    }
}

/// A frame header that passed all checks that need no payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The header.
    pub frame: Frame,
    /// Its kind; `None` where this build may skip the frame.
    pub kind: Option<Kind>,
}

impl Header {
    /// The header of a record of this build's own layout.
    pub fn new(kind: Kind, subject: u64, payload: &[u8], digest: u64) -> Result<Self, ImageError> {
        let len = u32::try_from(payload.len()).map_err(|_| ImageError::Length)?;
        if len > PAYLOAD_BYTES_MAX {
            return Err(ImageError::Length);
        }
        Ok(Header {
            frame: Frame {
                magic: FRAME_MAGIC,
                kind: kind as u16,
                flags: FLAG_REQUIRED,
                version: LAYOUT_VERSION,
                reserved: 0,
                len,
                digest,
                subject,
            },
            kind: Some(kind),
        })
    }

    /// Parses and checks the [`Frame::SIZE`] bytes of a header.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let frame = Frame::take(bytes)?;
        if frame.magic != FRAME_MAGIC {
            return Err(ImageError::NotAFrame);
        }
        if frame.reserved != 0 || frame.flags & !FLAG_REQUIRED != 0 {
            return Err(ImageError::Value);
        }
        if frame.len > PAYLOAD_BYTES_MAX {
            return Err(ImageError::Length);
        }
        match (Kind::new(frame.kind), frame.flags & FLAG_REQUIRED) {
            (Some(kind), _) if frame.version == LAYOUT_VERSION => Ok(Header {
                frame,
                kind: Some(kind),
            }),
            (Some(kind), FLAG_REQUIRED) => Err(ImageError::UnknownVersion(kind, frame.version)),
            (None, FLAG_REQUIRED) => Err(ImageError::UnknownKind(frame.kind)),
            (_, _) => Ok(Header { frame, kind: None }),
        }
    }

    /// Payload bytes, without the padding.
    pub fn len(&self) -> usize {
        // CAST: `parse` and `new` bound it by PAYLOAD_BYTES_MAX.
        self.frame.len as usize
    }

    /// True where nothing follows the header.
    pub fn is_empty(&self) -> bool {
        self.frame.len == 0
    }

    /// Zero bytes between the payload and the next frame.
    pub fn padding(&self) -> usize {
        padding(self.len())
    }

    /// Compares the digest of the payload, computed by the host, with the header's.
    pub fn check_digest(&self, digest: u64) -> Result<(), ImageError> {
        if self.frame.digest == digest {
            Ok(())
        } else {
            Err(ImageError::Digest)
        }
    }
}

/// Zero bytes after a payload of `len` bytes.
pub const fn padding(len: usize) -> usize {
    len.wrapping_neg() % FRAME_ALIGN
}

/// Follows the frames of a part: what stands where, how many, how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PartState {
    /// Frames so far.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    ended: bool,
}

impl PartState {
    /// Takes note of the next frame, or says why it may not stand here.
    pub fn frame(&mut self, header: &Header) -> Result<(), ImageError> {
        let first = self.frames == 0;
        if self.ended || first != (header.kind == Some(Kind::PartHead)) {
            return Err(ImageError::Order);
        }
        if header.kind == Some(Kind::Commit) {
            return Err(ImageError::Order);
        }
        if header.kind == Some(Kind::PartTail) {
            // No digest covers this header: it must be the one that is written.
            if header.frame.subject != 0 || header.frame.flags != FLAG_REQUIRED {
                return Err(ImageError::Value);
            }
            self.ended = true;
            return Ok(());
        }
        if self.frames >= FRAMES_MAX {
            return Err(ImageError::Length);
        }
        let len = (Frame::SIZE as u64)
            .saturating_add(u64::from(header.frame.len))
            .saturating_add(header.padding() as u64);
        self.frames = self.frames.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len);
        Ok(())
    }

    /// True once the tail was seen.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Compares the tail with what was read; `digest` is that of all headers before it.
    pub fn check_tail(&self, tail: &PartTail, digest: u64) -> Result<(), ImageError> {
        if !self.ended || tail.frames != self.frames || tail.bytes != self.bytes {
            return Err(ImageError::Order);
        }
        if tail.digest == digest {
            Ok(())
        } else {
            Err(ImageError::Digest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(header: &Header) -> [u8; Frame::SIZE] {
        let mut out = [0; Frame::SIZE];
        header.frame.put(&mut out).unwrap();
        out
    }

    #[test]
    fn literal_header() {
        let header = Header::new(Kind::Mapping, 7, &[1, 2, 3], 0x0102_0304_0506_0708).unwrap();
        let bytes = bytes_of(&header);
        assert_eq!(
            bytes,
            [
                b'S', b'S', b'I', b'1', 33, 0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2,
                1, 7, 0, 0, 0, 0, 0, 0, 0
            ]
        );
        assert_eq!(Header::parse(&bytes), Ok(header));
        assert_eq!(header.padding(), 5);
        assert_eq!(header.check_digest(1), Err(ImageError::Digest));
    }

    #[test]
    fn hostile_headers() {
        let good = bytes_of(&Header::new(Kind::Mapping, 7, &[], 0).unwrap());
        let with = |at: usize, value: u8| {
            let mut bytes = good;
            bytes[at] = value;
            Header::parse(&bytes)
        };
        assert_eq!(with(0, 0), Err(ImageError::NotAFrame));
        assert_eq!(with(4, 200), Err(ImageError::UnknownKind(200)));
        assert_eq!(with(6, 3), Err(ImageError::Value));
        assert_eq!(
            with(8, 2),
            Err(ImageError::UnknownVersion(Kind::Mapping, 2))
        );
        assert_eq!(with(10, 1), Err(ImageError::Value));
        assert_eq!(with(15, 2), Err(ImageError::Length));
        assert_eq!(Header::parse(&good[1..]), Err(ImageError::Length));
        let mut optional = good;
        optional[4] = 200;
        optional[6] = 0;
        assert_eq!(Header::parse(&optional).unwrap().kind, None);
    }

    #[test]
    fn frames_stand_in_order() {
        let header = |kind| Header::new(kind, 0, &[0; 9], 0).unwrap();
        let mut state = PartState::default();
        assert_eq!(state.frame(&header(Kind::Process)), Err(ImageError::Order));
        assert_eq!(state.frame(&header(Kind::PartHead)), Ok(()));
        assert_eq!(state.frame(&header(Kind::PartHead)), Err(ImageError::Order));
        assert_eq!(state.frame(&header(Kind::Commit)), Err(ImageError::Order));
        assert_eq!(state.frame(&header(Kind::Process)), Ok(()));
        assert_eq!((state.frames, state.bytes), (2, 96));
        let tail = PartTail {
            frames: 2,
            bytes: 96,
            page_bytes: 0,
            processes: 1,
            threads: 1,
            digest: 5,
        };
        assert_eq!(state.check_tail(&tail, 5), Err(ImageError::Order));
        let mut odd = header(Kind::PartTail);
        odd.frame.subject = 1;
        assert_eq!(state.frame(&odd), Err(ImageError::Value));
        odd = header(Kind::PartTail);
        odd.frame.flags = 0;
        assert_eq!(state.frame(&odd), Err(ImageError::Value));
        assert_eq!(state.frame(&header(Kind::PartTail)), Ok(()));
        assert_eq!(state.check_tail(&tail, 5), Ok(()));
        assert_eq!(state.check_tail(&tail, 6), Err(ImageError::Digest));
        assert_eq!(
            state.check_tail(&PartTail { frames: 3, ..tail }, 5),
            Err(ImageError::Order)
        );
        assert_eq!(state.frame(&header(Kind::Process)), Err(ImageError::Order));
    }
}
