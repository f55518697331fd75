// SPDX-License-Identifier: GPL-2.0
//! Groups of processes that are stopped at the user boundary: the door to `shim/stop.c`.

use core::ffi::{c_char, c_void, CStr};
use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::task::Task;
use kernel::types::ARef;

#[repr(C)]
struct RawGroup {
    _opaque: [u8; 0],
}

/// What C tells of a process (`struct ssi_process_info`).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ProcessInfo {
    /// Its PID.
    pub pid: u32,
    /// Threads that are alive.
    pub threads: u32,
    counts: u32,
    zombie: u32,
}

impl ProcessInfo {
    /// Whether it is part of the cut: not reaped while the others were stopped.
    pub fn counts(&self) -> bool {
        self.counts != 0
    }
}

/// Why C refused: a number of `enum ssi_refusal`, or an errno.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No process has this PID.
    NoProcess,
    /// It lacks the capability.
    NoCapability,
    /// It is somebody else's.
    Permission,
    /// It is in another group.
    Busy,
    /// It is traced.
    Traced,
    /// It did not come to rest in time.
    Timeout,
    /// No memory.
    Memory,
    /// More threads than a group may have.
    Limit,
    /// The caller is being killed.
    Interrupted,
    /// It was killed meanwhile.
    Killed,
    /// It has workers of io_uring.
    Worker,
    /// It asks for the checkpoint itself.
    Caller,
    /// It holds what no record describes: see [`Group::unsupported`].
    Unsupported,
    /// An errno that says nothing more.
    Other(Error),
}

impl Refusal {
    fn new(code: i32) -> Refusal {
        match code {
            1 => Refusal::NoProcess,
            2 => Refusal::NoCapability,
            3 => Refusal::Permission,
            4 => Refusal::Busy,
            5 => Refusal::Traced,
            6 => Refusal::Timeout,
            7 => Refusal::Memory,
            8 => Refusal::Limit,
            9 => Refusal::Interrupted,
            10 => Refusal::Killed,
            11 => Refusal::Worker,
            12 => Refusal::Caller,
            errno if errno == ENOTSUPP.to_errno() => Refusal::Unsupported,
            errno if errno == ENOMEM.to_errno() => Refusal::Memory,
            errno => Refusal::Other(kernel::error::to_result(errno).err().unwrap_or(EINVAL)),
        }
    }

    fn check(code: i32) -> Result<(), Refusal> {
        if code == 0 {
            Ok(())
        } else {
            Err(Refusal::new(code))
        }
    }
}

extern "C" {
    fn ssi_group_new(caller: u32) -> *mut RawGroup;
    fn ssi_group_free(group: *mut RawGroup);
    fn ssi_group_stop(
        group: *mut RawGroup,
        pid: u32,
        lonely: bool,
        caller_uid: u32,
        deadline_ns: u64,
    ) -> i32;
    fn ssi_group_save(
        group: *mut RawGroup,
        save: extern "C" fn(*mut c_void, u32) -> i32,
        data: *mut c_void,
    ) -> i32;
    fn ssi_group_signal(group: *mut RawGroup, signal: u32);
    fn ssi_group_release(group: *mut RawGroup);
    fn ssi_group_refused_pid(group: *mut RawGroup) -> u32;
    fn ssi_group_unsupported(group: *mut RawGroup) -> *const c_char;
    fn ssi_group_processes(group: *mut RawGroup) -> u32;
    fn ssi_group_process(group: *mut RawGroup, index: u32, out: *mut ProcessInfo) -> bool;
    fn ssi_group_thread(group: *mut RawGroup, index: u32, thread: u32) -> *mut c_void;
    fn ssi_group_records(
        group: *mut RawGroup,
        visit: extern "C" fn(*mut c_void, u32, u64, *const u8, usize) -> i32,
        data: *mut c_void,
    ) -> i32;
}

/// What a process does beside saving itself, by its number in the group; `false` ends it all.
pub trait Save: Sync {
    /// Runs in the context of a thread of the process, or of the coordinator where none can run.
    fn save(&self, index: u32) -> Result<(), Error>;
}

extern "C" fn save_one<S: Save>(data: *mut c_void, index: u32) -> i32 {
    // SAFETY: `Group::save` passed a shared reference that outlives the call of C.
    let save = unsafe { &*data.cast::<S>() };
    match save.save(index) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// Takes one record: kind, subject, payload.
pub type Visit<'a> = &'a mut dyn FnMut(u32, u64, &[u8]) -> Result<(), Error>;

extern "C" fn visit_one(
    data: *mut c_void,
    kind: u32,
    subject: u64,
    bytes: *const u8,
    len: usize,
) -> i32 {
    // SAFETY: `Group::records` passed this closure, which nobody else uses meanwhile.
    let visit = unsafe { &mut *data.cast::<Visit<'_>>() };
    // SAFETY: C passes `len` bytes of a record that stays as it is.
    match visit(kind, subject, unsafe {
        core::slice::from_raw_parts(bytes, len)
    }) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// A group. Dropping it lets everybody go on.
pub struct Group(NonNull<RawGroup>);

// SAFETY: The group is locked by C where threads and coordinator meet; what only the coordinator
// may do takes `&mut self`.
unsafe impl Send for Group {}
// SAFETY: As above; the `&self` methods read what does not change while threads are at rest.
unsafe impl Sync for Group {}

impl Group {
    /// A group without processes; `caller` (0: nobody) is refused, should it belong to it.
    pub fn new(caller: u32) -> Result<Group> {
        // SAFETY: Allocates.
        NonNull::new(unsafe { ssi_group_new(caller) })
            .map(Group)
            .ok_or(ENOMEM)
    }

    /// Takes in the application of `pid`, or with `lonely` this process alone, and returns when
    /// every thread of the group is at rest. The deadline is one of the monotonic clock.
    pub fn stop(
        &mut self,
        pid: u32,
        lonely: bool,
        uid: u32,
        deadline_ns: u64,
    ) -> Result<(), Refusal> {
        // SAFETY: The group is ours alone.
        Refusal::check(unsafe { ssi_group_stop(self.0.as_ptr(), pid, lonely, uid, deadline_ns) })
    }

    /// Every process saves itself, then does `save`, all at once; returns when all have.
    pub fn save<S: Save>(&mut self, save: &S) -> Result<(), Refusal> {
        let data = (save as *const S).cast_mut().cast::<c_void>();
        // SAFETY: C returns only when no thread uses `data` any more.
        Refusal::check(unsafe { ssi_group_save(self.0.as_ptr(), save_one::<S>, data) })
    }

    /// Sends every process a signal, of 1 to 64.
    pub fn signal(&mut self, signal: u32) {
        // SAFETY: The group is ours alone, and no `save` is under way.
        unsafe { ssi_group_signal(self.0.as_ptr(), signal) }
    }

    /// Lets everybody go on.
    pub fn release(&mut self) {
        // SAFETY: The group is ours alone, and no `save` is under way.
        unsafe { ssi_group_release(self.0.as_ptr()) }
    }

    /// The process that the last refusal was about, or 0.
    pub fn refused_pid(&self) -> u32 {
        // SAFETY: Reads.
        unsafe { ssi_group_refused_pid(self.0.as_ptr()) }
    }

    /// What [`Refusal::Unsupported`] was about.
    pub fn unsupported(&self) -> &'static CStr {
        // SAFETY: Reads.
        let text = unsafe { ssi_group_unsupported(self.0.as_ptr()) };
        if text.is_null() {
            return c"unknown state";
        }
        // SAFETY: C keeps only string constants there.
        unsafe { CStr::from_ptr(text) }
    }

    /// How many processes were ever taken in.
    pub fn processes(&self) -> u32 {
        // SAFETY: Reads.
        unsafe { ssi_group_processes(self.0.as_ptr()) }
    }

    /// The process with this number.
    pub fn process(&self, index: u32) -> Option<ProcessInfo> {
        let mut info = ProcessInfo::default();
        // SAFETY: C fills `info` where it returns true.
        unsafe { ssi_group_process(self.0.as_ptr(), index, &mut info) }.then_some(info)
    }

    /// The `number`th living thread of a process.
    pub fn thread(&self, index: u32, number: u32) -> Option<ARef<Task>> {
        // SAFETY: C returns a reference, or null.
        let task = unsafe { ssi_group_thread(self.0.as_ptr(), index, number) }.cast::<Task>();
        // SAFETY: The reference is given to us; `Task` is a transparent task_struct.
        NonNull::new(task).map(|task| unsafe { ARef::from_raw(task) })
    }

    /// Hands over every record that was saved.
    pub fn records(&self, mut visit: Visit<'_>) -> Result<(), Error> {
        let data = (&raw mut visit).cast::<c_void>();
        // SAFETY: The closure outlives the call.
        kernel::error::to_result(unsafe { ssi_group_records(self.0.as_ptr(), visit_one, data) })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: The owner's reference, given back once.
        unsafe { ssi_group_free(self.0.as_ptr()) }
    }
}
