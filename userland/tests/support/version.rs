// SPDX-License-Identifier: GPL-2.0
//! A small version on disk, as the kernel would have written it, for tests to read and to break.
use ssi_core::codec::Field;
use ssi_core::image::commit::{emit, Commit, COMMIT_BYTES_MAX};
use ssi_core::image::file::RegularFile;
use ssi_core::image::frame::{Frame, Kind};
use ssi_core::image::memory::{AddressSpace, FileStamp, Mapping, MappingKind, PageRun, AUXV_WORDS};
use ssi_core::image::object::{Descriptor, DescriptorTable};
use ssi_core::image::part::{Header, PartHead, PartTail};
use ssi_core::image::pipe::{Pipe, PipeSlot};
use ssi_core::image::process::Process;
use ssi_core::node::{NodeId, NodeSet};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh64::xxh64;

/// Bytes of the pages of every part.
pub const PAGES: u64 = 3 * 4096;

/// What a version is to be.
pub struct Version {
    pub application: u64,
    pub number: u32,
    pub nodes: &'static [u32],
    pub path: &'static str,
}

fn bytes<T: Field>(record: &T) -> Vec<u8> {
    let mut bytes = vec![0; T::SIZE];
    record.put(&mut bytes).unwrap();
    bytes
}

/// The frames of a part.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    headers: Vec<u8>,
    count: u64,
}

impl Frames {
    fn add(&mut self, kind: Kind, subject: u64, payload: &[u8]) {
        let header = Header::new(kind, subject, payload, xxh64(payload, 0)).unwrap();
        let frame = bytes::<Frame>(&header.frame);
        self.headers.extend(&frame);
        self.bytes.extend(frame);
        self.bytes.extend(payload);
        self.bytes.extend(vec![0; header.padding()]);
        self.count += 1;
    }

    /// Adds the tail; returns the part's digest.
    fn end(&mut self) -> u64 {
        let digest = xxh64(&self.headers, 0);
        let tail = PartTail {
            frames: self.count,
            bytes: self.bytes.len() as u64,
            page_bytes: PAGES,
            processes: 1,
            threads: 0,
            digest,
        };
        self.add(Kind::PartTail, 0, &bytes(&tail));
        digest
    }
}

fn memory(frames: &mut Frames, pages: &[u8]) {
    let space = AddressSpace {
        mappings: 1,
        personality: 0,
        mmap_base: 0x7000_0000_0000,
        code: [0; 2],
        data: [0; 2],
        brk: [0; 2],
        stack: 0,
        arg: [0; 2],
        env: [0; 2],
        flags: 1,
        dump_filter: 0,
        vdso: 0,
        vdso_digest: 0,
        exe: FileStamp {
            size: 7,
            modified: 0,
        },
        exe_len: 8,
        auxv_len: 0,
        auxv: [0; AUXV_WORDS],
    };
    frames.add(
        Kind::AddressSpace,
        1,
        &[bytes(&space), b"/bin/job".to_vec()].concat(),
    );
    let mapping = Mapping {
        start: 0x10000,
        end: 0x20000,
        offset: 0,
        shared: 0,
        file: FileStamp {
            size: 0,
            modified: 0,
        },
        kind: MappingKind::Anonymous as u8,
        prot: 3,
        text_len: 0,
        flags: 0,
    };
    frames.add(Kind::Mapping, 1, &bytes(&mapping));
    let run = |address: u64, pages: &[u8]| {
        bytes(&PageRun {
            address,
            pages: (pages.len() / 4096) as u32,
            reserved: 0,
            digest: xxh64(pages, 0),
        })
    };
    let runs = [run(0x10000, &pages[..4096]), run(0x12000, &pages[4096..])];
    frames.add(Kind::PageRuns, 1, &runs.concat());
}

fn process(frames: &mut Frames, pid: u32) {
    let process = Process {
        pid,
        parent: 0,
        group: pid,
        session: pid,
        flags: 1,
        caps: 3,
        threads: 0,
        memory: 0,
        exit_signal: 17,
        exit_code: 256,
        stop_signal: 0,
        oom_score_adj: 0,
    };
    frames.add(Kind::Process, u64::from(pid), &bytes(&process));
}

fn objects(frames: &mut Frames, path: &str) {
    let file = RegularFile {
        flags: 0x8000,
        traits: 2,
        pos: 12,
        size: 40,
    };
    frames.add(
        Kind::RegularFile,
        1,
        &[&bytes(&file), path.as_bytes()].concat(),
    );
    let table = DescriptorTable {
        count: 1,
        reserved: 0,
    };
    let descriptor = Descriptor {
        fd: 3,
        flags: 1,
        object: 1,
    };
    frames.add(
        Kind::DescriptorTable,
        1,
        &[bytes(&table), bytes(&descriptor)].concat(),
    );
    let pipe = Pipe {
        slots: 1,
        ring_size: 16,
        bytes: 5,
    };
    let slot = PipeSlot {
        offset: 0,
        len: 5,
        flags: 2,
    };
    let payload = [bytes(&pipe), bytes(&slot), b"hello".to_vec()].concat();
    frames.add(Kind::Pipe, 1, &payload);
}

impl Version {
    /// Writes the version to `store`; returns its folder.
    pub fn write(&self, store: &Path) -> PathBuf {
        let name = format!("{}/v{}", self.application, self.number);
        let folder = store.join(name);
        let (mut nodes, mut digest, mut total) = (NodeSet::EMPTY, 0_u64, 0_u64);
        for node in self.nodes {
            nodes.insert(NodeId::new(*node).unwrap());
            let (part, sum) = self.part(&folder, *node);
            digest = digest.wrapping_add(sum);
            total += part + PAGES;
        }
        let commit = Commit {
            application: self.application,
            version: self.number,
            pid: 1 << 22 | 300,
            date: 1_000_000,
            nodes,
            processes: self.nodes.len() as u32,
            threads: 0,
            streams: 2,
            uid: 0,
            stream_bytes: 5,
            bytes: total,
            digest,
            description_len: 0,
            reserved: 0,
        };
        let mut out = [0; COMMIT_BYTES_MAX];
        let len = emit(&commit, "a sample", |data| xxh64(data, 0), &mut out).unwrap();
        std::fs::write(folder.join("commit"), &out[..len]).unwrap();
        folder
    }

    fn part(&self, folder: &Path, node: u32) -> (u64, u64) {
        let folder = folder.join(format!("node-{node}"));
        std::fs::create_dir_all(&folder).unwrap();
        let pages: Vec<u8> = (0..PAGES)
            .map(|at| (at / 7 + u64::from(node)) as u8)
            .collect();
        let mut release = [0; 64];
        release[..6].copy_from_slice(b"6.12.1");
        let head = PartHead {
            application: self.application,
            version: self.number,
            node,
            epoch: 9,
            date: 1_000_000,
            release,
        };
        let mut frames = Frames::default();
        frames.add(Kind::PartHead, u64::from(node), &bytes(&head));
        objects(&mut frames, self.path);
        memory(&mut frames, &pages);
        process(&mut frames, node << 22 | 300);
        let digest = frames.end();
        std::fs::write(folder.join("mm-1"), pages).unwrap();
        std::fs::write(folder.join("part"), &frames.bytes).unwrap();
        (frames.bytes.len() as u64, digest)
    }
}
