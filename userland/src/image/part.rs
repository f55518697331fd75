// SPDX-License-Identifier: GPL-2.0
//! The records of one part, one by one, each with its place, and the part's own sums.
use super::{damaged, unreadable, words};
use crate::exit::Fault;
use ssi_core::codec::Field;
use ssi_core::image::frame::{Frame, Kind};
use ssi_core::image::part::{Header, ImageError, PartState, PartTail};
use std::fmt::Display;
use std::io::{ErrorKind, Read};
use xxhash_rust::xxh64::{xxh64, Xxh64};

/// One record as it was read; its digest is right.
pub struct Record {
    /// Where its frame begins.
    pub at: u64,
    /// Its frame.
    pub header: Header,
    /// What follows the frame.
    pub payload: Vec<u8>,
}

impl Record {
    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        self.header.kind.map_or("unknown", Kind::name)
    }
}

/// Reads a part from its first byte to its last.
pub struct Part<R> {
    from: R,
    shown: String,
    pos: u64,
    state: PartState,
    headers: Xxh64,
    tail: Option<PartTail>,
}

impl<R: Read> Part<R> {
    /// The part that `from` holds; messages call it `shown`.
    pub fn new(from: R, shown: &dyn Display) -> Part<R> {
        Part {
            from,
            shown: shown.to_string(),
            pos: 0,
            state: PartState::default(),
            headers: Xxh64::new(0),
            tail: None,
        }
    }

    /// The next record, the tail being the last; its sums and the end of the file are checked.
    pub fn read(&mut self) -> Result<Option<Record>, Fault> {
        let at = self.pos;
        if self.tail.is_some() {
            return Ok(None);
        }
        let mut frame = [0; Frame::SIZE];
        self.fill(&mut frame, at)?;
        let header = Header::parse(&frame).map_err(|why| self.wrong(at, why))?;
        self.state
            .frame(&header)
            .map_err(|why| self.wrong(at, why))?;
        if !self.state.ended() {
            self.headers.update(&frame);
        }
        let payload = self.payload(at, &header)?;
        if header.kind == Some(Kind::PartTail) {
            self.end(at, &payload)?;
        }
        Ok(Some(Record {
            at,
            header,
            payload,
        }))
    }

    /// The sums of the part, once it was read to its end.
    pub fn tail(&self) -> Option<&PartTail> {
        self.tail.as_ref()
    }

    /// Bytes of the part so far.
    pub fn pos(&self) -> u64 {
        self.pos
    }

    /// `why` the record at `at` is damaged.
    pub fn wrong(&self, at: u64, why: ImageError) -> Fault {
        damaged(&self.shown, at, &words(why))
    }

    fn payload(&mut self, at: u64, header: &Header) -> Result<Vec<u8>, Fault> {
        let mut payload = vec![0; header.len()];
        self.fill(&mut payload, at)?;
        header
            .check_digest(xxh64(&payload, 0))
            .map_err(|why| self.wrong(at, why))?;
        let mut padding = vec![0; header.padding()];
        self.fill(&mut padding, at)?;
        match padding.iter().all(|byte| *byte == 0) {
            true => Ok(payload),
            false => Err(self.wrong(at, ImageError::Value)),
        }
    }

    fn end(&mut self, at: u64, payload: &[u8]) -> Result<(), Fault> {
        let tail = PartTail::take(payload).map_err(|why| self.wrong(at, why.into()))?;
        self.state
            .check_tail(&tail, self.headers.digest())
            .map_err(|why| self.wrong(at, why))?;
        let mut more = [0];
        match self.from.read(&mut more) {
            Ok(0) => {}
            Ok(_) => return Err(self.wrong(self.pos, ImageError::Length)),
            Err(error) => return Err(unreadable(&self.shown, &error)),
        }
        self.tail = Some(tail);
        Ok(())
    }

    /// Fills `bytes`, which belong to the record at `at`.
    fn fill(&mut self, bytes: &mut [u8], at: u64) -> Result<(), Fault> {
        self.from
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => self.wrong(at, ImageError::Length),
                _ => unreadable(&self.shown, &error),
            })?;
        self.pos = self.pos.saturating_add(bytes.len() as u64);
        Ok(())
    }
}
