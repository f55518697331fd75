// SPDX-License-Identifier: GPL-2.0
//! The part file: frames written through a buffer, and read back one by one with every check.

use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::frame::{Frame, Kind};
use ssi_core::image::part::{padding, Header, ImageError, PartHead, PartState, PartTail};
use ssi_core::image::part::{FRAME_ALIGN, RELEASE_BYTES};

use super::{Folder, PageFile};
use crate::failure::Outcome;
use crate::sys::fsio::{self, Digest, Open};
use crate::sys::powercut::{self, Step};

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 20;

/// What a part that is written and durable amounts to.
#[derive(Clone, Copy)]
pub struct PartSummary {
    /// Bytes of the part and its page files.
    pub bytes: u64,
    /// Digest of the part, to be summed into the commit record.
    pub digest: u64,
}

/// Writes the frames of one part.
pub struct FrameWriter {
    out: PageFile,
    buffer: KVVec<u8>,
    pos: u64,
    state: PartState,
    headers: Digest,
}

impl FrameWriter {
    /// Begins the part of `folder`; the kernel release in `head` is filled in.
    pub fn create(folder: &Folder, head: &PartHead) -> Outcome<FrameWriter> {
        let mut writer = FrameWriter {
            out: folder.open(format_args!("part"), Open::Create)?,
            buffer: KVVec::with_capacity(BUFFER, GFP_KERNEL)?,
            pos: 0,
            state: PartState::default(),
            headers: Digest::new()?,
        };
        let mut head = *head;
        let release = fsio::kernel_release();
        let len = release.len().min(RELEASE_BYTES);
        head.release = [0; RELEASE_BYTES];
        head.release[..len].copy_from_slice(&release[..len]);
        writer.fixed(Kind::PartHead, u64::from(head.node), &head)?;
        Ok(writer)
    }

    /// Appends a record of variable length.
    pub fn record(&mut self, kind: Kind, subject: u64, payload: &[u8]) -> Outcome {
        let header = Header::new(kind, subject, payload, fsio::digest(payload))
            .map_err(|what| self.out.damaged(what))?;
        self.state
            .frame(&header)
            .map_err(|what| self.out.damaged(what))?;
        let mut bytes = [0; Frame::SIZE];
        header
            .frame
            .put(&mut bytes)
            .map_err(|error| self.out.damaged(error.into()))?;
        if !self.state.ended() {
            self.headers.add(&bytes);
        }
        self.append(&bytes)?;
        self.append(payload)?;
        self.append(&[0; FRAME_ALIGN][..padding(payload.len())])
    }

    /// Appends a record of fixed length, at most 1 KiB.
    pub fn fixed<T: Field>(&mut self, kind: Kind, subject: u64, record: &T) -> Outcome {
        let mut bytes = [0; 1024];
        let out = bytes.get_mut(..T::SIZE).ok_or(EINVAL)?;
        record.put(out).map_err(|_| EINVAL)?;
        self.record(kind, subject, &bytes[..T::SIZE])
    }

    /// Ends the part and makes it durable.
    pub fn finish(mut self, processes: u32, threads: u32, page_bytes: u64) -> Outcome<PartSummary> {
        let tail = PartTail {
            frames: self.state.frames,
            bytes: self.state.bytes,
            page_bytes,
            processes,
            threads,
            digest: self.headers.value(),
        };
        self.fixed(Kind::PartTail, 0, &tail)?;
        self.flush()?;
        powercut::at(Step::PartWritten);
        self.out.sync()?;
        Ok(PartSummary {
            bytes: self.pos + page_bytes,
            digest: tail.digest,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Outcome {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            return self.write(bytes);
        }
        self.buffer.extend_from_slice(bytes, GFP_KERNEL)?;
        Ok(())
    }

    fn flush(&mut self) -> Outcome {
        let buffer = core::mem::replace(&mut self.buffer, KVVec::new());
        let written = self.write(&buffer);
        self.buffer = emptied(buffer);
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Outcome {
        self.out
            .file()
            .write_at(bytes, self.pos, self.out.creds())
            .map_err(|error| self.out.failed(error))?;
        self.pos += bytes.len() as u64;
        Ok(())
    }
}

/// The same memory, without what is in it.
fn emptied(buffer: KVVec<u8>) -> KVVec<u8> {
    crate::sys::vec::emptied(buffer)
}

/// One record as it was read.
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: u64,
    /// Its payload; its digest is right, nothing else of it is checked.
    pub payload: &'a [u8],
}

/// Reads the frames of one part and checks them.
pub struct FrameReader {
    file: PageFile,
    size: u64,
    pos: u64,
    window: KVVec<u8>,
    window_pos: u64,
    state: PartState,
    headers: Digest,
    head: PartHead,
    tail: Option<PartTail>,
}

impl FrameReader {
    /// Opens the part of `folder` and reads its head.
    pub fn open(folder: &Folder) -> Outcome<FrameReader> {
        let file = folder.open(format_args!("part"), Open::Read)?;
        let mut reader = FrameReader {
            size: file.file().size(),
            file,
            pos: 0,
            window: KVVec::new(),
            window_pos: 0,
            state: PartState::default(),
            headers: Digest::new()?,
            head: PartHead {
                application: 0,
                version: 0,
                node: 0,
                epoch: 0,
                date: 0,
                release: [0; RELEASE_BYTES],
            },
            tail: None,
        };
        let head = match reader.next()? {
            Some(record) if record.kind == Kind::PartHead => PartHead::take(record.payload),
            _ => return Err(reader.file.damaged(ImageError::Order)),
        };
        reader.head = head.map_err(|error| reader.file.damaged(error.into()))?;
        Ok(reader)
    }

    /// Who wrote the part.
    pub fn head(&self) -> &PartHead {
        &self.head
    }

    /// The sums of the part, once [`FrameReader::next`] has returned `None`.
    pub fn tail(&self) -> Option<&PartTail> {
        self.tail.as_ref()
    }

    /// The next record; `None` after the tail, which is checked here. Kinds that this build does
    /// not know and may skip are skipped.
    pub fn next(&mut self) -> Outcome<Option<Record<'_>>> {
        loop {
            if self.state.ended() {
                return Ok(None);
            }
            let header = self.header()?;
            let payload = self.pos;
            self.check_payload(&header)?;
            self.pos = payload + (header.len() + header.padding()) as u64;
            match header.kind {
                Some(Kind::PartTail) => return self.end(payload, &header).map(|()| None),
                Some(kind) => {
                    let start = (payload - self.window_pos) as usize;
                    return Ok(Some(Record {
                        kind,
                        subject: header.frame.subject,
                        payload: &self.window[start..start + header.len()],
                    }));
                }
                None => {}
            }
        }
    }

    fn header(&mut self) -> Outcome<Header> {
        self.fill(Frame::SIZE)?;
        let bytes = self.at(self.pos, Frame::SIZE);
        let header = Header::parse(bytes).map_err(|what| self.file.damaged(what))?;
        let mut copy = [0; Frame::SIZE];
        copy.copy_from_slice(bytes);
        self.state
            .frame(&header)
            .map_err(|what| self.file.damaged(what))?;
        if !self.state.ended() {
            self.headers.add(&copy);
        }
        self.pos += Frame::SIZE as u64;
        Ok(header)
    }

    fn check_payload(&mut self, header: &Header) -> Outcome {
        self.fill(header.len() + header.padding())?;
        header
            .check_digest(fsio::digest(self.at(self.pos, header.len())))
            .map_err(|what| self.file.damaged(what))?;
        let padding = self.at(self.pos + header.len() as u64, header.padding());
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.file.damaged(ImageError::Value));
        }
        Ok(())
    }

    fn end(&mut self, payload: u64, header: &Header) -> Outcome {
        let tail = PartTail::take(self.at(payload, header.len()))
            .map_err(|error| self.file.damaged(error.into()))?;
        self.state
            .check_tail(&tail, self.headers.value())
            .map_err(|what| self.file.damaged(what))?;
        if self.pos != self.size {
            return Err(self.file.damaged(ImageError::Length));
        }
        self.tail = Some(tail);
        Ok(())
    }

    /// `len` bytes at `pos`, which [`FrameReader::fill`] has brought in.
    fn at(&self, pos: u64, len: usize) -> &[u8] {
        let start = (pos - self.window_pos) as usize;
        &self.window[start..start + len]
    }

    /// Brings the next `len` bytes into the window.
    fn fill(&mut self, len: usize) -> Outcome {
        let end = self.pos + len as u64;
        if end > self.size {
            return Err(self.file.damaged(ImageError::Length));
        }
        if end <= self.window_pos + self.window.len() as u64 {
            return Ok(());
        }
        let want = (self.size - self.pos).min(len.max(BUFFER) as u64) as usize;
        let window = core::mem::replace(&mut self.window, KVVec::new());
        let mut window = emptied(window);
        window.extend_with(want, 0, GFP_KERNEL)?;
        let got = self
            .file
            .file()
            .read_at(&mut window, self.pos)
            .map_err(|error| self.file.failed(error))?;
        self.window = window;
        self.window_pos = self.pos;
        if got < want {
            return Err(self.file.damaged(ImageError::Length));
        }
        Ok(())
    }
}
