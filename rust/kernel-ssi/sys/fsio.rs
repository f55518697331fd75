// SPDX-License-Identifier: GPL-2.0
//! Files and folders of the store, credentials, digests.

use core::ffi::{c_char, c_void};
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
pub(super) struct RawCred {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(super) struct RawFile {
    _opaque: [u8; 0],
}

/// How a file is opened; numbers of `enum ssi_open` (shim/fsio.h).
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Open {
    /// To be read from its start to its end.
    Read = 0,
    /// To be read page by page, past the page cache where that can be.
    ReadPages = 1,
    /// Made, for writing; must not exist.
    Create = 2,
    /// As `Create`, page by page, past the page cache where that can be.
    CreatePages = 3,
    /// A folder, to be listed or made durable.
    Folder = 4,
}

type NameFn = extern "C" fn(*mut c_void, *const u8, u32, u32) -> i32;

extern "C" {
    fn ssi_cred_current() -> *const RawCred;
    fn ssi_cred_of_user(uid: u32, gid: u32) -> *const RawCred;
    fn ssi_cred_clone(cred: *const RawCred) -> *const RawCred;
    fn ssi_cred_put(cred: *const RawCred);
    fn ssi_cred_assume(cred: *const RawCred) -> *const RawCred;
    fn ssi_cred_resume(before: *const RawCred);
    fn ssi_file_open(
        path: *const c_char,
        how: Open,
        cred: *const RawCred,
        out: *mut *mut RawFile,
    ) -> i32;
    fn ssi_file_close(file: *mut RawFile);
    fn ssi_file_write(
        file: *mut RawFile,
        data: *const u8,
        len: usize,
        pos: u64,
        cred: *const RawCred,
    ) -> i32;
    fn ssi_file_read(file: *mut RawFile, data: *mut u8, len: usize, pos: u64) -> isize;
    fn ssi_file_sync(file: *mut RawFile) -> i32;
    fn ssi_file_size(file: *mut RawFile) -> u64;
    fn ssi_folder_make(path: *const c_char, cred: *const RawCred) -> i32;
    fn ssi_folder_remove(path: *const c_char, cred: *const RawCred) -> i32;
    fn ssi_file_remove(path: *const c_char, cred: *const RawCred) -> i32;
    fn ssi_file_rename(from: *const c_char, to: *const c_char, cred: *const RawCred) -> i32;
    fn ssi_folder_names(folder: *mut RawFile, visit: NameFn, context: *mut c_void) -> i32;
    fn ssi_kernel_release() -> *const c_char;
    fn ssi_digest(data: *const u8, len: usize) -> u64;
    fn ssi_digest_new() -> *mut c_void;
    fn ssi_digest_add(state: *mut c_void, data: *const u8, len: usize);
    fn ssi_digest_value(state: *const c_void) -> u64;
    fn ssi_digest_free(state: *mut c_void);
}

/// With whose rights the store is used.
pub struct Creds(NonNull<RawCred>);

// SAFETY: Credentials do not change and are counted atomically.
unsafe impl Send for Creds {}
// SAFETY: As above.
unsafe impl Sync for Creds {}

impl Creds {
    /// Those of the calling task.
    pub fn current() -> Creds {
        // SAFETY: The current task has credentials; the reference taken is ours.
        Creds(unsafe { NonNull::new_unchecked(ssi_cred_current().cast_mut()) })
    }

    /// Those of a user of any node of the cluster, by its numbers, without capabilities unless it
    /// is root.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also where there can be no such user or group.
    pub fn of_user(uid: u32, gid: u32) -> Result<Creds> {
        // SAFETY: Plain numbers; the reference that is returned is ours.
        let raw = unsafe { ssi_cred_of_user(uid, gid) };
        NonNull::new(raw.cast_mut()).map(Creds).ok_or(ENOMEM)
    }

    /// Runs `work` with these in place of the calling task's own.
    pub fn act<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: `self` holds a reference for as long as they are assumed.
        let before = unsafe { ssi_cred_assume(self.raw()) };
        let result = work();
        // SAFETY: What was assumed above, and nothing since: `work` cannot keep what it assumes.
        unsafe { ssi_cred_resume(before) };
        result
    }

    pub(super) fn raw(&self) -> *const RawCred {
        self.0.as_ptr()
    }
}

impl Clone for Creds {
    fn clone(&self) -> Self {
        // SAFETY: `self` holds a reference; the new one belongs to the clone.
        Creds(unsafe { NonNull::new_unchecked(ssi_cred_clone(self.raw()).cast_mut()) })
    }
}

impl Drop for Creds {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and not used again.
        unsafe { ssi_cred_put(self.raw()) }
    }
}

/// An open file or folder; closed when it is dropped.
pub struct File(NonNull<RawFile>);

// SAFETY: A struct file may be used from every thread.
unsafe impl Send for File {}
// SAFETY: Positions are arguments; the file locks the rest itself.
unsafe impl Sync for File {}

impl File {
    /// Opens `path`, absolute, from the current task's root.
    pub fn open(path: &CStr, how: Open, creds: &Creds) -> Result<File> {
        let mut raw = null_mut();
        // SAFETY: Path and credentials outlive the call; `raw` is written on success only.
        to_result(unsafe { ssi_file_open(path.as_char_ptr().cast(), how, creds.raw(), &mut raw) })?;
        File::from_raw(raw)
    }

    pub(super) fn from_raw(raw: *mut RawFile) -> Result<File> {
        NonNull::new(raw).map(File).ok_or(EINVAL)
    }

    pub(super) fn raw(&self) -> *mut RawFile {
        self.0.as_ptr()
    }

    /// Writes all of `data` at `pos`.
    pub fn write_at(&self, data: &[u8], pos: u64, creds: &Creds) -> Result {
        // SAFETY: The slice is readable for its length.
        to_result(unsafe {
            ssi_file_write(self.raw(), data.as_ptr(), data.len(), pos, creds.raw())
        })
    }

    /// Reads at `pos` until `data` is full or the file ends; returns how much.
    pub fn read_at(&self, data: &mut [u8], pos: u64) -> Result<usize> {
        // SAFETY: The slice is writable for its length.
        let done = unsafe { ssi_file_read(self.raw(), data.as_mut_ptr(), data.len(), pos) };
        usize::try_from(done).map_err(|_| Error::from_errno(done as i32))
    }

    /// Returns when all that was written is durable.
    pub fn sync(&self) -> Result {
        // SAFETY: The file is open.
        to_result(unsafe { ssi_file_sync(self.raw()) })
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        // SAFETY: The file is open.
        unsafe { ssi_file_size(self.raw()) }
    }

    /// Calls `visit` with every name in the folder, and what it stands for.
    pub fn names(&self, visit: &mut dyn FnMut(&[u8], Entry) -> Result) -> Result {
        let mut visit = visit;
        let context: *mut &mut dyn FnMut(&[u8], Entry) -> Result = &mut visit;
        // SAFETY: `visit` outlives the call, and the trampoline gets it back with its own type.
        to_result(unsafe { ssi_folder_names(self.raw(), name_found, context.cast()) })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and not used again.
        unsafe { ssi_file_close(self.raw()) }
    }
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// Anything else.
    Other,
    /// The file system does not say (NFS, for one): try it.
    Unknown,
}

impl Entry {
    /// From the file type of a directory entry, as readdir(3) has it.
    fn from_raw(kind: u32) -> Entry {
        const DT_UNKNOWN: u32 = 0;
        const DT_DIR: u32 = 4;
        match kind {
            DT_DIR => Entry::Folder,
            DT_UNKNOWN => Entry::Unknown,
            _ => Entry::Other,
        }
    }
}

extern "C" fn name_found(context: *mut c_void, name: *const u8, len: u32, kind: u32) -> i32 {
    // SAFETY: `File::names` passed exactly this type, and it is not used elsewhere meanwhile.
    let visit = unsafe { &mut *context.cast::<&mut dyn FnMut(&[u8], Entry) -> Result>() };
    // SAFETY: The kernel passes `len` readable bytes.
    let name = unsafe { core::slice::from_raw_parts(name, len as usize) };
    match visit(name, Entry::from_raw(kind)) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// Makes a folder for its owner alone.
pub fn make_folder(path: &CStr, creds: &Creds) -> Result {
    // SAFETY: Both outlive the call.
    to_result(unsafe { ssi_folder_make(path.as_char_ptr().cast(), creds.raw()) })
}

/// Removes an empty folder.
pub fn remove_folder(path: &CStr, creds: &Creds) -> Result {
    // SAFETY: Both outlive the call.
    to_result(unsafe { ssi_folder_remove(path.as_char_ptr().cast(), creds.raw()) })
}

/// Removes a file.
pub fn remove_file(path: &CStr, creds: &Creds) -> Result {
    // SAFETY: Both outlive the call.
    to_result(unsafe { ssi_file_remove(path.as_char_ptr().cast(), creds.raw()) })
}

/// Renames a file over whatever has the new name.
pub fn rename(from: &CStr, to: &CStr, creds: &Creds) -> Result {
    // SAFETY: All three outlive the call.
    to_result(unsafe {
        ssi_file_rename(
            from.as_char_ptr().cast(),
            to.as_char_ptr().cast(),
            creds.raw(),
        )
    })
}

/// The kernel's release, as `uname -r` says it.
pub fn kernel_release() -> &'static [u8] {
    // SAFETY: The initial namespace's release is a NUL-terminated static string.
    unsafe { CStr::from_char_ptr(ssi_kernel_release().cast()) }.as_bytes()
}

/// XXH64 with seed 0.
pub fn digest(bytes: &[u8]) -> u64 {
    // SAFETY: The slice is readable for its length.
    unsafe { ssi_digest(bytes.as_ptr(), bytes.len()) }
}

/// XXH64 with seed 0 over pieces.
pub struct Digest(NonNull<c_void>);

// SAFETY: Plain memory of its own.
unsafe impl Send for Digest {}

impl Digest {
    /// The digest of nothing.
    pub fn new() -> Result<Digest> {
        // SAFETY: No arguments.
        NonNull::new(unsafe { ssi_digest_new() })
            .map(Digest)
            .ok_or(ENOMEM)
    }

    /// Takes in more bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        // SAFETY: The state is ours, the slice readable for its length.
        unsafe { ssi_digest_add(self.0.as_ptr(), bytes.as_ptr(), bytes.len()) }
    }

    /// The digest of all bytes so far.
    pub fn value(&self) -> u64 {
        // SAFETY: The state is ours.
        unsafe { ssi_digest_value(self.0.as_ptr()) }
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        // SAFETY: The state is ours and not used again.
        unsafe { ssi_digest_free(self.0.as_ptr()) }
    }
}
