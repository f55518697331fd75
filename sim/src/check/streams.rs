// SPDX-License-Identifier: GPL-2.0
//! Every byte of every stream is delivered exactly once: what the reader has read, what waits for
//! it, what is on its way and what the writer has written follow each other without gap or overlap.
use crate::world::{Bytes, Stream, StreamIx, World};

/// Checks one stream.
pub fn check(world: &World, which: StreamIx) -> Result<(), String> {
    let stream = world.stream(which);
    (0..2).try_for_each(|from| check_way(world, (which, stream), from))
}

fn check_way(world: &World, stream: (StreamIx, &Stream), from: usize) -> Result<(), String> {
    let (which, stream) = stream;
    let way = &stream.ways[from];
    let (Some(writer), Some(reader)) = (stream.ends[from].holder, stream.ends[1 - from].holder)
    else {
        return Ok(());
    };
    let counter = |process, end| {
        let holds = &world.process(process).holds;
        holds
            .iter()
            .find(|hold| (hold.stream, hold.end) == (which, end))
            .copied()
    };
    let (Some(writer), Some(reader)) = (counter(writer, from), counter(reader, 1 - from)) else {
        return Ok(());
    };
    let mut expected = reader.read;
    follow(&way.recv, &mut expected)?;
    let mut unseen = way.send.clone();
    if !stream.local {
        crate::world::take(&mut unseen, way.received().saturating_sub(way.una));
    }
    follow(&unseen, &mut expected)?;
    match expected == writer.written {
        true => Ok(()),
        false => Err(format!(
            "{} bytes written, {expected} accounted for",
            writer.written
        )),
    }
}

fn follow(bytes: &Bytes, expected: &mut u64) -> Result<(), String> {
    for run in bytes {
        if run.first != *expected {
            return Err(format!("byte {} where {expected} belongs", run.first));
        }
        *expected += run.len;
    }
    Ok(())
}
