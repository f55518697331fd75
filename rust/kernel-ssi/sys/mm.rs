// SPDX-License-Identifier: GPL-2.0
//! Address spaces: described, cloned, and built anew for the current task.

use core::ffi::{c_char, c_void};
use core::ptr::{null_mut, NonNull};
use kernel::error::{from_err_ptr, to_result};
use kernel::prelude::*;
use kernel::task::Task;
use kernel::types::ARef;
use ssi_core::image::memory::{FileStamp, AUXV_WORDS};

use super::fsio::{File, RawFile};

#[repr(C)]
pub(super) struct RawMm {
    _opaque: [u8; 0],
}

/// `struct ssi_vma` of shim/mm.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawVma {
    start: u64,
    end: u64,
    offset: u64,
    shared_key: u64,
    stamp: [u64; 2],
    flags: u32,
    path_len: u16,
    kind: u8,
    prot: u8,
    refusal: *const c_char,
}

/// `struct ssi_mm_numbers` of shim/mm.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawNumbers {
    mmap_base: u64,
    code: [u64; 2],
    data: [u64; 2],
    brk: [u64; 2],
    stack: u64,
    arg: [u64; 2],
    env: [u64; 2],
    vdso: u64,
    auxv: [u64; AUXV_WORDS],
    exe: [u64; 2],
    auxv_len: u32,
    exe_len: u32,
    flags: u32,
    dump_filter: u32,
    personality: u32,
    reserved: u32,
    refusal: *const c_char,
}

extern "C" {
    fn ssi_mm_of(task: *mut c_void) -> *mut RawMm;
    fn ssi_mm_clone(mm: *mut RawMm) -> *mut RawMm;
    fn ssi_mm_put(mm: *mut RawMm);
    fn ssi_mm_key(mm: *const RawMm) -> u64;
    fn ssi_mm_zap(mm: *mut RawMm, start: u64, end: u64);
    fn ssi_mm_describe(
        task: *mut c_void,
        mm: *mut RawMm,
        out: *mut RawNumbers,
        path: *mut u8,
        path_size: u32,
    ) -> i32;
    fn ssi_vma_at(mm: *mut RawMm, at: u64, out: *mut RawVma, path: *mut u8, path_size: u32) -> i32;
    fn ssi_vdso_digest() -> u64;
    fn ssi_mm_begin() -> i32;
    fn ssi_mm_map(vma: *const RawVma, path: *const u8, shared: *mut RawFile) -> i32;
    fn ssi_mm_map_vdso(vvar: *const RawVma, vdso: *const RawVma) -> i32;
    fn ssi_mm_advise(vma: *const RawVma) -> i32;
    fn ssi_mm_lock(vma: *const RawVma) -> i32;
    fn ssi_mm_finish(numbers: *const RawNumbers, exe: *const u8) -> i32;
}

/// A task, as an opaque kernel pointer that its owner keeps alive.
#[derive(Clone, Copy)]
pub struct TaskRef(*mut c_void);

impl From<&ARef<Task>> for TaskRef {
    /// For a task that stands still as long as this is used; the reference keeps it alive.
    fn from(task: &ARef<Task>) -> TaskRef {
        let task: &Task = task;
        TaskRef(core::ptr::from_ref(task).cast_mut().cast())
    }
}

/// A mapping, as it is or as it shall be.
#[derive(Clone, Copy)]
pub struct Vma {
    /// First address.
    pub start: u64,
    /// First address past it.
    pub end: u64,
    /// Offset in its file or shared memory, in bytes.
    pub offset: u64,
    /// Identity of its shared memory on this node.
    pub shared_key: u64,
    /// Its file.
    pub file: FileStamp,
    /// Bits of `mapping_flag`.
    pub flags: u32,
    /// A number of `MappingKind`, or 0 where it cannot be saved.
    pub kind: u8,
    /// PROT_* bits.
    pub prot: u8,
}

impl Vma {
    fn to_raw(self) -> RawVma {
        RawVma {
            start: self.start,
            end: self.end,
            offset: self.offset,
            shared_key: self.shared_key,
            stamp: stamp_to_raw(self.file),
            flags: self.flags,
            path_len: 0,
            kind: self.kind,
            prot: self.prot,
            refusal: core::ptr::null(),
        }
    }
}

/// The fixed numbers of an address space.
#[derive(Clone, Copy)]
pub struct Numbers {
    /// `mm->mmap_base`.
    pub mmap_base: u64,
    /// Text of the executable.
    pub code: [u64; 2],
    /// Data of the executable.
    pub data: [u64; 2],
    /// The heap.
    pub brk: [u64; 2],
    /// Bottom of the initial stack.
    pub stack: u64,
    /// Command line.
    pub arg: [u64; 2],
    /// Environment.
    pub env: [u64; 2],
    /// Address of the vDSO.
    pub vdso: u64,
    /// The auxiliary vector.
    pub auxv: [u64; AUXV_WORDS],
    /// Words used in it.
    pub auxv_len: u32,
    /// The executable.
    pub exe: FileStamp,
    /// Bits of `space_flag`.
    pub flags: u32,
    /// coredump_filter.
    pub dump_filter: u32,
    /// personality(2).
    pub personality: u32,
}

/// An address space, alive as long as this is.
pub struct Mm(NonNull<RawMm>);

// SAFETY: A counted mm may be used and released from every thread that may sleep.
unsafe impl Send for Mm {}
// SAFETY: All that the shims do with it is under its own locks.
unsafe impl Sync for Mm {}

impl Mm {
    /// The address space of a task; `None` for one that has exited.
    pub fn of(task: TaskRef) -> Option<Mm> {
        // SAFETY: The task is alive by the contract of `TaskRef`.
        NonNull::new(unsafe { ssi_mm_of(task.0) }).map(Mm)
    }

    /// A copy-on-write clone; nobody runs in this address space.
    pub fn clone_all(&self) -> Result<Mm> {
        // SAFETY: `self` keeps it alive.
        let raw = from_err_ptr(unsafe { ssi_mm_clone(self.raw()) })?;
        NonNull::new(raw).map(Mm).ok_or(ENOMEM)
    }

    /// Gives up the pages of a range of a clone.
    pub fn zap(&self, start: u64, end: u64) {
        // SAFETY: `self` keeps it alive; addresses are looked up, not followed.
        unsafe { ssi_mm_zap(self.raw(), start, end) }
    }

    /// A number that no other address space of this kernel ever has.
    pub fn key(&self) -> u64 {
        // SAFETY: `self` keeps it alive.
        unsafe { ssi_mm_key(self.raw()) }
    }

    /// Numbers and executable path (written to `path`, its length returned), and why the address
    /// space cannot be saved.
    pub fn describe(&self, task: TaskRef, path: &mut [u8]) -> Result<(Numbers, usize, Refusal)> {
        let mut raw = core::mem::MaybeUninit::<RawNumbers>::uninit();
        // SAFETY: Task and mm are alive; `raw` and `path` are writable for what is passed.
        to_result(unsafe {
            ssi_mm_describe(
                task.0,
                self.raw(),
                raw.as_mut_ptr(),
                path.as_mut_ptr(),
                path.len() as u32,
            )
        })?;
        // SAFETY: Success means that all of it was written.
        let raw = unsafe { raw.assume_init() };
        let numbers = Numbers {
            mmap_base: raw.mmap_base,
            code: raw.code,
            data: raw.data,
            brk: raw.brk,
            stack: raw.stack,
            arg: raw.arg,
            env: raw.env,
            vdso: raw.vdso,
            auxv: raw.auxv,
            auxv_len: raw.auxv_len,
            exe: stamp_from_raw(raw.exe),
            flags: raw.flags,
            dump_filter: raw.dump_filter,
            personality: raw.personality,
        };
        Ok((numbers, raw.exe_len as usize, refusal(raw.refusal)))
    }

    /// The first mapping that ends above `at`; its path goes to `path`, its length is returned.
    pub fn vma_at(&self, at: u64, path: &mut [u8]) -> Result<Option<(Vma, usize, Refusal)>> {
        let mut raw = core::mem::MaybeUninit::<RawVma>::uninit();
        // SAFETY: `self` keeps the mm alive; `raw` and `path` are writable for what is passed.
        let found = unsafe {
            ssi_vma_at(
                self.raw(),
                at,
                raw.as_mut_ptr(),
                path.as_mut_ptr(),
                path.len() as u32,
            )
        };
        if found <= 0 {
            return to_result(found).map(|()| None);
        }
        // SAFETY: A positive answer means that all of it was written.
        let raw = unsafe { raw.assume_init() };
        let vma = Vma {
            start: raw.start,
            end: raw.end,
            offset: raw.offset,
            shared_key: raw.shared_key,
            file: stamp_from_raw(raw.stamp),
            flags: raw.flags,
            kind: raw.kind,
            prot: raw.prot,
        };
        Ok(Some((vma, usize::from(raw.path_len), refusal(raw.refusal))))
    }

    pub(super) fn raw(&self) -> *mut RawMm {
        self.0.as_ptr()
    }
}

impl Drop for Mm {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and not used again.
        unsafe { ssi_mm_put(self.raw()) }
    }
}

/// What cannot be saved, by name.
pub type Refusal = Option<&'static CStr>;

fn refusal(text: *const c_char) -> Refusal {
    // SAFETY: The shims point to string literals only.
    (!text.is_null()).then(|| unsafe { CStr::from_char_ptr(text.cast()) })
}

fn stamp_to_raw(stamp: FileStamp) -> [u64; 2] {
    [stamp.size, stamp.modified as u64]
}

fn stamp_from_raw(raw: [u64; 2]) -> FileStamp {
    FileStamp {
        size: raw[0],
        modified: raw[1] as i64,
    }
}

/// XXH64 of this kernel's vDSO.
pub fn vdso_digest() -> u64 {
    // SAFETY: No arguments.
    unsafe { ssi_vdso_digest() }
}

/// Gives the current task an empty address space of its own. The task must be one that runs in
/// the kernel on behalf of a restart, and nothing else.
pub fn begin() -> Result {
    // SAFETY: The current task leaves an mm that others keep.
    to_result(unsafe { ssi_mm_begin() })
}

/// Maps one mapping of the current task, with its final protection.
pub fn map(vma: &Vma, path: &CStr, shared: Option<&File>) -> Result {
    let shared = shared.map_or(null_mut(), File::raw);
    // SAFETY: All outlive the call; a mapping of shared memory without it is refused below.
    to_result(unsafe { ssi_mm_map(&vma.to_raw(), path.as_char_ptr().cast(), shared) })
}

/// Maps the vDSO and its data.
pub fn map_vdso(vvar: &Vma, vdso: &Vma) -> Result {
    // SAFETY: Both outlive the call.
    to_result(unsafe { ssi_mm_map_vdso(&vvar.to_raw(), &vdso.to_raw()) })
}

/// What madvise(2) had said.
pub fn advise(vma: &Vma) -> Result {
    // SAFETY: It outlives the call.
    to_result(unsafe { ssi_mm_advise(&vma.to_raw()) })
}

/// Locks a mapping that was locked.
pub fn lock(vma: &Vma) -> Result {
    // SAFETY: It outlives the call.
    to_result(unsafe { ssi_mm_lock(&vma.to_raw()) })
}

/// Sets the numbers of the current task's address space.
pub fn finish(numbers: &Numbers, exe: &CStr) -> Result {
    let raw = RawNumbers {
        mmap_base: numbers.mmap_base,
        code: numbers.code,
        data: numbers.data,
        brk: numbers.brk,
        stack: numbers.stack,
        arg: numbers.arg,
        env: numbers.env,
        vdso: numbers.vdso,
        auxv: numbers.auxv,
        exe: stamp_to_raw(numbers.exe),
        auxv_len: numbers.auxv_len,
        exe_len: 0,
        flags: numbers.flags,
        dump_filter: numbers.dump_filter,
        personality: numbers.personality,
        reserved: 0,
        refusal: core::ptr::null(),
    };
    // SAFETY: Both outlive the call.
    to_result(unsafe { ssi_mm_finish(&raw, exe.as_char_ptr().cast()) })
}
