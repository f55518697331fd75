// SPDX-License-Identifier: GPL-2.0
//! Open files and descriptor tables: references, kinds, paths, walks, installing.

use core::ffi::c_void;
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::task::Task;

#[repr(C)]
pub(super) struct RawFile {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawFiles {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawFd {
    fd: u32,
    cloexec: u32,
    file: *mut RawFile,
}

/// Kinds of `ssi_file_info.kind` (shim/object.h).
pub mod kind {
    #![allow(missing_docs)]
    pub const REGULAR: u32 = 1;
    pub const DIRECTORY: u32 = 2;
    pub const DEVICE: u32 = 3;
    pub const PIPE: u32 = 4;
    pub const TTY: u32 = 5;
    pub const TCP: u32 = 6;
    pub const EVENTFD: u32 = 7;
    pub const EPOLL: u32 = 8;
    pub const UNIX: u32 = 9;
    pub const TIMERFD: u32 = 10;
    pub const SIGNALFD: u32 = 11;
}

/// Bits of `ssi_file_info.traits` (shim/object.h).
pub mod traits {
    #![allow(missing_docs)]
    pub const READ: u32 = 1;
    pub const WRITE: u32 = 2;
    pub const UNLINKED: u32 = 4;
    pub const SYNTHETIC: u32 = 8;
}

/// What an open file is; as `struct ssi_file_info`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct FileInfo {
    /// A number of [`kind`].
    pub kind: u32,
    /// `f_flags`.
    pub flags: u32,
    /// Bits of [`traits`].
    pub traits: u32,
    /// Of a device: major << 20 | minor.
    pub rdev: u32,
    /// Offset.
    pub pos: u64,
    /// Length of a regular file.
    pub size: u64,
    /// Names the inode while it is open.
    pub inode: u64,
    /// Names the pipe or socket while it is open, or 0.
    pub stream: u64,
    /// Names the other end of a UNIX socket, or 0.
    pub peer: u64,
    /// References, ours among them.
    pub count: u64,
    what: [u8; 32],
}

impl FileInfo {
    /// The kind in words.
    pub fn what(&self) -> &str {
        let len = self.what.iter().position(|&byte| byte == 0);
        let name = &self.what[..len.unwrap_or(self.what.len())];
        core::str::from_utf8(name).unwrap_or("unknown object")
    }
}

/// Where a pipe or socket that was looked for was found; as `struct ssi_holder`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Holder {
    /// As [`FileInfo::stream`].
    pub key: u64,
    /// The process.
    pub pid: u32,
    /// Its descriptor.
    pub fd: u32,
    /// Its capabilities: `ssi_core::abi::cap` bits.
    pub caps: u32,
    reserved: u32,
}

extern "C" {
    fn ssi_files_key(task: *const c_void, users: *mut u32) -> u64;
    fn ssi_task_tid(task: *const c_void) -> u32;
    fn ssi_files_walk(task: *const c_void, out: *mut RawFd, max: u32, count: *mut u32) -> i32;
    fn ssi_files_find(
        keys: *const u64,
        keys_len: u32,
        out: *mut Holder,
        max: u32,
        count: *mut u32,
    ) -> i32;
    fn ssi_files_clear() -> i32;
    fn ssi_fd_install(fd: u32, file: *mut RawFile, cloexec: u32) -> i32;
    fn ssi_fd_get(fd: u32) -> *mut RawFile;
    fn ssi_files_ref() -> *mut RawFiles;
    fn ssi_files_share(files: *mut RawFiles) -> i32;
    fn ssi_files_put(files: *mut RawFiles);
    fn ssi_file_info(file: *mut RawFile, info: *mut FileInfo);
    fn ssi_file_path(file: *mut RawFile, buf: *mut u8, size: u32) -> i32;
    fn ssi_file_get(file: *mut RawFile);
    fn ssi_file_put(file: *mut RawFile);
    fn ssi_file_put_now(file: *mut RawFile);
    fn ssi_file_again(path: *const u8, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_file_seek(file: *mut RawFile, pos: u64) -> i32;
    fn ssi_file_cut(file: *mut RawFile, size: u64) -> i32;
    fn ssi_file_set_flags(file: *mut RawFile, flags: u32);
}

/// A reference of an open file.
pub struct FileRef(NonNull<RawFile>);

// SAFETY: A struct file may be used from every thread; it locks itself.
unsafe impl Send for FileRef {}
// SAFETY: As above.
unsafe impl Sync for FileRef {}

impl Drop for FileRef {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and is given up here.
        unsafe { ssi_file_put(self.0.as_ptr()) }
    }
}

impl FileRef {
    /// Takes over a reference that a shim returned.
    pub(super) fn from_raw(raw: *mut RawFile) -> Result<FileRef> {
        NonNull::new(raw).map(FileRef).ok_or(EINVAL)
    }

    pub(super) fn as_ptr(&self) -> *mut RawFile {
        self.0.as_ptr()
    }

    /// Names the open file while a reference is held.
    pub fn key(&self) -> u64 {
        self.0.as_ptr() as u64
    }

    /// What the file is.
    pub fn info(&self) -> FileInfo {
        let mut info = core::mem::MaybeUninit::uninit();
        // SAFETY: The shim fills the whole struct.
        unsafe {
            ssi_file_info(self.as_ptr(), info.as_mut_ptr());
            info.assume_init()
        }
    }

    /// Writes its path into `buf`; the length.
    pub fn path(&self, buf: &mut [u8]) -> Result<usize> {
        // SAFETY: `buf` is valid for writes of its length.
        let len = unsafe { ssi_file_path(self.as_ptr(), buf.as_mut_ptr(), buf.len() as u32) };
        to_result(len.min(0))?;
        Ok(len as usize)
    }

    /// Opens `path` with the caller's root and credentials.
    pub fn open(path: &CStr, flags: u32) -> Result<FileRef> {
        let mut raw = null_mut();
        // SAFETY: The path is NUL-terminated; `raw` is written on success only.
        to_result(unsafe { ssi_file_again(path.as_bytes_with_nul().as_ptr(), flags, &mut raw) })?;
        FileRef::from_raw(raw)
    }

    /// Another reference of the same open file.
    pub fn share(&self) -> FileRef {
        // SAFETY: The reference keeps the file alive.
        unsafe { ssi_file_get(self.as_ptr()) };
        FileRef(self.0)
    }

    /// Gives the reference up; what was the last one is closed on return, not only when the caller
    /// returns to user mode. The caller holds no locks.
    pub fn close(self) {
        let file = core::mem::ManuallyDrop::new(self);
        // SAFETY: The reference is ours and is given up here, once.
        unsafe { ssi_file_put_now(file.as_ptr()) }
    }

    /// The file at descriptor `fd` of the caller.
    pub fn of_current(fd: u32) -> Option<FileRef> {
        // SAFETY: The shim returns a reference or NULL.
        NonNull::new(unsafe { ssi_fd_get(fd) }).map(FileRef)
    }

    /// Sets the offset.
    pub fn seek(&self, pos: u64) -> Result {
        // SAFETY: The reference keeps the file alive.
        to_result(unsafe { ssi_file_seek(self.as_ptr(), pos) })
    }

    /// Cuts the file back to `size` bytes.
    pub fn cut(&self, size: u64) -> Result {
        // SAFETY: As above.
        to_result(unsafe { ssi_file_cut(self.as_ptr(), size) })
    }

    /// Sets the flags that F_SETFL can set.
    pub fn set_flags(&self, flags: u32) {
        // SAFETY: As above.
        unsafe { ssi_file_set_flags(self.as_ptr(), flags) }
    }
}

/// A descriptor of a table, with its file.
pub struct Fd {
    /// The number.
    pub fd: u32,
    /// Closed by exec.
    pub cloexec: bool,
    /// What it refers to.
    pub file: FileRef,
}

fn raw(task: &Task) -> *const c_void {
    core::ptr::from_ref(task).cast()
}

/// Names the descriptor table of `task`, or 0; and how many tasks share it.
pub fn table_key(task: &Task) -> (u64, u32) {
    let mut users = 0;
    // SAFETY: `task` is a counted task_struct (`Task` is transparent over it).
    let key = unsafe { ssi_files_key(raw(task), &mut users) };
    (key, users)
}

/// Number of a thread. Not `Task::pid`: the bindings place the field wrongly where the kernel has
/// an empty struct with an alignment before it (`sched_statistics` without CONFIG_SCHEDSTATS).
pub fn tid(task: &Task) -> u32 {
    // SAFETY: `task` is a counted task_struct.
    unsafe { ssi_task_tid(raw(task)) }
}

/// Every descriptor of `task`, at most `max` of them.
pub fn walk(task: &Task, max: usize) -> Result<KVVec<Fd>> {
    let mut count = 0;
    // SAFETY: Nothing is written with a `max` of 0.
    let _ = unsafe { ssi_files_walk(raw(task), null_mut(), 0, &mut count) };
    if count as usize > max {
        return Err(ENOSPC);
    }
    let mut entries: KVVec<RawFd> = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
    let mut fds = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
    let room = count;
    // SAFETY: `entries` has room for `room` entries.
    to_result(unsafe { ssi_files_walk(raw(task), entries.as_mut_ptr(), room, &mut count) })?;
    // SAFETY: The first `count` (at most `room`) entries were written.
    unsafe { entries.set_len(count as usize) };
    for entry in entries.iter() {
        let file = FileRef::from_raw(entry.file)?;
        let cloexec = entry.cloexec != 0;
        let fd = entry.fd;
        fds.push(Fd { fd, cloexec, file }, GFP_KERNEL)?;
    }
    Ok(fds)
}

/// Which processes hold the pipes and sockets `keys` (sorted), in one pass over all tasks.
pub fn find_holders(keys: &[u64], max: usize) -> Result<KVVec<Holder>> {
    let mut found = KVVec::with_capacity(max, GFP_KERNEL)?;
    let (mut count, len) = (0, keys.len() as u32);
    // SAFETY: `found` has room for `max` entries; `keys` is valid for its length.
    to_result(unsafe {
        ssi_files_find(
            keys.as_ptr(),
            len,
            found.as_mut_ptr(),
            max as u32,
            &mut count,
        )
    })?;
    // SAFETY: The first `count`, at most `max`, entries were written.
    unsafe { found.set_len(count as usize) };
    Ok(found)
}

/// Closes every descriptor of the calling task.
pub fn clear_current() -> Result {
    // SAFETY: Concerns the calling task only.
    to_result(unsafe { ssi_files_clear() })
}

/// Puts `file` at exactly `fd` of the calling task.
pub fn install_current(fd: u32, file: &FileRef, cloexec: bool) -> Result {
    // SAFETY: The table takes a reference of its own.
    to_result(unsafe { ssi_fd_install(fd, file.as_ptr(), cloexec.into()) })
}

/// A reference of a descriptor table.
pub struct TableRef(NonNull<RawFiles>);

// SAFETY: A files_struct may be used from every thread; it locks itself.
unsafe impl Send for TableRef {}
// SAFETY: As above.
unsafe impl Sync for TableRef {}

impl TableRef {
    /// Of the calling task.
    pub fn current() -> Result<TableRef> {
        // SAFETY: The calling task has a table as long as it runs.
        NonNull::new(unsafe { ssi_files_ref() })
            .map(TableRef)
            .ok_or(ESRCH)
    }

    /// Makes the calling task use this table in place of its own.
    pub fn share_with_current(&self) -> Result {
        // SAFETY: The shim takes a reference of its own.
        to_result(unsafe { ssi_files_share(self.0.as_ptr()) })
    }
}

impl Drop for TableRef {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and is given up here.
        unsafe { ssi_files_put(self.0.as_ptr()) }
    }
}

/// Two files that a shim made together.
pub(super) fn pair(raw: [*mut RawFile; 2]) -> Result<(FileRef, FileRef)> {
    Ok((FileRef::from_raw(raw[0])?, FileRef::from_raw(raw[1])?))
}
