// SPDX-License-Identifier: GPL-2.0
//! Gives a version that nobody uses yet another application id, with the digests that follow.
use crate::exit::{Exit, Fault};
use crate::image::part::Part;
use crate::image::{damaged, unreadable, words, Committed};
use ssi_core::codec::Field;
use ssi_core::image::commit::{emit, Commit, COMMIT_BYTES_MAX};
use ssi_core::image::frame::{Frame, Kind};
use ssi_core::image::part::{Header, PartHead, PartTail};
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use xxhash_rust::xxh64::{xxh64, Xxh64};

/// Rewrites the parts in `folder`, which were checked, and returns the commit record.
pub(super) fn renumber(
    folder: &Path,
    committed: &Committed,
    application: u64,
) -> Result<Vec<u8>, Fault> {
    let mut digest = 0_u64;
    for node in committed.commit.nodes.iter() {
        let path = folder.join(format!("node-{}/part", node.raw()));
        digest = digest.wrapping_add(part(&path, application)?);
    }
    let commit = Commit {
        application,
        digest,
        ..committed.commit
    };
    let mut out = [0; COMMIT_BYTES_MAX];
    let digest = |payload: &[u8]| xxh64(payload, 0);
    let len = emit(&commit, &committed.description, digest, &mut out)
        .map_err(|why| damaged(&folder.display(), 0, &words(why)))?;
    Ok(out.get(..len).unwrap_or_default().to_vec())
}

/// Rewrites the head and the tail of a part; returns its digest.
fn part(path: &Path, application: u64) -> Result<u64, Fault> {
    let failed = |error| unreadable(&path.display(), &error);
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    let mut part = Part::new(BufReader::new(&file), &path.display());
    let mut headers = Xxh64::new(0);
    let (mut head, mut tail) = (Vec::new(), None);
    while let Some(record) = part.read()? {
        let mut frame = record.header.frame;
        if record.header.kind == Some(Kind::PartHead) {
            let old = taken::<PartHead>(&record.payload, path)?;
            let new = PartHead { application, ..old };
            let header = framed(Kind::PartHead, frame.subject, &new, &mut head);
            frame = header.map_err(|why| part.wrong(record.at, why))?.frame;
        }
        if record.header.kind == Some(Kind::PartTail) {
            tail = Some((record.at, taken::<PartTail>(&record.payload, path)?));
        } else {
            headers.update(&bytes(&frame));
        }
    }
    let end = part.pos();
    let digest = headers.digest();
    // A part that was read to its end has a tail.
    let (at, old) = tail.ok_or_else(|| damaged(&path.display(), end, &"no tail"))?;
    let mut bytes = Vec::new();
    framed(Kind::PartTail, 0, &PartTail { digest, ..old }, &mut bytes)
        .map_err(|why| damaged(&path.display(), at, &words(why)))?;
    for (at, bytes) in [(0, &head), (at, &bytes)] {
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    Ok(digest)
}

fn taken<T: Field>(payload: &[u8], path: &Path) -> Result<T, Fault> {
    T::take(payload).map_err(|_| Fault::new(Exit::Damaged, path.display().to_string()))
}

fn bytes<T: Field>(record: &T) -> Vec<u8> {
    let mut bytes = vec![0; T::SIZE];
    // As long as the record by construction.
    let _ = record.put(&mut bytes);
    bytes
}

/// Appends a record with its frame to `out`.
fn framed<T: Field>(
    kind: Kind,
    subject: u64,
    record: &T,
    out: &mut Vec<u8>,
) -> Result<Header, ssi_core::image::part::ImageError> {
    let payload = bytes(record);
    let header = Header::new(kind, subject, &payload, xxh64(&payload, 0))?;
    out.extend(bytes::<Frame>(&header.frame));
    out.extend(payload);
    out.resize(out.len().saturating_add(header.padding()), 0);
    Ok(header)
}
