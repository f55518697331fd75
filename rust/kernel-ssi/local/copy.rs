// SPDX-License-Identifier: GPL-2.0
//! The second copy of this node's part: the files are read back and sent, chunk by chunk.

use super::Local;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::media::{Folder, PageFile};
use kernel::prelude::*;
use ssi_core::image::part::ImageError;
use ssi_core::limits::CHUNK_BYTES_MAX;
use ssi_core::node::OpId;
use ssi_core::wire::bulk::{Bulk, Chunk, FileName, HEAD_BYTES};
use ssi_core::wire::copy::Owner;

/// How far the sending is.
pub(super) struct Sending {
    files: KVec<FileName>,
    /// How many of them have been opened.
    opened: usize,
    open: Option<Reading>,
}

struct Reading {
    name: FileName,
    file: PageFile,
    pos: u64,
    begun: bool,
}

impl Sending {
    fn of(folder: &Folder) -> Outcome<Sending> {
        Ok(Sending {
            files: folder.files()?,
            opened: 0,
            open: None,
        })
    }

    /// The file that has bytes to be sent, or that nothing has been sent of.
    fn file(&mut self, folder: &Folder) -> Outcome<Option<&mut Reading>> {
        loop {
            let done = |at: &Reading| at.begun && at.pos >= at.file.file().size();
            if self.open.as_ref().is_some_and(|at| !done(at)) {
                return Ok(self.open.as_mut());
            }
            let Some(name) = self.files.get(self.opened).copied() else {
                return Ok(None);
            };
            self.opened += 1;
            self.open = Some(Reading {
                name,
                file: folder.open_file(name)?,
                pos: 0,
                begun: false,
            });
        }
    }
}

impl Reading {
    /// The next bytes, after room for the head.
    fn chunk(&mut self) -> Outcome<(Chunk, KVec<u8>)> {
        let left = self.file.file().size().saturating_sub(self.pos);
        let len = left.min(CHUNK_BYTES_MAX as u64) as usize;
        let mut bytes = KVec::from_elem(0u8, HEAD_BYTES + len, GFP_KERNEL)?;
        let got = self
            .file
            .file()
            .read_at(&mut bytes[HEAD_BYTES..], self.pos)
            .map_err(|error| self.file.failed(error))?;
        if got < len {
            return Err(self.file.damaged(ImageError::Length));
        }
        let chunk = Chunk {
            file: self.name,
            position: self.pos,
        };
        self.pos += len as u64;
        self.begun = true;
        Ok((chunk, bytes))
    }
}

impl Local {
    /// Hands out the next chunks of this node's part, at most so many; says whether that was all.
    pub fn fill(&mut self, op: OpId, chunks: u32, send: &mut dyn FnMut(KVec<u8>)) -> Outcome<bool> {
        let (sender, epoch) = (self.node.config.node, self.node.config.epoch);
        let Some(folder) = self.written.as_ref() else {
            return Err(Failure::new(FailureCode::Internal).text(format_args!("no part to copy")));
        };
        if self.sending.is_none() {
            self.sending = Some(Sending::of(folder)?);
        }
        let Some(sending) = self.sending.as_mut() else {
            return Ok(true);
        };
        for _ in 0..chunks {
            let Some(at) = sending.file(folder)? else {
                return Ok(true);
            };
            let (chunk, mut bytes) = at.chunk()?;
            let bulk = Bulk {
                sender,
                epoch,
                op,
                chunk,
            };
            let head = bulk.head(bytes.len() - HEAD_BYTES).map_err(|_| EINVAL)?;
            bytes[..HEAD_BYTES].copy_from_slice(&head);
            send(bytes);
        }
        Ok(sending.file(folder)?.is_none())
    }

    /// Whose the files of this checkpoint are.
    pub fn owner(options: &ssi_core::checkpoint::Options) -> Owner {
        Owner {
            uid: options.uid,
            gid: options.gid,
            store: options.store,
        }
    }
}
