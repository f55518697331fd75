// SPDX-License-Identifier: GPL-2.0
//! Address spaces in an image: their numbers, their mappings, and which pages are in page files.
//!
//! Pages are kept beside the part in a *page file* per address space or shared memory, one after
//! the other in the order of the runs, without gaps: the place of a run in its page file is the
//! sum of the pages before it.
use crate::codec::Reader;
use crate::image::part::ImageError;
use crate::record;

mod page;
pub use page::{PageRun, RunOrder, Runs, SharedMemory};
pub use page::{RUNS_MAX, RUN_PAGES_MAX, SHARED_BYTES_MAX};

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// First address past user memory: TASK_SIZE_MAX with four levels of page tables
/// (arch/x86/include/asm/page_64_types.h). What lies above is refused when it is saved.
pub const ADDRESS_END: u64 = 0x7fff_ffff_f000;

/// Shared memories have ids above this, address spaces below.
pub const SHARED_IDS: u64 = 1 << 32;

/// Most mappings of an address space, as the kernel's own default `vm.max_map_count`.
pub const MAPPINGS_MAX: u32 = 65_530;

/// Longest path of a mapped file, in bytes.
pub const PATH_MAX: usize = 4095;

/// Longest name of an anonymous mapping (PR_SET_VMA_ANON_NAME).
pub const NAME_MAX: usize = 80;

/// Words that keep the auxiliary vector (`mm->saved_auxv`).
pub const AUXV_WORDS: usize = 64;

record! {
    /// The fixed numbers of an address space; the path of the executable follows.
    pub struct AddressSpace {
        /// How many mappings it has.
        pub mappings: u32,
        /// Execution domain and its flags (personality(2)).
        pub personality: u32,
        /// Where the kernel begins to look for free addresses.
        pub mmap_base: u64,
        /// Text of the executable.
        pub code: [u64; 2],
        /// Initialized data of the executable.
        pub data: [u64; 2],
        /// The heap.
        pub brk: [u64; 2],
        /// Bottom of the initial stack.
        pub stack: u64,
        /// Command line.
        pub arg: [u64; 2],
        /// Environment.
        pub env: [u64; 2],
        /// Bits of [`space_flag`].
        pub flags: u32,
        /// What may be dumped to a core file: bits of coredump_filter (proc(5)).
        pub dump_filter: u32,
        /// Address of the vDSO, 0 without.
        pub vdso: u64,
        /// XXH64 of the vDSO image of the writer's kernel.
        pub vdso_digest: u64,
        /// The executable when it was mapped.
        pub exe: FileStamp,
        /// Bytes of the executable's path.
        pub exe_len: u32,
        /// Words used in `auxv`.
        pub auxv_len: u32,
        /// The auxiliary vector; zero past `auxv_len`.
        pub auxv: [u64; AUXV_WORDS],
    }
}

/// Bits of [`AddressSpace::flags`].
pub mod space_flag {
    /// Free addresses are sought from the top (MMF_TOPDOWN).
    pub const TOPDOWN: u32 = 1;
    /// No transparent huge pages (PR_SET_THP_DISABLE).
    pub const NO_HUGE_PAGES: u32 = 2;
    /// Memory never becomes executable after it was writable (PR_SET_MDWE).
    pub const MDWE: u32 = 4;
    /// MDWE is not inherited.
    pub const MDWE_NO_INHERIT: u32 = 8;
    /// Future mappings are locked (mlockall, MCL_FUTURE).
    pub const LOCK_FUTURE: u32 = 16;
    /// Future mappings are locked as they are touched (MCL_ONFAULT).
    pub const LOCK_ON_FAULT: u32 = 32;
    /// The process may be traced and dumped by its user (PR_SET_DUMPABLE 1).
    pub const DUMPABLE: u32 = 64;
    /// Registered for membarrier(2), global.
    pub const BARRIER_GLOBAL: u32 = 128;
    /// Registered for membarrier(2), private.
    pub const BARRIER_PRIVATE: u32 = 256;
    /// Registered for membarrier(2), private with core serialization.
    pub const BARRIER_CORE: u32 = 512;
    /// Registered for membarrier(2), private with restart of rseq(2).
    pub const BARRIER_RSEQ: u32 = 1024;
    /// All of the above.
    pub const ALL: u32 = 2047;
}

record! {
    /// By what a file is known again: a file that differs is not the one that was mapped.
    pub struct FileStamp {
        /// Size in bytes.
        pub size: u64,
        /// Last modification, nanoseconds since 1970.
        pub modified: i64,
    }
}

record! {
    /// One mapping; the path of its file or its name follows.
    pub struct Mapping {
        /// First address.
        pub start: u64,
        /// First address past it.
        pub end: u64,
        /// Offset in its file or shared memory, in bytes.
        pub offset: u64,
        /// Id of its shared memory, 0 without.
        pub shared: u64,
        /// Its file; zero without.
        pub file: FileStamp,
        /// A number of [`MappingKind`].
        pub kind: u8,
        /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4.
        pub prot: u8,
        /// Bytes of the path or name.
        pub text_len: u16,
        /// Bits of [`mapping_flag`].
        pub flags: u32,
    }
}

/// Bits of [`Mapping::flags`].
pub mod mapping_flag {
    /// Grows downwards when the page below is touched (MAP_GROWSDOWN).
    pub const GROWS_DOWN: u32 = 1;
    /// Swap is not reserved for it (MAP_NORESERVE).
    pub const NO_RESERVE: u32 = 2;
    /// Locked in memory.
    pub const LOCKED: u32 = 4;
    /// Locked as it is touched (MLOCK_ONFAULT).
    pub const LOCKED_ON_FAULT: u32 = 8;
    /// MADV_DONTFORK.
    pub const DONT_FORK: u32 = 16;
    /// MADV_WIPEONFORK.
    pub const WIPE_ON_FORK: u32 = 32;
    /// MADV_DONTDUMP.
    pub const DONT_DUMP: u32 = 64;
    /// MADV_HUGEPAGE.
    pub const HUGE: u32 = 128;
    /// MADV_NOHUGEPAGE.
    pub const NO_HUGE: u32 = 256;
    /// MADV_MERGEABLE.
    pub const MERGEABLE: u32 = 512;
    /// MADV_SEQUENTIAL.
    pub const SEQUENTIAL: u32 = 1024;
    /// MADV_RANDOM.
    pub const RANDOM: u32 = 2048;
    /// The file was opened for writing; such a shared mapping may become writable.
    pub const MAY_WRITE: u32 = 4096;
    /// The kernel may drop its pages at any time (MAP_DROPPABLE): none is saved, it comes back
    /// empty. getrandom(2) of the vDSO keeps its state there, which must not be used twice.
    pub const DROPPABLE: u32 = 8192;
    /// All of the above.
    pub const ALL: u32 = 16383;
}

/// What a mapping shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MappingKind {
    /// Memory of its own, zero until written.
    Anonymous = 1,
    /// A file; pages that were written are its own.
    FilePrivate = 2,
    /// A file; the pages are the file's.
    FileShared = 3,
    /// Memory shared between processes, kept once per part.
    Shared = 4,
    /// The vDSO, which the kernel provides.
    Vdso = 5,
    /// The data of the vDSO, which the kernel provides.
    Vvar = 6,
}

impl MappingKind {
    /// The kind with this number.
    pub const fn new(number: u8) -> Option<MappingKind> {
        match number {
            1 => Some(MappingKind::Anonymous),
            2 => Some(MappingKind::FilePrivate),
            3 => Some(MappingKind::FileShared),
            4 => Some(MappingKind::Shared),
            5 => Some(MappingKind::Vdso),
            6 => Some(MappingKind::Vvar),
            _ => None,
        }
    }

    /// True where pages of a mapping with these [`mapping_flag`]s can be in the page file.
    pub const fn has_pages(self, flags: u32) -> bool {
        match self {
            MappingKind::Anonymous => flags & mapping_flag::DROPPABLE == 0,
            MappingKind::FilePrivate | MappingKind::Vdso => true,
            MappingKind::FileShared | MappingKind::Shared => false,
            MappingKind::Vvar => false,
        }
    }

    const fn has_path(self) -> bool {
        match self {
            MappingKind::FilePrivate | MappingKind::FileShared => true,
            MappingKind::Anonymous | MappingKind::Shared => false,
            MappingKind::Vdso | MappingKind::Vvar => false,
        }
    }
}

impl AddressSpace {
    /// Parses and checks a payload; returns the path of the executable beside the numbers.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), ImageError> {
        let mut reader = Reader::new(payload);
        let space: AddressSpace = reader.field()?;
        let exe = path(reader.rest(), space.exe_len as usize)?;
        space.check()?;
        Ok((space, exe))
    }

    fn check(&self) -> Result<(), ImageError> {
        let pairs = [self.code, self.data, self.brk, self.arg, self.env];
        let ordered = pairs
            .iter()
            .all(|[start, end]| start <= end && *end < ADDRESS_END);
        let auxv = self.auxv_len as usize <= AUXV_WORDS
            && self
                .auxv
                .iter()
                .skip(self.auxv_len as usize)
                .all(|word| *word == 0);
        let sane = ordered
            && auxv
            && self.mappings <= MAPPINGS_MAX
            && self.stack < ADDRESS_END
            && self.mmap_base <= ADDRESS_END
            && self.mmap_base.is_multiple_of(PAGE)
            && self.vdso < ADDRESS_END
            && self.vdso.is_multiple_of(PAGE)
            && self.flags & !space_flag::ALL == 0;
        if sane {
            Ok(())
        } else {
            Err(ImageError::Value)
        }
    }
}

impl Mapping {
    /// Parses and checks a payload; returns kind and path (or name) beside the numbers.
    pub fn parse(payload: &[u8]) -> Result<(Self, MappingKind, &[u8]), ImageError> {
        let mut reader = Reader::new(payload);
        let mapping: Mapping = reader.field()?;
        let kind = MappingKind::new(mapping.kind).ok_or(ImageError::Value)?;
        let text = reader.rest();
        let len = usize::from(mapping.text_len);
        if kind.has_path() {
            path(text, len)?;
        } else if text.len() != len || len > NAME_MAX || text.contains(&0) {
            return Err(ImageError::Length);
        }
        mapping.check(kind)?;
        Ok((mapping, kind, text))
    }

    /// mmap(2): what is droppable is anonymous, and no stack.
    fn is_droppable_as_mmap_has_it(&self, kind: MappingKind) -> bool {
        self.flags & mapping_flag::DROPPABLE == 0
            || (kind == MappingKind::Anonymous && self.flags & mapping_flag::GROWS_DOWN == 0)
    }

    /// Bytes of the mapping.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// True for an impossible mapping without bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check(&self, kind: MappingKind) -> Result<(), ImageError> {
        let aligned = [self.start, self.end, self.offset]
            .iter()
            .all(|number| number % PAGE == 0);
        let shared = kind == MappingKind::Shared;
        let sane = aligned
            && self.start < self.end
            && self.end <= ADDRESS_END
            && self
                .offset
                .checked_add(self.len())
                .is_some_and(|end| end <= i64::MAX as u64)
            && self.prot <= 7
            && self.flags & !mapping_flag::ALL == 0
            && self.is_droppable_as_mmap_has_it(kind)
            && shared == (self.shared != 0)
            && (kind.has_path()
                || self.file
                    == FileStamp {
                        size: 0,
                        modified: 0,
                    });
        if sane {
            Ok(())
        } else {
            Err(ImageError::Value)
        }
    }
}

/// Mappings must come in ascending order and not overlap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MappingOrder {
    end: u64,
    count: u32,
}

impl MappingOrder {
    /// Takes note of the next mapping.
    pub fn next(&mut self, mapping: &Mapping) -> Result<(), ImageError> {
        if mapping.start < self.end || self.count >= MAPPINGS_MAX {
            return Err(ImageError::Order);
        }
        self.end = mapping.end;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// An error unless all mappings of the address space were seen.
    pub fn done(&self, space: &AddressSpace) -> Result<(), ImageError> {
        if self.count == space.mappings {
            Ok(())
        } else {
            Err(ImageError::Order)
        }
    }
}

fn path(text: &[u8], len: usize) -> Result<&[u8], ImageError> {
    if text.len() != len || len > PATH_MAX {
        return Err(ImageError::Length);
    }
    if text.first() != Some(&b'/') || text.contains(&0) {
        return Err(ImageError::Value);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
